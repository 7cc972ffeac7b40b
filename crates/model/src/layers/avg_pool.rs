//! `y[n, i, j, c] = mean over k, l of x[n, s i + k - p, s j + l - p, c]`.

use serde::{Deserialize, Serialize};
use tensor::ops::conv2d::{Padding, Window};
use tensor::{Shape, Tensor};

use super::{Context, Module, OnnxNode, OnnxValue, image, window};

/// Average-pooling. What is padding is left out of the means, as in Keras and ONNX, unless [`AvgPool::counts_padding`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AvgPool {
    #[serde(with = "window")]
    window: Window,
    counts_padding: bool,
}

impl AvgPool {
    /// A square window of side `size` that advances by `stride`, without padding.
    #[must_use]
    pub const fn new(size: usize, stride: usize) -> Self {
        Self {
            window: Window::new(size, stride, Padding::Valid),
            counts_padding: false,
        }
    }

    /// TensorFlow's SAME padding.
    #[must_use]
    pub const fn same(mut self) -> Self {
        self.window.padding = Padding::Same;
        self
    }

    /// This much padding at each side.
    #[must_use]
    pub const fn pad(mut self, pixels: usize) -> Self {
        self.window.padding = Padding::all(pixels);
        self
    }

    /// Padding counts as zeros in the means: PyTorch's default, `count_include_pad`.
    #[must_use]
    pub const fn counts_padding(mut self) -> Self {
        self.counts_padding = true;
        self
    }
}

impl Module for AvgPool {
    fn kind(&self) -> &'static str {
        "windowed average-pool"
    }

    fn output(&self, input: &Shape) -> Result<Shape, String> {
        let [h, w, c] = image(input)?;
        let [h, w] = window::windows(&self.window, [h, w])?;
        Ok(Shape::from([h, w, c]))
    }

    fn forward(&self, x: &Tensor, _context: &Context<'_>) -> tensor::Result<Tensor> {
        x.avg_pool(&self.window, self.counts_padding)
    }

    fn settings(&self, input: &Shape, _output: &Shape) -> Vec<(&'static str, f64)> {
        window::settings(&self.window, input)
    }

    fn onnx(&self, input: &Shape, _output: &Shape) -> Result<Vec<OnnxNode>, String> {
        let mut node = window::onnx(OnnxNode::new("AveragePool"), &self.window, input)?;
        // An attribute since opset 19 alone; it is 1.
        node.attributes.retain(|(name, _)| *name != "dilations");
        let counts = OnnxValue::Int(usize::from(self.counts_padding));
        Ok(vec![node.with("count_include_pad", counts)])
    }
}
