//! `y = max(x, 0)`; `dx = dy where y > 0`.

use kernels::ops::relu;

use crate::error::Result;
use crate::tensor::Tensor;

impl Tensor {
    /// Rectified linear unit, element-wise over any shape.
    ///
    /// # Errors
    /// If the elements are not floats, or the device fails.
    pub fn relu(&self) -> Result<Self> {
        self.check_float("relu", "x")?;
        let y = relu::forward(self.device(), self.buffer())?;
        let (device, kept, shape) = (self.device().clone(), y.clone(), self.shape().clone());
        Ok(Self::output(
            "relu",
            y,
            self.shape().clone(),
            &[self],
            move |dy| {
                let dx = relu::backward(&device, dy.buffer(), &kept)?;
                Ok(vec![Some(Self::constant(&device, dx, shape.clone()))])
            },
        ))
    }
}
