//! Conversion between 32-bit and 16-bit floats; the gradient is converted back.

use kernels::ops::cast;

use crate::error::Result;
use crate::tensor::{Element, Tensor};

impl Tensor {
    /// The same numbers as `element`, which is [`Element::F32`] or [`Element::F16`]: to 16 bits rounded to the nearest, infinite
    /// over 65,504. The tensor itself if it has such elements.
    ///
    /// # Errors
    /// If either is no float, the device has no 16-bit floats ([`kernels::Error::NoF16`]), or it fails.
    pub fn cast(&self, element: Element) -> Result<Self> {
        self.check_float("cast", "x")?;
        if element == self.element() {
            return Ok(self.clone());
        }
        let y = cast::forward(self.device(), self.buffer(), element.width())?;
        let (before, shape) = (self.element(), self.shape().clone());
        let y = Self::output("cast", y, shape, &[self], move |dy| {
            // Of weights it has 32 bits already.
            Ok(vec![Some(dy.cast(before)?)])
        });
        y.check_element("cast", "element", element)?;
        Ok(y)
    }
}
