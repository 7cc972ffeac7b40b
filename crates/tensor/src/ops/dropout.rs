//! Dropout: `y = 0` with probability `rate`, else `x / (1 - rate)`; the gradient is the same on `dy`.

use kernels::ops::dropout::{self, Dropout};

use crate::error::Result;
use crate::random::Rng;
use crate::tensor::Tensor;

impl Tensor {
    /// Sets elements to 0 with probability `rate` and scales the others by `1 / (1 - rate)`, in training. In evaluation
    /// dropout is the identity: do not call it.
    ///
    /// `rng` is a stream that no other dropout of the network draws from. It is read in forward and again in backward, so the
    /// step's number stays as it is in between.
    ///
    /// # Errors
    /// If `rate` is not a probability, `self` is not float, `rng` is on another device, or the device fails.
    pub fn dropout(&self, rate: f32, rng: &Rng) -> Result<Self> {
        self.check_float("dropout", "x")?;
        let (stream, step) = (rng.number(), rng.step());
        step.check_device("dropout", "rng", self)?;
        let spec = Dropout { rate, stream };
        let y = dropout::forward(self.device(), &spec, self.buffer(), step.buffer())?;
        let (device, step, shape) = (self.device().clone(), step.clone(), self.shape().clone());
        Ok(Self::output(
            "dropout",
            y,
            self.shape().clone(),
            &[self],
            move |dy| {
                let dx = dropout::backward(&device, &spec, dy.buffer(), step.buffer())?;
                Ok(vec![Some(Self::constant(&device, dx, shape.clone()))])
            },
        ))
    }
}
