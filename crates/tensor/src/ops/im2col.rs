//! Image patches as a matrix; the rule sums each pixel's copies.

use kernels::ops::conv2d::Conv2d;
use kernels::ops::im2col;
use kernels::ops::window::Window;

use crate::error::{Error, Result};
use crate::tensor::{DType, Tensor};

impl Tensor {
    /// The patches that a window sees of images `[n, h, w, c]`: `[n * out_h * out_w, kh * kw * c]`, so that a convolution is a product
    /// with the filters as `[kh * kw * c, c_out]`. [`Tensor::conv2d`] does the same without storing them.
    ///
    /// # Errors
    /// If the tensor is not of that shape, the window does not fit, the elements are not floats, or the device fails.
    pub fn im2col(&self, window: &Window) -> Result<Self> {
        self.check_dtype("im2col", "x", DType::F32)?;
        let &[n, h, w, c_in] = &self.shape()[..] else {
            return Err(Error::shape("im2col", "x", "[n, h, w, c]", self.shape()));
        };
        let conv = Conv2d {
            n,
            input: [h, w],
            c_in,
            c_out: 1,
            window: *window,
            groups: 1,
        };
        let [out_h, out_w] = conv.output()?;
        let columns = im2col::forward(self.device(), &conv, self.buffer())?;
        let (device, shape) = (self.device().clone(), self.shape().clone());
        let out = [n * out_h * out_w, window.size[0] * window.size[1] * c_in];
        Ok(Self::output("im2col", columns, out, &[self], move |dy| {
            let dx = im2col::backward(&device, &conv, dy.buffer())?;
            Ok(vec![Some(Self::constant(&device, dx, shape.clone()))])
        }))
    }
}
