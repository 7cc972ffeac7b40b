//! Batch normalisation along all dimensions but the last; the rule needs x and the statistics that forward took.

use kernels::ops::batch_norm::{self, Running};

pub use kernels::ops::batch_norm::{BatchNorm, Momentum};

use crate::error::{Error, Result};
use crate::tensor::{DType, Tensor};

const OP: &str = "batch_norm";

impl Tensor {
    /// Normalises the channels of `[.., channels]` by the batch's mean and variance, scales by `gamma` and adds `beta`, and moves the
    /// running statistics (`[mean, variance]`, all `[channels]`) towards the batch's, in place.
    ///
    /// # Errors
    /// If the shapes, devices or elements do not fit together, or the device fails.
    pub fn batch_norm(
        &self,
        spec: &BatchNorm,
        [gamma, beta]: [&Self; 2],
        running: [&Self; 2],
    ) -> Result<Self> {
        self.batch_norm_of(spec, [gamma, beta], running, true)
    }

    /// The same by the running statistics, which stay as they are: what evaluation does.
    ///
    /// # Errors
    /// As [`Tensor::batch_norm`].
    pub fn batch_norm_eval(
        &self,
        spec: &BatchNorm,
        [gamma, beta]: [&Self; 2],
        running: [&Self; 2],
    ) -> Result<Self> {
        self.batch_norm_of(spec, [gamma, beta], running, false)
    }

    fn batch_norm_of(
        &self,
        spec: &BatchNorm,
        [gamma, beta]: [&Self; 2],
        [mean, variance]: [&Self; 2],
        is_training: bool,
    ) -> Result<Self> {
        self.check_float(OP, "x")?;
        let (_, channels) = self.shape().rows_and_columns();
        let vectors = [
            ("gamma", gamma),
            ("beta", beta),
            ("running mean", mean),
            ("running variance", variance),
        ];
        for (argument, vector) in vectors {
            vector.check_dtype(OP, argument, DType::F32)?;
            vector.check_device(OP, argument, self)?;
            if vector.shape()[..] != [channels] {
                return Err(Error::shape(
                    OP,
                    argument,
                    format!("[{channels}]"),
                    vector.shape(),
                ));
            }
        }
        let running = Running {
            mean: mean.buffer(),
            variance: variance.buffer(),
        };
        let affine = [gamma.buffer(), beta.buffer()];
        let forward = if is_training {
            batch_norm::forward
        } else {
            batch_norm::eval_forward
        };
        let (y, statistics) = forward(self.device(), spec, self.buffer(), affine, running)?;
        let (device, x, gamma_kept) = (self.device().clone(), self.detach(), gamma.detach());
        let rule = move |dy: &Self| {
            let backward = if is_training {
                batch_norm::backward
            } else {
                batch_norm::eval_backward
            };
            let both = [x.buffer(), dy.buffer()];
            let gradients = backward(&device, both, &statistics, gamma_kept.buffer())?;
            Ok(vec![
                Some(Self::constant(&device, gradients.dx, x.shape().clone())),
                Some(Self::constant(&device, gradients.dgamma, [channels])),
                Some(Self::constant(&device, gradients.dbeta, [channels])),
            ])
        };
        Ok(Self::output(
            OP,
            y,
            self.shape().clone(),
            &[self, gamma, beta],
            rule,
        ))
    }
}
