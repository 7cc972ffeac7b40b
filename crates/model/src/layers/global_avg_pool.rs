//! `y[n, c] = mean over i, j of x[n, i, j, c]` (Lin et al. 2013, section 3.2).

use serde::{Deserialize, Serialize};
use tensor::{Shape, Tensor};

use super::{Context, Module, OnnxNode, OnnxValue, image};

/// The mean of each channel: an image becomes a vector, for dense layers, as Keras has it. [`super::AvgPoolTo::global`] keeps
/// an image of one pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalAvgPool {}

impl GlobalAvgPool {
    /// The layer; it has no settings.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl Module for GlobalAvgPool {
    fn kind(&self) -> &'static str {
        "global average-pool"
    }

    fn output(&self, input: &Shape) -> Result<Shape, String> {
        let [_, _, c] = image(input)?;
        Ok(Shape::from([c]))
    }

    fn forward(&self, x: &Tensor, _context: &Context<'_>) -> tensor::Result<Tensor> {
        let &[n, h, w, c] = &x.shape()[..] else {
            let expected = "[n, h, w, c]";
            return Err(tensor::Error::shape(
                "average-pool",
                "images",
                expected,
                x.shape(),
            ));
        };
        x.reshape([n, h * w, c])?.mean_axis(1)
    }

    fn onnx(&self, _input: &Shape, _output: &Shape) -> Result<Vec<OnnxNode>, String> {
        Ok(vec![
            OnnxNode::new("GlobalAveragePool"),
            OnnxNode::new("Flatten").with("axis", OnnxValue::Int(1)),
        ])
    }
}
