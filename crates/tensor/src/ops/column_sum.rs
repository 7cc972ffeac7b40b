//! Sums over rows: `y_j = sum over i of x_ij`, `dx_ij = dy_j`.

use kernels::ops::{column_sum, reduce};

use crate::error::Result;
use crate::tensor::{DType, Tensor};

impl Tensor {
    /// The sums of the columns of `self: [.., columns]`, as `[columns]`.
    ///
    /// # Errors
    /// If the elements are not floats, or the device fails.
    pub fn column_sum(&self) -> Result<Self> {
        self.check_dtype("column_sum", "x", DType::F32)?;
        let (rows, columns) = self.shape().rows_and_columns();
        let y = column_sum::forward(self.device(), self.buffer(), rows, columns)?;
        let (device, shape) = (self.device().clone(), self.shape().clone());
        Ok(Self::output(
            "column_sum",
            y,
            [columns],
            &[self],
            move |dy| {
                let dx = reduce::broadcast(&device, dy.buffer(), shape.elements(), 1.0)?;
                Ok(vec![Some(Self::constant(&device, dx, shape.clone()))])
            },
        ))
    }
}
