//! Sums over all elements: `dx = dy` everywhere, `dy / n` for the mean, `2 x dy` for the sum of squares.

use kernels::Buffer;
use kernels::ops::{elementwise, reduce};

use crate::error::Result;
use crate::shape::Shape;
use crate::tensor::{DType, Tensor};

impl Tensor {
    /// The sum of all elements, a scalar.
    ///
    /// # Errors
    /// If the elements are not floats, or the device fails.
    pub fn sum(&self) -> Result<Self> {
        self.check_dtype("sum", "x", DType::F32)?;
        let y = reduce::sum(self.device(), self.buffer())?;
        Ok(self.reduced("sum", y, 1.0))
    }

    /// The mean of all elements, a scalar.
    ///
    /// # Errors
    /// If there are no elements or they are no floats, or the device fails.
    pub fn mean(&self) -> Result<Self> {
        self.check_dtype("mean", "x", DType::F32)?;
        let y = reduce::mean(self.device(), self.buffer())?;
        #[expect(clippy::cast_precision_loss, reason = "rounds like any other operand")]
        let factor = 1.0 / self.shape().elements() as f32;
        Ok(self.reduced("mean", y, factor))
    }

    fn reduced(&self, op: &'static str, y: Buffer, factor: f32) -> Self {
        let (device, shape) = (self.device().clone(), self.shape().clone());
        Self::output(op, y, Shape::default(), &[self], move |dy| {
            let dx = reduce::broadcast(&device, dy.buffer(), shape.elements(), factor)?;
            Ok(vec![Some(Self::constant(&device, dx, shape.clone()))])
        })
    }

    /// The sum of the squares of all elements, a scalar.
    ///
    /// # Errors
    /// If the elements are not floats, or the device fails.
    pub fn square_sum(&self) -> Result<Self> {
        self.check_dtype("square_sum", "x", DType::F32)?;
        let y = reduce::square_sum(self.device(), self.buffer())?;
        let x = self.detach();
        Ok(Self::output(
            "square_sum",
            y,
            Shape::default(),
            &[self],
            move |dy| {
                let n = x.shape().elements();
                let dy = reduce::broadcast(x.device(), dy.buffer(), n, 2.0)?;
                let dx = elementwise::mul(x.device(), &dy, x.buffer())?;
                Ok(vec![Some(Self::constant(
                    x.device(),
                    dx,
                    x.shape().clone(),
                ))])
            },
        ))
    }
}
