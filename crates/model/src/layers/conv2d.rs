//! `y[n, i, j, o] = b[o] + sum over k, l, c of x[n, s i + k - p, s j + l - p, c] w[k, l, c, o]`, a ReLU behind it if asked for.

use serde::{Deserialize, Serialize};
use tensor::ops::conv2d::{Conv2dOptions, Padding, Window};
use tensor::{Activation, Shape, Tensor};

use super::parameter::{is_yes, weight_and_bias, yes};
use super::{
    Context, Fans, Module, OnnxLayout, OnnxNode, OnnxValue, Parameter, image, whole, window,
};
use crate::init::Init;

/// A convolution with a bias unless it says otherwise, and a ReLU where it says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2d {
    filters: usize,
    #[serde(with = "window")]
    window: Window,
    groups: usize,
    relu: bool,
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    biased: bool,
    #[serde(rename = "weight_init")]
    weight: Init,
    #[serde(rename = "bias_init")]
    bias: Init,
}

impl Conv2d {
    /// `filters` square filters of side `size`, stride 1, no padding, one group, no ReLU, He-normal, biases zero.
    #[must_use]
    pub const fn new(filters: usize, size: usize) -> Self {
        Self {
            filters,
            window: Window::new(size, 1, Padding::Valid),
            groups: 1,
            relu: false,
            biased: true,
            weight: Init::HeNormal,
            bias: Init::Constant(0.0),
        }
    }

    /// Places between windows, down and across.
    #[must_use]
    pub const fn stride(mut self, stride: usize) -> Self {
        self.window.stride = [stride; 2];
        self
    }

    /// This many zeros at each side.
    #[must_use]
    pub const fn pad(mut self, pixels: usize) -> Self {
        self.window.padding = Padding::all(pixels);
        self
    }

    /// TensorFlow's SAME padding: at stride 1 the output is as large as the input.
    #[must_use]
    pub const fn same(mut self) -> Self {
        self.window.padding = Padding::Same;
        self
    }

    /// Any window: not square, dilated, padded otherwise.
    #[must_use]
    pub const fn window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }

    /// Groups of channels and filters that see nothing of each other.
    #[must_use]
    pub const fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// With a ReLU behind it.
    #[must_use]
    pub const fn relu(mut self) -> Self {
        self.relu = true;
        self
    }

    /// Without a bias: before a batch normalisation, which takes any constant away.
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

impl Module for Conv2d {
    fn kind(&self) -> &'static str {
        "convolution"
    }

    fn output(&self, input: &Shape) -> Result<Shape, String> {
        let [h, w, c] = image(input)?;
        let divides = |n: usize| self.groups != 0 && n.is_multiple_of(self.groups);
        if !divides(c) || !divides(self.filters) {
            return Err(format!(
                "its {} groups do not divide the channels",
                self.groups
            ));
        }
        if self.window.is_ceil {
            return Err("its windows reach beyond the image".to_owned());
        }
        let [h, w] = window::windows(&self.window, [h, w])?;
        Ok(Shape::from([h, w, self.filters]))
    }

    fn parameters(&self, input: &Shape) -> Vec<Parameter> {
        let (_, channels) = input.rows_and_columns();
        let inputs = channels / self.groups;
        let [height, width] = self.window.size;
        let area = height.saturating_mul(width);
        let fans = Fans {
            fan_in: area.saturating_mul(inputs),
            fan_out: area.saturating_mul(self.filters) / self.groups,
        };
        let shape = Shape::from([height, width, inputs, self.filters]);
        let mut own = weight_and_bias(shape, self.filters, fans, [self.weight, self.bias]);
        own.truncate(1 + usize::from(self.biased));
        own
    }

    fn forward(&self, x: &Tensor, context: &Context<'_>) -> tensor::Result<Tensor> {
        let (weight, bias) = context.weight_and_bias(self.biased)?;
        let weight = context.weight(weight, x)?;
        let options = Conv2dOptions::of(&self.window)
            .groups(self.groups)
            .activation(Activation::relu_if(self.relu));
        x.conv2d(&weight, bias, &options)
    }

    fn activation(&self) -> Option<&'static str> {
        self.relu.then_some("ReLU")
    }

    fn settings(&self, input: &Shape, _output: &Shape) -> Vec<(&'static str, f64)> {
        let mut numbers = vec![("filters", whole(self.filters))];
        numbers.extend(window::settings(&self.window, input));
        numbers.push(("groups", whole(self.groups)));
        if !self.biased {
            numbers.push(("bias", 0.0));
        }
        numbers
    }

    fn flops(&self, input: &Shape, output: &Shape) -> u64 {
        let weights: usize = self.parameters(input)[0].shape.elements();
        2 * weights as u64 * (output[0] * output[1]) as u64
    }

    fn onnx(&self, input: &Shape, _output: &Shape) -> Result<Vec<OnnxNode>, String> {
        let conv = window::onnx(OnnxNode::new("Conv"), &self.window, input)?
            .with("group", OnnxValue::Int(self.groups))
            .taking(&[OnnxLayout::Filters, OnnxLayout::Same][..1 + usize::from(self.biased)]);
        let relu = self.relu.then(|| OnnxNode::new("Relu"));
        Ok(std::iter::once(conv).chain(relu).collect())
    }

    fn keras(&self) -> Option<&'static str> {
        Some("conv2d")
    }
}
