//! Means over windows that come out even: PyTorch's adaptive average-pooling.

use serde::{Deserialize, Serialize};
use tensor::ops::conv2d::{Padding, Window};
use tensor::{Shape, Tensor};

use super::{Context, Module, OnnxNode, OnnxValue, image, whole};

/// Average-pooling to this many rows and columns, each a multiple of which the image must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AvgPoolTo {
    size: usize,
}

impl AvgPoolTo {
    /// To `size` rows and columns.
    #[must_use]
    pub const fn new(size: usize) -> Self {
        Self { size }
    }

    /// Over the whole image: `[n, 1, 1, c]`.
    #[must_use]
    pub const fn global() -> Self {
        Self::new(1)
    }

    /// Rows and columns of a window.
    fn sides(&self, [height, width]: [usize; 2]) -> Result<[usize; 2], String> {
        let size = self.size;
        let fits = |side: usize| size != 0 && side != 0 && side.is_multiple_of(size);
        if !fits(height) || !fits(width) {
            return Err(format!(
                "it averages to {size}x{size} and needs a multiple of that"
            ));
        }
        Ok([height / size, width / size])
    }
}

impl Module for AvgPoolTo {
    fn kind(&self) -> &'static str {
        "average-pool"
    }

    fn output(&self, input: &Shape) -> Result<Shape, String> {
        let [h, w, c] = image(input)?;
        self.sides([h, w])?;
        Ok(Shape::from([self.size, self.size, c]))
    }

    fn forward(&self, x: &Tensor, context: &Context<'_>) -> tensor::Result<Tensor> {
        let shape = x.shape();
        let sides = self.sides([shape[1], shape[2]]);
        let size = sides.map_err(|reason| {
            let expected = format!("another size at {}: {reason}", context.layer());
            tensor::Error::shape("average-pool", "images", expected, shape)
        })?;
        let window = Window {
            size,
            stride: size,
            ..Window::new(1, 1, Padding::Valid)
        };
        x.avg_pool(&window, false)
    }

    fn settings(&self, input: &Shape, output: &Shape) -> Vec<(&'static str, f64)> {
        let side = whole(input[0] / output[0].max(1));
        vec![("window", side), ("stride", side)]
    }

    fn onnx(&self, input: &Shape, output: &Shape) -> Result<Vec<OnnxNode>, String> {
        let sides = OnnxValue::Ints(vec![input[0] / output[0], input[1] / output[1]]);
        Ok(vec![
            OnnxNode::new("AveragePool")
                .with("kernel_shape", sides.clone())
                .with("strides", sides),
        ])
    }
}
