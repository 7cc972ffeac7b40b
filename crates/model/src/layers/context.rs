//! What a layer is given when it runs, beside its input.

use tensor::{Shape, Tensor};

/// A layer's weights, and whether it is training.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub(crate) layer: &'a str,
    pub(crate) parameters: &'a [(String, Tensor)],
    /// Keeps the layer's random numbers apart from those of others.
    pub(crate) stream: u32,
    /// The words of the training step; none in evaluation.
    pub(crate) step: Option<&'a Tensor>,
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

    /// The same for a part of the layer: a module within it, whose parameters are `n` from number `first` on.
    #[must_use]
    pub fn part(&self, first: usize, n: usize) -> Self {
        let parameters = self.parameters.get(first..).unwrap_or_default();
        Self {
            parameters: parameters.get(..n).unwrap_or_default(),
            ..*self
        }
    }

    /// The weight as products take it: in the floats that the batch is of.
    ///
    /// # Errors
    /// If the device fails.
    pub fn weight(&self, weight: &Tensor, batch: &Tensor) -> tensor::Result<Tensor> {
        weight.cast(batch.element())
    }

    /// Whether this is a step of training: batch normalisation takes the batch's statistics, dropout is on.
    #[must_use]
    pub fn is_training(&self) -> bool {
        self.step.is_some()
    }

    /// `x` with a share of it switched off and the rest scaled up, in training alone.
    ///
    /// # Errors
    /// If the device fails.
    pub fn dropout(&self, x: &Tensor, share: f32) -> tensor::Result<Tensor> {
        match self.step {
            Some(step) if share > 0.0 => x.dropout(share, self.stream, step),
            _ => Ok(x.clone()),
        }
    }
}
