//! `y[n, o] = b[o] + sum over i of x[n, i] w[i, o]`, a ReLU behind it if asked for.

use serde::{Deserialize, Serialize};
use tensor::{Activation, Shape, Tensor};

use super::parameter::{is_yes, weight_and_bias, yes};
use super::{Context, Fans, Module, OnnxLayout, OnnxNode, Parameter, whole};
use crate::init::Init;

/// A dense layer with a bias unless it says otherwise, and a ReLU where it says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    units: usize,
    relu: bool,
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    biased: bool,
    #[serde(rename = "weight_init")]
    weight: Init,
    #[serde(rename = "bias_init")]
    bias: Init,
}

impl Dense {
    /// `units` units without ReLU, He-normal, biases zero.
    #[must_use]
    pub const fn new(units: usize) -> Self {
        Self {
            units,
            relu: false,
            biased: true,
            weight: Init::HeNormal,
            bias: Init::Constant(0.0),
        }
    }

    /// With a ReLU behind it.
    #[must_use]
    pub const fn relu(mut self) -> Self {
        self.relu = true;
        self
    }

    /// Without a bias.
    #[must_use]
    pub const fn without_bias(mut self) -> Self {
        self.biased = false;
        self
    }

    /// Whether a ReLU is behind it.
    pub(crate) const fn has_relu(&self) -> bool {
        self.relu
    }

    /// Without a ReLU behind it.
    #[must_use]
    pub(crate) const fn without_relu(mut self) -> Self {
        self.relu = false;
        self
    }

    /// Its initial weights and biases.
    pub(crate) const fn inits(&self) -> [Init; 2] {
        [self.weight, self.bias]
    }

    /// Other initial weights and biases.
    #[must_use]
    pub const fn init(mut self, weight: Init, bias: Init) -> Self {
        self.weight = weight;
        self.bias = bias;
        self
    }
}

impl Module for Dense {
    fn kind(&self) -> &'static str {
        "dense"
    }

    fn output(&self, input: &Shape) -> Result<Shape, String> {
        match **input {
            [_] => Ok(Shape::from([self.units])),
            _ => Err("it needs a flat input".to_owned()),
        }
    }

    fn parameters(&self, input: &Shape) -> Vec<Parameter> {
        let (fan_in, fan_out) = (input.elements(), self.units);
        let shape = Shape::from([fan_in, fan_out]);
        let fans = Fans { fan_in, fan_out };
        let mut own = weight_and_bias(shape, fan_out, fans, [self.weight, self.bias]);
        own.truncate(1 + usize::from(self.biased));
        own
    }

    fn forward(&self, x: &Tensor, context: &Context<'_>) -> tensor::Result<Tensor> {
        let (weight, bias) = context.weight_and_bias(self.biased)?;
        let weight = context.weight(weight, x)?;
        x.linear(&weight, bias, Activation::relu_if(self.relu))
    }

    fn activation(&self) -> Option<&'static str> {
        self.relu.then_some("ReLU")
    }

    fn settings(&self, _input: &Shape, _output: &Shape) -> Vec<(&'static str, f64)> {
        let bias = (!self.biased).then_some(("bias", 0.0));
        std::iter::once(("units", whole(self.units)))
            .chain(bias)
            .collect()
    }

    fn flops(&self, input: &Shape, _output: &Shape) -> u64 {
        2 * input.elements() as u64 * self.units as u64
    }

    fn onnx(&self, _input: &Shape, _output: &Shape) -> Result<Vec<OnnxNode>, String> {
        let taken = &[OnnxLayout::Rows, OnnxLayout::Same][..1 + usize::from(self.biased)];
        let gemm = OnnxNode::new("Gemm").taking(taken);
        let relu = self.relu.then(|| OnnxNode::new("Relu"));
        Ok(std::iter::once(gemm).chain(relu).collect())
    }

    fn keras(&self) -> Option<&'static str> {
        Some("dense")
    }
}
