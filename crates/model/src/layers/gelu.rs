//! `y = x (1 + erf(x / sqrt 2)) / 2` (Hendrycks and Gimpel 2016).

use serde::{Deserialize, Serialize};
use tensor::{Shape, Tensor};

use super::{Context, Module, OnnxNode};

/// The Gaussian error linear unit, `x P(X <= x)` for a standard normal `X`: the exact form, PyTorch's and Keras' default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gelu {}

impl Gelu {
    /// The layer; it has no settings.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl Module for Gelu {
    fn kind(&self) -> &'static str {
        "GELU"
    }

    fn output(&self, input: &Shape) -> Result<Shape, String> {
        Ok(input.clone())
    }

    fn forward(&self, x: &Tensor, _context: &Context<'_>) -> tensor::Result<Tensor> {
        x.gelu()
    }

    /// The operator came with opset 20.
    fn onnx(&self, _input: &Shape, _output: &Shape) -> Result<Vec<OnnxNode>, String> {
        Ok(vec![OnnxNode::new("Gelu").since(20)])
    }
}
