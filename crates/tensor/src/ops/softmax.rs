//! Softmax and log-softmax along the last dimension; the rules need what forward gave.

use kernels::ops::softmax::{self, Kind};

use crate::error::Result;
use crate::tensor::{DType, Tensor};

impl Tensor {
    /// The softmax of each row of `[.., classes]`.
    ///
    /// # Errors
    /// If the elements are not floats, there are no classes, or the device fails.
    pub fn softmax(&self) -> Result<Self> {
        self.softmax_of(Kind::Softmax, "softmax")
    }

    /// The logarithm of the softmax of each row of `[.., classes]`.
    ///
    /// # Errors
    /// As [`Tensor::softmax`].
    pub fn log_softmax(&self) -> Result<Self> {
        self.softmax_of(Kind::LogSoftmax, "log_softmax")
    }

    fn softmax_of(&self, kind: Kind, op: &'static str) -> Result<Self> {
        self.check_dtype(op, "x", DType::F32)?;
        let (_, classes) = self.shape().rows_and_columns();
        let y = softmax::forward(self.device(), kind, self.buffer(), classes)?;
        let (device, kept, shape) = (self.device().clone(), y.clone(), self.shape().clone());
        Ok(Self::output(
            op,
            y,
            self.shape().clone(),
            &[self],
            move |dy| {
                let dx = softmax::backward(&device, kind, dy.buffer(), &kept, classes)?;
                Ok(vec![Some(Self::constant(&device, dx, shape.clone()))])
            },
        ))
    }
}
