//! `y = (e^x - e^-x) / (e^x + e^-x)`.

use serde::{Deserialize, Serialize};
use tensor::{Shape, Tensor};

use super::{Context, Module, OnnxNode};

/// The hyperbolic tangent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tanh {}

impl Tanh {
    /// The layer; it has no settings.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl Module for Tanh {
    fn kind(&self) -> &'static str {
        "tanh"
    }

    fn output(&self, input: &Shape) -> Result<Shape, String> {
        Ok(input.clone())
    }

    fn forward(&self, x: &Tensor, _context: &Context<'_>) -> tensor::Result<Tensor> {
        x.tanh()
    }

    fn onnx(&self, _input: &Shape, _output: &Shape) -> Result<Vec<OnnxNode>, String> {
        Ok(vec![OnnxNode::new("Tanh")])
    }
}
