//! `y_ij = x_ij + b_j`; `dx = dy`, `db` = column sums of `dy`. With ReLU both where `y > 0`.

use kernels::Activation;
use kernels::ops::bias;

use crate::error::{Error, Result};
use crate::tensor::{DType, Tensor};

impl Tensor {
    /// `self + bias` for `self: [.., c]` and `bias: [c]`, then the activation. Layers have it built in
    /// ([`Tensor::linear`], [`Tensor::conv2d`]).
    ///
    /// # Errors
    /// If the shapes do not fit together, the devices or dtypes differ, or the device fails.
    pub fn add_bias(&self, bias: &Self, activation: Activation) -> Result<Self> {
        const OP: &str = "bias";
        for (argument, tensor) in [("x", self), ("bias", bias)] {
            tensor.check_dtype(OP, argument, DType::F32)?;
            tensor.check_device(OP, argument, self)?;
        }
        let (_, columns) = self.shape().rows_and_columns();
        if bias.shape()[..] != [columns] {
            let expected = format!("[{columns}] for x {}", self.shape());
            return Err(Error::shape(OP, "bias", expected, bias.shape()));
        }
        let y = bias::forward(self.device(), self.buffer(), bias.buffer(), activation)?;
        let (device, shape) = (self.device().clone(), self.shape().clone());
        let output = (activation == Activation::Relu).then(|| y.clone());
        Ok(Self::output(
            OP,
            y,
            self.shape().clone(),
            &[self, bias],
            move |dy| {
                let (dx, db) = bias::backward(&device, dy.buffer(), output.as_ref(), columns)?;
                Ok(vec![
                    Some(Self::constant(&device, dx, shape.clone())),
                    Some(Self::constant(&device, db, [columns])),
                ])
            },
        ))
    }
}
