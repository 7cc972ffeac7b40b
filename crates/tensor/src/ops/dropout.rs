//! Dropout: `y = 0` with probability `rate`, else `x / (1 - rate)`; the gradient is the same on `dy`.

use kernels::ops::dropout::{self, Dropout};

use crate::error::Result;
use crate::tensor::{Element, Tensor};

impl Tensor {
    /// Sets elements to 0 with probability `rate` and scales the others by `1 / (1 - rate)`, in training. In evaluation
    /// dropout is the identity: do not call it.
    ///
    /// `stream` tells the dropouts of one network apart. step: `[8]` words, of which seed (low, high) and step number
    /// are read, in forward and again in backward.
    ///
    /// # Errors
    /// If `rate` is no probability, `self` is not float, `step` is not 8 words on the same device, or the device fails.
    pub fn dropout(&self, rate: f32, stream: u32, step: &Self) -> Result<Self> {
        self.check_float("dropout", "x")?;
        step.check_element("dropout", "step", Element::U32)?;
        step.check_device("dropout", "step", self)?;
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
