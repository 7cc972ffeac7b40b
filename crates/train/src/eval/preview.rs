//! A look at single images: a network's predictions, its activations, and augmented versions of one. Not
//! for scores over a split, which are the evaluator's.

use data::{Batch, Images, PrincipalComponents};
use model::Network;
use tensor::pixels::{Augment, ColourShift, augment};
use tensor::update::{StepBuffer, StepScalars};
use tensor::{Device, Tensor, no_grad};

use crate::error::{Error, Result};
use crate::recipe::{Recipe, Tta};
use crate::step::input::Input;

/// The standard deviation of colour shifts that are looked at: ten times the paper's (Krizhevsky et al. 2012, section 4.1), whose
/// shifts are too small for the eye.
const SHIFT_STD: f32 = 1.0;

/// A network, and images prepared as a recipe says.
#[derive(Debug)]
pub struct Preview<'a> {
    network: &'a Network,
    recipe: &'a Recipe,
    images: &'a Images,
}

/// The activations of a layer for an image.
#[derive(Clone, Debug)]
pub struct Activations {
    /// `[h, w, c]`, or `[units]`.
    pub shape: Vec<usize>,
    /// In that order.
    pub values: Vec<f32>,
}

impl<'a> Preview<'a> {
    /// Looks at `images` through `network`.
    ///
    /// ```
    /// use model::{Architecture, Network, layers::{Dense, Flatten}};
    ///
    /// let layers = vec![Flatten::new().into(), Dense::new(10).into()];
    /// let architecture = Architecture::from_layers("linear", [32, 32, 3], layers)?;
    /// let network = Network::new(architecture, 1, &tensor::Device::cpu())?;
    /// let images = data::Shapes10::default().with_sizes(20, 1, 1).generate()?.train;
    /// let recipe = train::Recipe::named("shapes10")?;
    /// let probabilities = train::Preview::new(&network, &recipe, &images).probabilities(&[0, 7])?;
    /// assert_eq!(probabilities.len(), 2 * 10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(network: &'a Network, recipe: &'a Recipe, images: &'a Images) -> Self {
        Self {
            network,
            recipe,
            images,
        }
    }

    fn device(&self) -> &Device {
        self.network.device()
    }

    fn size(&self) -> [usize; 2] {
        let [height, width, _] = self.network.architecture().input();
        [height, width]
    }

    /// These images on the device.
    fn input(&self, samples: &[u32]) -> Result<Input> {
        let batch = batch(self.images, samples)?;
        let input = Input::new(self.device(), samples.len(), self.images.shape())?;
        input.write(&batch)?;
        Ok(input)
    }

    /// The network's input, as one plain view for each image.
    fn evaluated(&self, input: &Input) -> Result<Tensor> {
        let (images, resize) = (&self.recipe.images, self.recipe.evaluation.resize);
        let views = input.for_evaluation(images, resize, Tta::None, self.size())?;
        let plain = views
            .first()
            .ok_or_else(|| Error::setting("tta", "at least one view of an image", "none"))?;
        Ok(input.images(&plain.spec)?)
    }

    /// The class probabilities `[n, classes]` for each of `samples`.
    ///
    /// # Errors
    /// If an image can't be read, or the device fails.
    pub fn probabilities(&self, samples: &[u32]) -> Result<Vec<f32>> {
        let mut all = Vec::new();
        for part in samples.chunks(self.recipe.evaluation_batch_size) {
            let input = self.input(part)?;
            let x = self.evaluated(&input)?;
            let y = no_grad(|| self.network.forward(&x, model::Mode::Eval)?.softmax())?;
            all.extend(y.to_vec::<f32>()?);
        }
        Ok(all)
    }

    /// The activations of layer number `layer` for one image.
    ///
    /// # Errors
    /// As [`Preview::probabilities`].
    pub fn activations(&self, sample: u32, layer: usize) -> Result<Activations> {
        let input = self.input(&[sample])?;
        let x = self.evaluated(&input)?;
        let y = no_grad(|| self.network.activations(&x, layer))?;
        Ok(Activations {
            shape: y.shape()[1..].to_vec(),
            values: y.to_vec()?,
        })
    }

    /// `n` augmented versions of one image, bytes `[n, height, width, c]` as the images have them.
    ///
    /// # Errors
    /// As [`Preview::probabilities`].
    pub fn augmented(&self, sample: u32, n: usize) -> Result<Vec<u8>> {
        let input = Input::new(self.device(), n, self.images.shape())?;
        input.write(&self.versions(sample, n)?)?;
        let scalars = StepScalars::new(self.recipe.seed, 1, 0.0);
        input.step().write(&scalars)?;
        let spec = input.for_training(&self.recipe.images, self.size())?;
        self.to_pixels(&input.images(&spec)?)
    }

    /// `n` versions of one image whose colours are shifted along these principal components, ten times as far as the paper
    /// does: bytes `[n, height, width, c]`. For images with colours.
    ///
    /// # Errors
    /// As [`Preview::probabilities`].
    pub fn colour_shifted(
        &self,
        sample: u32,
        n: usize,
        principal: &PrincipalComponents,
    ) -> Result<Vec<u8>> {
        let ([mean, std], size) = (self.recipe.images.normalisation()?, self.size());
        #[expect(clippy::cast_possible_truncation, reason = "shares of a colour")]
        let component =
            |row: usize, i: usize| (principal.vectors[i][row] * principal.values[i]) as f32;
        let components = [0, 1, 2].map(|row| [0, 1, 2].map(|i| component(row, i)));
        let spec = Augment {
            colour_shift: Some(ColourShift {
                components,
                std: SHIFT_STD,
            }),
            ..Augment::plain(self.images.size(), size, mean, std)
        };
        let batch = self.versions(sample, n)?;
        let device = self.device();
        let [height, width, channels] = self.images.shape();
        let shape = [n, height, width, channels];
        let pixels = Tensor::from_slice(device, &batch.pixels, shape)?;
        let numbers = Tensor::from_slice(device, &batch.samples, [n])?;
        let step = StepBuffer::new(device, &StepScalars::new(self.recipe.seed, 1, 0.0))?;
        self.to_pixels(&augment(&spec, &pixels, &numbers, &step)?)
    }

    /// One image `n` times, under different numbers: what is random differs.
    fn versions(&self, sample: u32, n: usize) -> Result<Batch> {
        Ok(Batch {
            samples: (0..).take(n).collect(),
            ..batch(self.images, &vec![sample; n])?
        })
    }

    /// Undoes the normalisation.
    fn to_pixels(&self, x: &Tensor) -> Result<Vec<u8>> {
        let normalisation = self.recipe.images.normalisation()?;
        Ok(to_pixels(&x.to_vec::<f32>()?, normalisation))
    }
}

/// The bytes of normalised values, channels last, of this mean and standard deviation.
pub(crate) fn to_pixels(values: &[f32], [mean, std]: [&[f32]; 2]) -> Vec<u8> {
    let pixel = |(idx, value): (usize, &f32)| {
        let channel = idx % mean.len();
        let value = value * std[channel] + mean[channel];
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0 to 255"
        )]
        let byte = (255.0 * value).round().clamp(0.0, 255.0) as u8;
        byte
    };
    values.iter().enumerate().map(pixel).collect()
}

/// A batch of exactly these images.
pub(crate) fn batch(images: &Images, samples: &[u32]) -> Result<Batch> {
    let mut pixels = vec![0; samples.len() * images.image_bytes()];
    let mut labels = Vec::new();
    for (sample, out) in samples
        .iter()
        .zip(pixels.chunks_exact_mut(images.image_bytes()))
    {
        images.read(*sample as usize, out)?;
        labels.push(images.labels()[*sample as usize]);
    }
    Ok(Batch {
        pixels,
        labels,
        samples: samples.to_vec(),
        n_images: samples.len(),
        epoch: 0,
        index: 0,
    })
}
