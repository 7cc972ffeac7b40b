//! `y = slope x` where `x <= 0`, else `x` (Maas et al. 2013).

use serde::{Deserialize, Serialize};
use tensor::{Shape, Tensor};

use super::{Context, Module, OnnxNode, OnnxValue, decimal};

/// A ReLU with a slope below 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeakyRelu {
    slope: f32,
}

impl LeakyRelu {
    /// With this slope below 0, in `[0, 1]`: PyTorch's default is 0.01, Keras' 0.3.
    #[must_use]
    pub const fn new(slope: f32) -> Self {
        Self { slope }
    }
}

impl Default for LeakyRelu {
    fn default() -> Self {
        Self::new(0.01)
    }
}

impl Module for LeakyRelu {
    fn kind(&self) -> &'static str {
        "leaky ReLU"
    }

    fn output(&self, input: &Shape) -> Result<Shape, String> {
        if !(0.0..=1.0).contains(&self.slope) {
            return Err(format!("its slope of {} is not in [0, 1]", self.slope));
        }
        Ok(input.clone())
    }

    fn forward(&self, x: &Tensor, _context: &Context<'_>) -> tensor::Result<Tensor> {
        x.leaky_relu(self.slope)
    }

    fn settings(&self, _input: &Shape, _output: &Shape) -> Vec<(&'static str, f64)> {
        vec![("slope", decimal(self.slope))]
    }

    fn onnx(&self, _input: &Shape, _output: &Shape) -> Result<Vec<OnnxNode>, String> {
        let alpha = OnnxValue::Float(self.slope);
        Ok(vec![OnnxNode::new("LeakyRelu").with("alpha", alpha)])
    }
}
