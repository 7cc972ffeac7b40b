//! Resizing; its gradient is the transposed interpolation.

use kernels::ops::resize;

pub use kernels::ops::resize::{Method, Outside, Resize, Ties};

use crate::error::{Error, Result};
use crate::tensor::{DType, Tensor};

impl Tensor {
    /// `[n, out_h, out_w, c]` from `[n, h, w, c]`, as `spec` says.
    ///
    /// # Errors
    /// If the tensor's shape is not the one that `spec` resizes, its elements are not floats, or the device fails.
    pub fn resize(&self, spec: &Resize) -> Result<Self> {
        self.check_dtype("resize", "x", DType::F32)?;
        let ([h, w], [out_h, out_w], c) = (spec.input, spec.output, spec.channels);
        let n = match self.shape()[..] {
            [n, height, width, channels] if [height, width, channels] == [h, w, c] => n,
            _ => {
                let expected = format!("[n, {h}, {w}, {c}]");
                return Err(Error::shape("resize", "x", expected, self.shape()));
            }
        };
        let y = resize::forward(self.device(), spec, self.buffer())?;
        let (device, spec, shape) = (self.device().clone(), *spec, self.shape().clone());
        Ok(Self::output(
            "resize",
            y,
            [n, out_h, out_w, c],
            &[self],
            move |dy| {
                let dx = resize::backward(&device, &spec, dy.buffer())?;
                Ok(vec![Some(Self::constant(&device, dx, shape.clone()))])
            },
        ))
    }
}
