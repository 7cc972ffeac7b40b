//! Mean over windows. Nothing is kept.

use kernels::ops::avg_pool as kernel;

use super::max_pool::Window;
use crate::error::Result;
use crate::tensor::Tensor;

impl Tensor {
    /// The mean of each window of `self: [n, h, w, channels]`, over the taps inside the image or, with `counts_padding`,
    /// inside the padded image.
    ///
    /// # Errors
    /// If `self` is not float or not of four dimensions, the window does not fit, or the device fails.
    pub fn avg_pool(&self, window: &Window, counts_padding: bool) -> Result<Self> {
        let pool = self.pool("avg_pool", window)?;
        let y = kernel::forward(self.device(), &pool, counts_padding, self.buffer())?;
        let [out_h, out_w] = pool.output()?;
        let (device, shape) = (self.device().clone(), self.shape().clone());
        Ok(Self::output(
            "avg_pool",
            y,
            [pool.n, out_h, out_w, pool.channels],
            &[self],
            move |dy| {
                let dx = kernel::backward(&device, &pool, counts_padding, dy.buffer())?;
                Ok(vec![Some(Self::constant(&device, dx, shape.clone()))])
            },
        ))
    }
}
