//! `y[n, i, j, c] = max over k, l of x[n, s i + k - p, s j + l - p, c]`.

use serde::{Deserialize, Serialize};
use tensor::ops::conv2d::{Padding, Window};
use tensor::{Shape, Tensor};

use super::{Context, Module, OnnxNode, float_bytes, image, window};

/// Max-pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool {
    #[serde(with = "window")]
    window: Window,
}

impl MaxPool {
    /// A square window of side `size` that advances by `stride`, without padding.
    #[must_use]
    pub const fn new(size: usize, stride: usize) -> Self {
        Self {
            window: Window::new(size, stride, Padding::Valid),
        }
    }

    /// With windows that do not overlap: as large as their stride.
    #[must_use]
    pub(crate) const fn plain(mut self) -> Self {
        self.window.size = self.window.stride;
        self
    }

    /// TensorFlow's SAME padding.
    #[must_use]
    pub const fn same(mut self) -> Self {
        self.window.padding = Padding::Same;
        self
    }

    /// This much padding at each side, which is never the largest.
    #[must_use]
    pub const fn pad(mut self, pixels: usize) -> Self {
        self.window.padding = Padding::all(pixels);
        self
    }
}

impl Module for MaxPool {
    fn kind(&self) -> &'static str {
        "max-pool"
    }

    fn output(&self, input: &Shape) -> Result<Shape, String> {
        let [h, w, c] = image(input)?;
        let [h, w] = window::windows(&self.window, [h, w])?;
        Ok(Shape::from([h, w, c]))
    }

    fn forward(&self, x: &Tensor, _context: &Context<'_>) -> tensor::Result<Tensor> {
        x.max_pool(&self.window)
    }

    fn settings(&self, input: &Shape, _output: &Shape) -> Vec<(&'static str, f64)> {
        window::settings(&self.window, input)
    }

    /// Where each maximum was, too.
    fn kept_bytes(&self, output: &Shape) -> u64 {
        2 * float_bytes(output)
    }

    fn onnx(&self, input: &Shape, _output: &Shape) -> Result<Vec<OnnxNode>, String> {
        Ok(vec![window::onnx(
            OnnxNode::new("MaxPool"),
            &self.window,
            input,
        )?])
    }
}
