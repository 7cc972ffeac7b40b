//! Local response normalisation along the last dimension. x alone is kept.

use kernels::ops::lrn as kernel;
pub use kernels::ops::lrn::Lrn;

use crate::error::Result;
use crate::tensor::Tensor;

impl Tensor {
    /// `y_i = x_i (bias + alpha sum of x_j^2)^-beta` over a window of channels j around i, for `self: [.., channels]`
    /// (Krizhevsky 2012, section 3.3; alpha is on the raw sum).
    ///
    /// # Errors
    /// If the elements are not floats, there are no channels, or the device fails.
    pub fn lrn(&self, spec: &Lrn) -> Result<Self> {
        self.check_float("lrn", "x")?;
        let (_, channels) = self.shape().rows_and_columns();
        let y = kernel::forward(self.device(), spec, self.buffer(), channels)?;
        let (x, spec) = (self.detach(), *spec);
        Ok(Self::output(
            "lrn",
            y,
            self.shape().clone(),
            &[self],
            move |dy| {
                let dx = kernel::backward(x.device(), &spec, dy.buffer(), x.buffer(), channels)?;
                Ok(vec![Some(Self::constant(
                    x.device(),
                    dx,
                    x.shape().clone(),
                ))])
            },
        ))
    }
}
