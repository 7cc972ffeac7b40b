//! A batch on the device: what is written before each replay of a captured step, and the network's input made from it.

use data::Batch;
use tensor::pixels::{Augment, Crop, augment};
use tensor::update::{StepBuffer, StepScalars};
use tensor::{Device, Element, Tensor};

use crate::recipe::ImagesRecipe;

/// The device's side of a batch, and of what changes from step to step.
#[derive(Debug)]
pub(crate) struct Input {
    pixels: Tensor,
    labels: Tensor,
    samples: Tensor,
    step: StepBuffer,
}

impl Input {
    pub(crate) fn new(
        device: &Device,
        n: usize,
        [height, width]: [usize; 2],
    ) -> tensor::Result<Self> {
        let words = |n: usize| Tensor::empty(device, [n], Element::U32);
        Ok(Self {
            pixels: Tensor::empty(device, [n, height, width, data::CHANNELS], Element::U8)?,
            labels: words(n)?,
            samples: words(n)?,
            step: StepBuffer::new(device, &StepScalars::new(0, 1, 0.0))?,
        })
    }

    /// Copies a batch over.
    pub(crate) fn write(&self, batch: &Batch) -> tensor::Result<()> {
        self.pixels.write(&batch.pixels)?;
        self.labels.write(&batch.labels)?;
        self.samples.write(&batch.samples)
    }

    pub(crate) fn labels(&self) -> &Tensor {
        &self.labels
    }

    pub(crate) fn step(&self) -> &StepBuffer {
        &self.step
    }

    /// `[n, size, size, 3]` for a training step: cropped and mirrored at random, as the recipe says.
    pub(crate) fn for_training(
        &self,
        recipe: &ImagesRecipe,
        size: usize,
    ) -> tensor::Result<Tensor> {
        let plain = self.plain(recipe, size);
        let spec = Augment {
            crop: if recipe.pad > 0 {
                Crop::Random {
                    resized: [size; 2],
                    pad: recipe.pad,
                }
            } else {
                plain.crop
            },
            flip: if recipe.flip { 0.5 } else { 0.0 },
            ..plain
        };
        augment(&spec, &self.pixels, &self.samples, &self.step)
    }

    /// `[n, size, size, 3]` for an evaluation: resized and normalised, nothing random.
    pub(crate) fn for_evaluation(
        &self,
        recipe: &ImagesRecipe,
        size: usize,
    ) -> tensor::Result<Tensor> {
        let spec = self.plain(recipe, size);
        augment(&spec, &self.pixels, &self.samples, &self.step)
    }

    fn plain(&self, recipe: &ImagesRecipe, size: usize) -> Augment {
        let shape = self.pixels.shape();
        Augment::plain(
            [shape[1], shape[2]],
            [size; 2],
            recipe.mean,
            recipe.deviation,
        )
    }
}
