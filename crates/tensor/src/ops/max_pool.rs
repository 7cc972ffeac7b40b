//! Maximum over windows. Where the maxima were is kept, not x.

use kernels::ops::max_pool as kernel;
pub use kernels::ops::max_pool::Pool;
pub use kernels::ops::window::{Padding, Window};

use crate::error::{Error, Result};
use crate::tensor::Tensor;

impl Tensor {
    /// The maximum of each window of `self: [n, h, w, channels]`; the first of equal ones gets the gradient.
    ///
    /// # Errors
    /// If `self` is not float or not of four dimensions, the window does not fit, or the device fails.
    pub fn max_pool(&self, window: &Window) -> Result<Self> {
        Ok(self.max_pool_with_indices(window)?.0)
    }

    /// [`Tensor::max_pool`], and where each maximum was: words `iy w + ix` within its image and channel.
    ///
    /// # Errors
    /// As [`Tensor::max_pool`].
    pub fn max_pool_with_indices(&self, window: &Window) -> Result<(Self, Self)> {
        let pool = self.pool("max_pool", window)?;
        let (y, argmax) = kernel::forward(self.device(), &pool, self.buffer())?;
        let [out_h, out_w] = pool.output()?;
        let (device, shape) = (self.device().clone(), self.shape().clone());
        let out = [pool.n, out_h, out_w, pool.channels];
        let indices = Self::words(&device, argmax.clone(), out);
        let y = Self::output("max_pool", y, out, &[self], move |dy| {
            let dx = kernel::backward(&device, &pool, dy.buffer(), &argmax)?;
            Ok(vec![Some(Self::constant(&device, dx, shape.clone()))])
        });
        Ok((y, indices))
    }

    /// The sizes of a pooling of `self: [n, h, w, channels]`.
    pub(crate) fn pool(&self, op: &'static str, window: &Window) -> Result<Pool> {
        self.check_float(op, "x")?;
        let &[n, h, w, channels] = &self.shape()[..] else {
            return Err(Error::shape(op, "x", "[n, h, w, channels]", self.shape()));
        };
        Ok(Pool {
            n,
            input: [h, w],
            channels,
            window: *window,
        })
    }
}
