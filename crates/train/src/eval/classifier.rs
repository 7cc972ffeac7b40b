//! Inference on single images: a network with its recipe's way of preparing images and its classes' names.

use std::path::{Path, PathBuf};

use data::{Batch, DecodeOptions};
use model::{Mode, Network, Preparation};
use tensor::{Device, Recording, Tensor, no_grad};

use crate::error::{Error, Result};
use crate::eval::evaluate::{self, Weights};
use crate::recipe::{ImagesRecipe, Recipe, Tta};
use crate::step::input::Input;
use tensor::log_sum_exp;

/// Images that are classified at once.
const BATCH: usize = 32;
/// Positions of the occluding square along each side.
const PLACES: usize = 16;
/// The side of the occluding square as a share of the image's.
const COVERED: f64 = 0.2;
/// Colour of the occluding square: mid-grey.
const COVER: u8 = 128;

/// ImageNet's mean and standard deviation, as torchvision's networks take them.
const IMAGENET: [[f32; 3]; 2] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];

/// An image classifier.
#[derive(Debug)]
pub struct Classifier {
    network: Network,
    names: Vec<String>,
    size: [u32; 2],
    decode: DecodeOptions,
    input: Input,
    logits: Tensor,
    recording: Recording,
    /// The weight file, for messages.
    path: PathBuf,
}

/// An occlusion map (Zeiler and Fergus 2014): by how much the log probability of a class falls when the
/// place is covered.
#[derive(Clone, Debug, PartialEq)]
pub struct OcclusionMap {
    /// Row by row.
    pub falls: Vec<f32>,
    /// Places in a row.
    pub columns: usize,
}

impl Classifier {
    /// The weights with their run's recipe, or with the one given.
    ///
    /// ```
    /// use model::{Architecture, Format, Network, layers::{Dense, Flatten}};
    /// use tensor::Device;
    /// use train::{Classifier, Recipe, Weights};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("linear.safetensors");
    /// let layers = vec![Flatten::new().into(), Dense::new(10).into()];
    /// let architecture = Architecture::from_layers("linear", [32, 32, 3], layers)?;
    /// Network::new(architecture, 1, &Device::cpu())?.export(Format::Safetensors, None, &path)?;
    ///
    /// let recipe = Recipe::named("shapes10")?;
    /// let classifier = Classifier::open(&Weights::find(&path)?, &recipe, &Device::cpu())?;
    /// let probabilities = classifier.classify(&[vec![128; 32 * 32 * 3]])?;
    /// assert!((probabilities[0].iter().sum::<f32>() - 1.0).abs() < 1e-5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the weights can't be read, the recipe does not suit them, or the device has no room.
    pub fn open(weights: &Weights, recipe: &Recipe, device: &Device) -> Result<Self> {
        let network = evaluate::open(&weights.path, recipe, device)?;
        let architecture = network.architecture();
        let ([rows, columns, channels], classes) = (architecture.input(), architecture.classes());
        let source = recipe.source();
        let size = source.map(|side| u32::try_from(side).unwrap_or(u32::MAX));
        let decode = recipe.decode_options(size);
        if decode.channels.count() != channels {
            let expected = format!("{channels}, as the network takes");
            let got = decode.channels.count();
            return Err(Error::setting("images.channels", expected, got));
        }
        let input = Input::new(device, BATCH, [source[0], source[1], channels])?;
        let specs = input.for_evaluation(
            &recipe.images,
            recipe.evaluation.resize,
            Tta::None,
            [rows, columns],
        )?;
        let plain = &specs[0].spec;
        let (logits, recording) =
            device.capture(|| no_grad(|| network.forward(&input.images(plain)?, Mode::Eval)))?;
        let names = network.class_names().map_or_else(
            || (0..classes).map(|class| format!("class {class}")).collect(),
            <[String]>::to_vec,
        );
        Ok(Self {
            names,
            size,
            decode,
            input,
            logits,
            recording,
            network,
            path: weights.path.clone(),
        })
    }

    /// The recipe by which a weight file without a run is used: as its metadata say; of a file without such, that of
    /// CIFAR-10 for images of side 32, else torchvision's way with ImageNet.
    ///
    /// # Errors
    /// If the weights can't be read.
    pub fn default_recipe(weights: &Path) -> Result<Recipe> {
        if let Some(preparation) = Preparation::in_file(weights)? {
            let mut recipe = Recipe::named("folder")?;
            "weights".clone_into(&mut recipe.name);
            "images".clone_into(&mut recipe.dataset);
            recipe.prepare_as(&preparation);
            return Ok(recipe);
        }
        let file = model::TensorFile::open(weights)?;
        let name = file.metadata("network").unwrap_or_default();
        let mut recipe = Recipe::for_dataset("cifar10")?;
        if !name.ends_with("input_size=32") {
            let [mean, std] = IMAGENET;
            "images".clone_into(&mut recipe.dataset);
            "imagenet".clone_into(&mut recipe.name);
            recipe.images = ImagesRecipe {
                mean: Some(mean.to_vec()),
                std: Some(std.to_vec()),
                ..ImagesRecipe::default()
            };
            // The centre of an image whose shorter side is 256, as torchvision evaluates; larger inputs get all of it.
            let side = name
                .rsplit('=')
                .next()
                .and_then(|side| side.parse::<usize>().ok());
            recipe.images.resize = side.is_some_and(|side| side <= 256).then_some(256);
        }
        Ok(recipe)
    }

    /// Names for the classes, if the weights bring none.
    ///
    /// # Errors
    /// [`Error::Setting`] unless there is a name for each class.
    pub fn with_names(mut self, names: &[String]) -> Result<Self> {
        if names.len() != self.names.len() {
            let expected = format!("{} class names", self.names.len());
            return Err(Error::setting("data set", expected, names.len()));
        }
        if self.network.class_names().is_none() {
            self.names = names.to_vec();
        }
        Ok(self)
    }

    /// Whether the weights bring names for their classes.
    #[must_use]
    pub fn has_own_names(&self) -> bool {
        self.network.class_names().is_some()
    }

    /// The classes' names in the order of the probabilities.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// `[height, width]` of the pixels that [`Classifier::classify`] takes.
    #[must_use]
    pub fn size(&self) -> [u32; 2] {
        self.size
    }

    /// Images that are best classified at once.
    #[must_use]
    pub fn batch_size(&self) -> usize {
        BATCH
    }

    /// An image file's bytes as pixels `[height, width, channels]`. `name` is what an error calls it.
    ///
    /// # Errors
    /// [`Error::Data`] if it is not a complete image.
    pub fn pixels(&self, bytes: &[u8], name: &Path) -> Result<Vec<u8>> {
        Ok(data::image_pixels(bytes, name, &self.decode)?)
    }

    /// The probability of each class, for each image.
    ///
    /// # Errors
    /// [`Error::Setting`] if an image has another size; [`Error::NotFinite`] if the weights give NaN for one; if the
    /// device fails.
    pub fn classify(&self, images: &[Vec<u8>]) -> Result<Vec<Vec<f32>>> {
        let logarithms = self.log_probabilities(images)?.into_iter();
        Ok(logarithms
            .map(|row| row.into_iter().map(libm::expf).collect())
            .collect())
    }

    /// The occlusion map of an image for `class`. `progress` is called with positions done and in all.
    ///
    /// # Errors
    /// As [`Classifier::classify`]; [`Error::Setting`] if there is no such class.
    pub fn occlusion_map(
        &self,
        pixels: &[u8],
        class: usize,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<OcclusionMap> {
        if class >= self.names.len() {
            let expected = format!("a class below {}", self.names.len());
            return Err(Error::setting("class", expected, class));
        }
        let whole = self.log_probabilities(&[pixels.to_vec()])?[0][class];
        let (mut falls, of) = (Vec::new(), PLACES * PLACES);
        while falls.len() < of {
            progress(falls.len(), of);
            let positions = falls.len()..of.min(falls.len() + BATCH);
            let covered: Vec<_> = positions
                .map(|position| self.covered(pixels, position))
                .collect();
            let rows = self.log_probabilities(&covered)?;
            falls.extend(rows.iter().map(|row| whole - row[class]));
        }
        progress(of, of);
        Ok(OcclusionMap {
            falls,
            columns: PLACES,
        })
    }

    /// An image with the square at one position.
    fn covered(&self, pixels: &[u8], place: usize) -> Vec<u8> {
        let [height, width] = self.size.map(|side| side as usize);
        let [rows, columns] =
            [(place / PLACES, height), (place % PLACES, width)].map(|(at, side)| {
                let centre = (2 * at + 1) * side / (2 * PLACES);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    clippy::cast_precision_loss,
                    reason = "a share of an image's side"
                )]
                let half = (side as f64 * COVERED / 2.0).ceil() as usize;
                centre.saturating_sub(half)..(centre + half).min(side)
            });
        let mut covered = pixels.to_vec();
        let channels = self.decode.channels.count();
        for row in rows {
            let line = &mut covered[row * width * channels..][..width * channels];
            line[columns.start * channels..columns.end * channels].fill(COVER);
        }
        covered
    }

    /// The logarithm of each class's probability, for each image.
    fn log_probabilities(&self, images: &[Vec<u8>]) -> Result<Vec<Vec<f32>>> {
        let [height, width] = self.size.map(|side| side as usize);
        let channels = self.decode.channels.count();
        let length = height * width * channels;
        if let Some(other) = images.iter().find(|pixels| pixels.len() != length) {
            let expected = format!("images of {height}x{width}x{channels} bytes");
            return Err(Error::setting("pixels", expected, other.len()));
        }
        let device = self.logits.device();
        let mut rows = Vec::new();
        for chunk in images.chunks(BATCH) {
            let mut pixels = chunk.concat();
            pixels.resize(BATCH * length, 0);
            self.input.write(&Batch {
                pixels,
                labels: vec![0; BATCH],
                samples: vec![0; BATCH],
                n_images: chunk.len(),
                epoch: 0,
                index: 0,
            })?;
            self.recording.replay(device).map_err(tensor::Error::from)?;
            let logits: Vec<f32> = self.logits.to_vec()?;
            let all = logits.chunks_exact(self.names.len()).take(chunk.len());
            rows.extend(all.map(log_softmax));
        }
        if rows.iter().flatten().any(|x: &f32| x.is_nan()) {
            return Err(Error::NotFinite {
                weights: self.path.clone(),
                found: "NaN".to_owned(),
            });
        }
        Ok(rows)
    }
}

/// `x - ln sum exp(x)`, in f64.
fn log_softmax(row: &[f32]) -> Vec<f32> {
    let shift = log_sum_exp(row.iter().map(|&x| f64::from(x)));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding to f32 is the purpose"
    )]
    let shifted = |&x: &f32| (f64::from(x) - shift) as f32;
    row.iter().map(shifted).collect()
}
