//! `y = 1 / (1 + e^-x)`.

use serde::{Deserialize, Serialize};
use tensor::{Shape, Tensor};

use super::{Context, Module, OnnxNode};

/// The logistic function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sigmoid {}

impl Sigmoid {
    /// The layer; it has no settings.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl Module for Sigmoid {
    fn kind(&self) -> &'static str {
        "sigmoid"
    }

    fn output(&self, input: &Shape) -> Result<Shape, String> {
        Ok(input.clone())
    }

    fn forward(&self, x: &Tensor, _context: &Context<'_>) -> tensor::Result<Tensor> {
        x.sigmoid()
    }

    fn onnx(&self, _input: &Shape, _output: &Shape) -> Result<Vec<OnnxNode>, String> {
        Ok(vec![OnnxNode::new("Sigmoid")])
    }
}
