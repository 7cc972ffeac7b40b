//! The k largest elements along the last dimension. No gradient flows through it: it is for answers, not for training.

use kernels::ops::top_k as kernel;

use crate::error::Result;
use crate::shape::Shape;
use crate::tensor::{DType, Tensor};

impl Tensor {
    /// The `k` largest of each row of `self: [.., classes]` in falling order, and where they stand in it (`u32`): `[.., k]` both.
    /// Of equal ones the first comes first; a NaN comes before all.
    ///
    /// # Errors
    /// If the elements are not floats, `k` is 0 or more than the classes, or the device fails.
    pub fn top_k(&self, k: usize) -> Result<(Self, Self)> {
        self.check_dtype("top_k", "x", DType::F32)?;
        let (rows, classes) = self.shape().rows_and_columns();
        let device = self.device();
        let (values, indices) = kernel::forward(device, self.buffer(), [rows, classes], k)?;
        let mut shape = self.shape().to_vec();
        if let Some(last) = shape.last_mut() {
            *last = k;
        }
        let shape = Shape::from(shape);
        Ok((
            Self::constant(device, values, shape.clone()),
            Self::leaf(device, indices, shape, DType::U32),
        ))
    }
}
