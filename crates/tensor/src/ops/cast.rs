//! Conversion between f32 and f16; the gradient is converted back.

use kernels::ops::cast;

use crate::error::Result;
use crate::tensor::{DType, Tensor};

impl Tensor {
    /// The same numbers as `dtype`, which is [`DType::F32`] or [`DType::F16`]: to 16 bits rounded to the nearest, infinite
    /// over 65,504. The tensor itself if it has such elements.
    ///
    /// # Errors
    /// If either is not a float dtype, the device has no f16 ([`kernels::Error::NoF16`]), or it fails.
    pub fn cast(&self, dtype: DType) -> Result<Self> {
        self.check_float("cast", "x")?;
        if dtype == self.dtype() {
            return Ok(self.clone());
        }
        let y = cast::forward(self.device(), self.buffer(), dtype.width())?;
        let (before, shape) = (self.dtype(), self.shape().clone());
        let y = Self::output("cast", y, shape, &[self], move |dy| {
            // Of weights it has 32 bits already.
            Ok(vec![Some(dy.cast(before)?)])
        });
        y.check_dtype("cast", "dtype", dtype)?;
        Ok(y)
    }
}
