//! In training `y = x m / (1 - rate)` with `m` zero for a share `rate` of the units, else `y = x` (Srivastava et al. 2014,
//! section 10; Krizhevsky et al. 2012, section 4.2).

use serde::{Deserialize, Serialize};
use tensor::{Shape, Tensor};

use super::{Context, Module, OnnxNode, decimal};

/// Dropout at this rate, in training only; the units that are kept are scaled up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    rate: f32,
}

impl Dropout {
    /// Zeroes this share of the units, in `[0, 1)`.
    #[must_use]
    pub const fn new(rate: f32) -> Self {
        Self { rate }
    }
}

impl Module for Dropout {
    fn kind(&self) -> &'static str {
        "dropout"
    }

    fn output(&self, input: &Shape) -> Result<Shape, String> {
        if !(0.0..1.0).contains(&self.rate) {
            return Err(format!("its rate of {} is not in [0, 1)", self.rate));
        }
        Ok(input.clone())
    }

    fn forward(&self, x: &Tensor, context: &Context<'_>) -> tensor::Result<Tensor> {
        context.dropout(x, self.rate)
    }

    fn settings(&self, _input: &Shape, _output: &Shape) -> Vec<(&'static str, f64)> {
        vec![("rate", decimal(self.rate))]
    }

    fn onnx(&self, _input: &Shape, _output: &Shape) -> Result<Vec<OnnxNode>, String> {
        Ok(Vec::new())
    }

    /// Keras' layer keeps the state of its random generator.
    fn keras(&self) -> Option<&'static str> {
        Some("dropout")
    }
}
