//! What a layer is given when it runs, beside its input.

use tensor::random::Rng;
use tensor::{Shape, Tensor};

/// A layer's weights, and whether it is training.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    pub(crate) layer: &'a str,
    pub(crate) parameters: &'a [(String, Tensor)],
    /// The layer's random numbers in a step of training; none in evaluation.
    pub(crate) rng: Option<Rng>,
}

impl<'a> Context<'a> {
    /// The layer's name.
    #[must_use]
    pub fn layer(&self) -> &'a str {
        self.layer
    }

    /// The tensors that [`super::Module::parameters`] asked for, in that order.
    ///
    /// # Errors
    /// [`tensor::Error`] if it asked for another number of them.
    pub fn parameters<const N: usize>(&self) -> tensor::Result<[&'a Tensor; N]> {
        let tensors: Vec<_> = self.parameters.iter().map(|(_, tensor)| tensor).collect();
        let n = tensors.len();
        <[&Tensor; N]>::try_from(tensors).map_err(|_other| {
            let expected = format!("{N} of layer {}", self.layer);
            tensor::Error::shape("layer", "parameters", expected, &Shape::from([n]))
        })
    }

    /// A weight, and the bias behind it if the layer has one.
    pub(super) fn weight_and_bias(
        &self,
        is_biased: bool,
    ) -> tensor::Result<(&'a Tensor, Option<&'a Tensor>)> {
        if is_biased {
            let [weight, bias] = self.parameters()?;
            return Ok((weight, Some(bias)));
        }
        let [weight] = self.parameters()?;
        Ok((weight, None))
    }

    /// The same for a part of the layer: a module within it, whose parameters are `n` from number `first` on.
    #[must_use]
    pub fn part(&self, first: usize, n: usize) -> Self {
        let parameters = self.parameters.get(first..).unwrap_or_default();
        Self {
            parameters: parameters.get(..n).unwrap_or_default(),
            ..self.clone()
        }
    }

    /// The weight as products take it: in the floats that the batch is of.
    ///
    /// # Errors
    /// If the device fails.
    pub fn weight(&self, weight: &Tensor, batch: &Tensor) -> tensor::Result<Tensor> {
        weight.cast(batch.dtype())
    }

    /// Whether this is a step of training: batch normalisation takes the batch's statistics, dropout is on.
    #[must_use]
    pub fn is_training(&self) -> bool {
        self.rng.is_some()
    }

    /// The layer's random numbers in this step of training, which no other layer draws; none in evaluation.
    #[must_use]
    pub fn rng(&self) -> Option<&Rng> {
        self.rng.as_ref()
    }

    /// `x` after dropout, in training only.
    ///
    /// # Errors
    /// If the device fails.
    pub fn dropout(&self, x: &Tensor, share: f32) -> tensor::Result<Tensor> {
        match &self.rng {
            Some(rng) if share > 0.0 => x.dropout(share, rng),
            _ => Ok(x.clone()),
        }
    }
}
