//! `y = factor x`: smaller logits make a softer softmax, and its gradients smaller.

use serde::{Deserialize, Serialize};
use tensor::{Shape, Tensor};

use super::{Context, Module, OnnxNode, decimal};

/// Multiplies by a constant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    factor: f32,
}

impl Scale {
    /// By this factor, a finite number other than 0.
    #[must_use]
    pub const fn new(factor: f32) -> Self {
        Self { factor }
    }
}

impl Module for Scale {
    fn kind(&self) -> &'static str {
        "scale"
    }

    fn output(&self, input: &Shape) -> Result<Shape, String> {
        if self.factor == 0.0 || !self.factor.is_finite() {
            let factor = self.factor;
            return Err(format!("its factor of {factor} is 0 or not finite"));
        }
        Ok(input.clone())
    }

    fn forward(&self, x: &Tensor, _context: &Context<'_>) -> tensor::Result<Tensor> {
        x.scale(self.factor)
    }

    fn settings(&self, _input: &Shape, _output: &Shape) -> Vec<(&'static str, f64)> {
        vec![("factor", decimal(self.factor))]
    }

    /// The backward pass needs the factor alone.
    fn kept_bytes(&self, _output: &Shape) -> u64 {
        0
    }

    fn onnx(&self, _input: &Shape, _output: &Shape) -> Result<Vec<OnnxNode>, String> {
        Ok(vec![OnnxNode::new("Mul").by(self.factor)])
    }
}
