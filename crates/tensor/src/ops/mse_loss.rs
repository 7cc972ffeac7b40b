//! The mean squared error: `y = sum of (a - b)^2 / n`; `da = 2 (a - b) dy / n`, `db = -da`. Made of other operators.

use crate::error::Result;
use crate::tensor::{DType, Tensor};

impl Tensor {
    /// The mean of the squares of `self - target`, a scalar: the loss of a regression. Gradients flow to both.
    ///
    /// # Errors
    /// If the shapes or devices differ, the elements are not f32, or the device fails.
    pub fn mse_loss(&self, target: &Self) -> Result<Self> {
        self.check_dtype("mse_loss", "x", DType::F32)?;
        let sum = self.sub(target)?.square_sum()?;
        #[expect(clippy::cast_precision_loss, reason = "rounds like any other operand")]
        let factor = 1.0 / self.shape().elements() as f32;
        sum.scale(factor)
    }
}
