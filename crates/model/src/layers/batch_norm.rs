//! `y = gamma (x - mean) / sqrt(var + epsilon) + beta` for each channel: the batch's mean and variance in training, the running
//! ones in evaluation (Ioffe and Szegedy 2015).

use serde::{Deserialize, Serialize};
use tensor::ops::batch_norm::{BatchNorm as Constants, Momentum};
use tensor::{Shape, Tensor};

use super::parameter::{is_yes, yes};
use super::{Context, Module, OnnxLayout, OnnxNode, OnnxValue, Parameter, decimal};
use crate::init::Init;

/// Batch normalisation of each channel, with its running statistics.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNorm {
    epsilon: f32,
    /// The weight of the batch's value in the running one, or of the running one so far.
    momentum: Weight,
    unbiased: bool,
    /// Whether gamma is learnt; if not, it stays one.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    scaled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Weight {
    OfNew(f32),
    OfOld(f32),
}

impl BatchNorm {
    /// With PyTorch's constants: epsilon 1e-5, a tenth of the new in the running statistics, the unbiased variance.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            epsilon: 1e-5,
            momentum: Weight::OfNew(0.1),
            unbiased: true,
            scaled: true,
        }
    }

    /// With Keras' constants: epsilon 1e-3, 99 hundredths of the old in the running statistics, the biased variance.
    #[must_use]
    pub const fn keras() -> Self {
        Self {
            epsilon: 1e-3,
            momentum: Weight::OfOld(0.99),
            unbiased: false,
            scaled: true,
        }
    }

    /// Another constant beside the variance.
    #[must_use]
    pub const fn epsilon(mut self, epsilon: f32) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Another weight of the batch's statistics in the running ones: PyTorch's momentum.
    #[must_use]
    pub const fn momentum(mut self, of_new: f32) -> Self {
        self.momentum = Weight::OfNew(of_new);
        self
    }

    /// Without a learnt scale: gamma is a buffer of ones.
    #[must_use]
    pub const fn without_scale(mut self) -> Self {
        self.scaled = false;
        self
    }

    fn constants(self) -> Constants {
        Constants {
            momentum: match self.momentum {
                Weight::OfNew(weight) => Momentum::OfNew(weight),
                Weight::OfOld(weight) => Momentum::OfOld(weight),
            },
            epsilon: self.epsilon,
            is_unbiased: self.unbiased,
        }
    }
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self::new()
    }
}

impl Module for BatchNorm {
    fn kind(&self) -> &'static str {
        "batch norm"
    }

    fn output(&self, input: &Shape) -> Result<Shape, String> {
        Ok(input.clone())
    }

    fn parameters(&self, input: &Shape) -> Vec<Parameter> {
        let (_, channels) = input.rows_and_columns();
        let of = |name, value| Parameter::new(name, [channels], Init::Constant(value));
        let gamma = of("weight", 1.0);
        vec![
            if self.scaled { gamma } else { gamma.buffer() },
            of("bias", 0.0),
            of("running_mean", 0.0).buffer(),
            of("running_var", 1.0).buffer(),
        ]
    }

    fn forward(&self, x: &Tensor, context: &Context<'_>) -> tensor::Result<Tensor> {
        let [weight, bias, mean, variance] = context.parameters()?;
        let constants = self.constants();
        if !context.is_training() {
            return x.batch_norm_eval(&constants, [weight, bias], [mean, variance]);
        }
        if x.shape().rows_and_columns().0 == 1 {
            // Its mean is the value itself, so that nothing is left but beta.
            let expected = format!(
                "more than one value per channel at {}, as batch normalisation in training needs: a larger batch, or \
                 drop_last = true if it is the last of an epoch",
                context.layer()
            );
            return Err(tensor::Error::shape(
                "batch norm",
                "images",
                expected,
                x.shape(),
            ));
        }
        x.batch_norm(&constants, [weight, bias], [mean, variance])
    }

    fn settings(&self, _input: &Shape, _output: &Shape) -> Vec<(&'static str, f64)> {
        vec![("epsilon", decimal(self.epsilon))]
    }

    fn onnx(&self, _input: &Shape, _output: &Shape) -> Result<Vec<OnnxNode>, String> {
        Ok(vec![
            OnnxNode::new("BatchNormalization")
                .with("epsilon", OnnxValue::Float(self.epsilon))
                .taking(&[OnnxLayout::Features; 4]),
        ])
    }

    fn keras(&self) -> Option<&'static str> {
        Some("batch_normalization")
    }
}
