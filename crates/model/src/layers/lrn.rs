//! `y = x (bias + alpha sum x^2)^-beta`, the sum over `2 radius + 1` neighbouring channels (Krizhevsky et al. 2012,
//! section 3.3).

use serde::{Deserialize, Serialize};
use tensor::ops::lrn::Lrn as Options;
use tensor::{Shape, Tensor};

use super::{Context, Module, OnnxNode, OnnxValue, decimal, whole};

/// Local response normalisation across channels. Alpha is on the raw sum, as in the paper and TensorFlow.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lrn {
    /// Channels to either side.
    pub radius: usize,
    /// The constant under the power (`k` in the paper).
    pub bias: f32,
    /// The factor of the sum of squares.
    pub alpha: f32,
    /// The power.
    pub beta: f32,
}

impl Lrn {
    /// The paper's constants, section 3.3: k = 2, n = 5, alpha = 1e-4, beta = .75.
    pub const PAPER: Self = Self {
        radius: 2,
        bias: 2.0,
        alpha: 1e-4,
        beta: 0.75,
    };
}

impl Module for Lrn {
    fn kind(&self) -> &'static str {
        "LRN"
    }

    fn output(&self, input: &Shape) -> Result<Shape, String> {
        Ok(input.clone())
    }

    fn forward(&self, x: &Tensor, _context: &Context<'_>) -> tensor::Result<Tensor> {
        x.lrn(&Options {
            radius_before: self.radius,
            radius_after: self.radius,
            bias: self.bias,
            alpha: self.alpha,
            beta: self.beta,
        })
    }

    fn settings(&self, _input: &Shape, _output: &Shape) -> Vec<(&'static str, f64)> {
        vec![
            ("radius", whole(self.radius)),
            ("bias", decimal(self.bias)),
            ("alpha", decimal(self.alpha)),
            ("beta", decimal(self.beta)),
        ]
    }

    /// ONNX divides alpha by the window, this project does not.
    fn onnx(&self, _input: &Shape, _output: &Shape) -> Result<Vec<OnnxNode>, String> {
        let size = 2 * self.radius + 1;
        let terms = f32::from(u16::try_from(size).unwrap_or(u16::MAX));
        Ok(vec![
            OnnxNode::new("LRN")
                .with("size", OnnxValue::Int(size))
                .with("alpha", OnnxValue::Float(self.alpha * terms))
                .with("beta", OnnxValue::Float(self.beta))
                .with("bias", OnnxValue::Float(self.bias)),
        ])
    }
}
