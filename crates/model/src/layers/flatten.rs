//! `[n, h, w, c]` to `[n, h w c]`.

use serde::{Deserialize, Serialize};
use tensor::{Shape, Tensor};

use super::{Context, Module, OnnxNode, OnnxValue};

/// Images to vectors, for dense layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {}

impl Flatten {
    /// The layer; it has no settings.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl Module for Flatten {
    fn kind(&self) -> &'static str {
        "flatten"
    }

    fn output(&self, input: &Shape) -> Result<Shape, String> {
        Ok(Shape::from([input.elements()]))
    }

    fn forward(&self, x: &Tensor, _context: &Context<'_>) -> tensor::Result<Tensor> {
        let n = x.shape()[0];
        x.reshape([n, x.shape().elements() / n.max(1)])
    }

    /// The same memory under another shape.
    fn kept_bytes(&self, _output: &Shape) -> u64 {
        0
    }

    fn gradient_bytes(&self, _output: &Shape) -> u64 {
        0
    }

    fn onnx(&self, _input: &Shape, _output: &Shape) -> Result<Vec<OnnxNode>, String> {
        Ok(vec![
            OnnxNode::new("Flatten").with("axis", OnnxValue::Int(1)),
        ])
    }
}
