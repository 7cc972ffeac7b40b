//! GELU: `y = x P(X <= x)` for a standard normal `X`, that is `x (1 + erf(x / sqrt 2)) / 2`; `dx = dy (P(X <= x) + x p(x))`, `p`
//! the normal density. x is kept.

use kernels::ops::gelu;

use crate::error::Result;
use crate::tensor::Tensor;

impl Tensor {
    /// Gaussian error linear unit (Hendrycks and Gimpel 2016), element-wise over any shape, in its exact form: PyTorch's
    /// default, not the approximation with tanh.
    ///
    /// # Errors
    /// If the elements are not floats, or the device fails.
    pub fn gelu(&self) -> Result<Self> {
        self.check_float("gelu", "x")?;
        let y = gelu::forward(self.device(), self.buffer())?;
        let x = self.detach();
        let shape = self.shape().clone();
        Ok(Self::output("gelu", y, shape, &[self], move |dy| {
            let dx = gelu::backward(x.device(), dy.buffer(), x.buffer())?;
            let shape = x.shape().clone();
            Ok(vec![Some(Self::constant(x.device(), dx, shape))])
        }))
    }
}
