//! Weights in and out of other programs' files. Each file that is written is read back, run and compared with the live
//! network before it gets its name.

#[cfg(not(all(feature = "keras", feature = "onnx")))]
mod absent;
#[cfg(test)]
mod forms;
#[cfg(feature = "keras")]
mod keras;
mod layout;
mod names;
#[cfg(feature = "onnx")]
mod onnx;
mod pickle;
mod pth;
mod torchvision;

use std::io::Read as _;
use std::path::Path;

use tensor::{Device, Tensor, no_grad};

#[cfg(not(feature = "keras"))]
use self::absent::keras;
#[cfg(not(feature = "onnx"))]
use self::absent::onnx;
use crate::architecture::Architecture;
use crate::error::{Error, Result};
use crate::network::{Mode, Network};
use onnx::{Fault, run};

/// Images that an export is checked with.
const CHECKED: usize = 2;

/// What kind of file to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// This program's own: see [`Network::to_bytes`].
    Safetensors,
    /// torchvision's `alexnet`, as safetensors: its names, filters `[out, in, kh, kw]`, dense weights `[out, in]`, and the
    /// last image flattened as channels, height, width.
    Torchvision,
    /// Keras 3's `.weights.h5`, for `model.load_weights`; [`Network::with_keras_weights`] reads it back.
    Keras,
    /// ONNX, opset 17: normalised images `input` `[N, 3, size, size]` to `logits` `[N, classes]`.
    Onnx,
}

/// How pixels in 0 to 1 become a network's input: minus the mean, divided by the standard deviation, channel by channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    /// Subtracted: a number for each channel.
    pub mean: Vec<f32>,
    /// Divided by.
    pub std: Vec<f32>,
}

/// How far the logits of what was written are from the live network's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exported {
    /// Bytes of the file.
    pub bytes: usize,
    /// The largest difference of a logit.
    pub difference: f32,
    /// What rounding explains; 0 where the same kernels run on the same weights.
    pub tolerance: f32,
}

/// How weights are imported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// The names of the network's classes, in order.
    pub class_names: Option<Vec<String>>,
    /// A new last layer for so many classes, with initial weights, in place of the file's.
    pub new_head: Option<usize>,
}

/// What was imported.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The network.
    pub network: Network,
    /// What the file has beside it, such as an optimizer's state.
    pub ignored: Vec<String>,
}

/// Whether a file is another program's, and of a form that [`Network::import`] reads.
///
/// # Errors
/// If it can't be read.
pub(crate) fn is_foreign(path: &Path) -> Result<bool> {
    if pth::PthFile::is_one(path)? {
        return Ok(true);
    }
    // Files of older versions of this program name their network too.
    let file = crate::weights::TensorFile::open(path)?;
    Ok(file.metadata("network").is_none()
        && file
            .tensors()
            .keys()
            .any(|name| name.ends_with(torchvision::ANCHOR)))
}

impl Network {
    /// Writes the network for another program. `pixels`, or what the network's [`crate::Preparation`] says of them, goes into
    /// ONNX's metadata.
    ///
    /// ```
    /// use model::layers::{Dense, Flatten};
    /// use model::{Architecture, Format, Network};
    /// use tensor::Device;
    ///
    /// let layers = vec![Flatten::new().into(), Dense::new(10).into()];
    /// let architecture = Architecture::from_layers("linear", [8, 8, 1], layers)?;
    /// let network = Network::new(architecture, 42, &Device::cpu())?;
    /// let folder = tempfile::tempdir()?;
    /// let exported = network.export(Format::Safetensors, None, &folder.path().join("linear.safetensors"))?;
    /// assert_eq!(exported.difference, 0.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Argument`] if the format can't hold this network; [`Error::Export`] if what was written computes something
    /// else; [`Error::Io`]. Then nothing is left, and a file that was there stays.
    pub fn export(&self, format: Format, pixels: Option<&Pixels>, path: &Path) -> Result<Exported> {
        let bytes = match format {
            Format::Safetensors => self.to_bytes()?,
            Format::Torchvision => torchvision::bytes(self)?,
            Format::Keras => keras::bytes(self)?,
            Format::Onnx => onnx::bytes(self, pixels, false)?,
        };
        self.keep(path, &bytes, |written| self.compare(format, written))
    }

    /// Writes a file, if what `compare` finds of it is within its tolerance.
    fn keep(
        &self,
        path: &Path,
        bytes: &[u8],
        compare: impl FnOnce(&Path) -> Result<(f32, f32)>,
    ) -> Result<Exported> {
        files::replace_if(path, bytes, |written| {
            let (difference, tolerance) = compare(written)?;
            // `<=`, so that NaN fails.
            if difference <= tolerance {
                return Ok(Exported {
                    bytes: bytes.len(),
                    difference,
                    tolerance,
                });
            }
            Err(Error::Export {
                path: path.to_owned(),
                difference,
                tolerance,
            })
        })
    }

    /// As [`Network::export`] as ONNX, but with a softmax at the end: `probabilities` in place of `logits`.
    ///
    /// # Errors
    /// As [`Network::export`].
    pub fn export_onnx_with_softmax(
        &self,
        pixels: Option<&Pixels>,
        path: &Path,
    ) -> Result<Exported> {
        let bytes = onnx::bytes(self, pixels, true)?;
        self.keep(path, &bytes, |written| {
            let images = probe(self.architecture(), self.device())?;
            let logits = no_grad(|| self.forward(&images, Mode::Eval))?;
            let expected: Vec<f32> = no_grad(|| logits.softmax())?.to_vec()?;
            let found = run_file(written, &images)?;
            // Of a softmax, no derivative is above 1.
            let tolerance = self.rounding(&logits.to_vec::<f32>()?) + f32::EPSILON;
            Ok((difference(written, &expected, &found)?, tolerance))
        })
    }

    /// The network with the weights of a Keras file that has the same layers: what [`Format::Keras`] writes, and what Keras
    /// saves of a model that has read it. Names and preparation are this network's.
    ///
    /// # Errors
    /// If the file can't be read, or has other layers.
    pub fn with_keras_weights(&self, path: &Path) -> Result<Self> {
        let mut read = keras::import(path, self.architecture(), self.device())?;
        if let Some(names) = self.class_names() {
            read = read.with_class_names(names)?;
        }
        Ok(match self.preparation() {
            Some(preparation) => read.with_preparation(preparation.clone()),
            None => read,
        })
    }

    /// Reads torchvision's `alexnet`, from safetensors or any form of `.pth`: see [`Network::import`]. Nothing in the file is
    /// run.
    ///
    /// # Errors
    /// As [`Network::import`].
    pub fn import_torchvision(path: &Path, device: &Device) -> Result<Self> {
        Ok(Self::import(path, &Import::default(), device)?.network)
    }

    /// Reads the weights of torchvision's `alexnet`: a state dict, a checkpoint around one, a whole model or a `TorchScript`
    /// archive, in safetensors or `.pth` of any age, of floats of 16, 32 or 64 bits. Names may have the prefixes of
    /// `DataParallel`, `torch.compile` and Lightning. Nothing in the file is run. The network gets torchvision's
    /// [`crate::Preparation`], unless the file has one of its own, and with 1000 classes `ImageNet`'s names.
    ///
    /// ```no_run
    /// use model::{Import, Network};
    ///
    /// // As https://download.pytorch.org/models/alexnet-owt-7be5be79.pth; the last layer begins anew, for two classes.
    /// let options = Import {
    ///     class_names: Some(["cat", "dog"].map(str::to_owned).to_vec()),
    ///     new_head: Some(2),
    /// };
    /// let imported = Network::import("alexnet-owt-7be5be79.pth".as_ref(), &options, &tensor::Device::cpu())?;
    /// assert_eq!(imported.network.architecture().classes(), 2);
    /// # Ok::<(), model::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the file can't be read, is damaged, has other tensors, or functions that no weights need; [`Error::Argument`] if
    /// the names are not as many as its classes.
    pub fn import(path: &Path, options: &Import, device: &Device) -> Result<Imported> {
        torchvision::import(path, options, device)
    }

    /// The largest difference between this network's logits and those of a file, and what rounding explains of it.
    fn compare(&self, format: Format, path: &Path) -> Result<(f32, f32)> {
        let images = probe(self.architecture(), self.device())?;
        let forward = |network: &Self| -> Result<Vec<f32>> {
            let logits = no_grad(|| network.forward(&images, Mode::Eval))?;
            Ok(logits.to_vec()?)
        };
        let expected = forward(self)?;
        let (found, tolerance) = match format {
            Format::Safetensors if self.architecture().is_described() => {
                (forward(&Self::open(path, self.device())?)?, 0.0)
            }
            Format::Safetensors => {
                let again = self.duplicate()?;
                again.load(path)?;
                (forward(&again)?, 0.0)
            }
            Format::Torchvision => (
                forward(&Self::import_torchvision(path, self.device())?)?,
                0.0,
            ),
            Format::Keras => {
                let again = keras::import(path, self.architecture(), self.device())?;
                (forward(&again)?, 0.0)
            }
            Format::Onnx => (run_file(path, &images)?, self.rounding(&expected)),
        };
        Ok((difference(path, &expected, &found)?, tolerance))
    }

    /// The rounding of sums in another order: `8 u sqrt(terms)` of the largest logit, over the terms of all layers (the
    /// probabilistic bound of Higham and Mary 2019).
    fn rounding(&self, logits: &[f32]) -> f32 {
        let parameters = self.architecture().parameters();
        let terms = parameters.map(|(_, spec)| match spec.shape[..] {
            [kh, kw, inputs, _] => kh * kw * inputs,
            [inputs, _] => inputs,
            _ => 0,
        });
        let terms = u16::try_from(terms.sum::<usize>()).map_or(f32::from(u16::MAX), f32::from);
        let largest = logits.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        8.0 * f32::EPSILON * terms.sqrt() * largest
    }
}

/// The output of a file in ONNX that was written a moment ago.
fn run_file(path: &Path, images: &Tensor) -> Result<Vec<f32>> {
    // However large.
    let bytes = files::read(path, u64::MAX)?;
    run(&bytes, images).map_err(|fault| match fault {
        Fault::File(found) => Error::format(path, "a network in ONNX", found),
        Fault::Tensor(error) => error.into(),
    })
}

/// The largest difference between outputs.
fn difference(path: &Path, expected: &[f32], found: &[f32]) -> Result<f32> {
    if found.len() != expected.len() {
        let found = format!("{} outputs", found.len());
        let expected = format!("{} outputs", expected.len());
        return Err(Error::format(path, expected, found));
    }
    let differences = expected.iter().zip(found).map(|(a, b)| (a - b).abs());
    // A NaN stays: `max` would drop it.
    Ok(differences.fold(0.0, |most: f32, x| if x <= most { most } else { x }))
}

/// Images of noise in [-2, 2), the range of normalised pixels.
fn probe(architecture: &Architecture, device: &Device) -> Result<Tensor> {
    let [height, width, channels] = architecture.input();
    let mut word = 1_u32;
    let pixels = (0..CHECKED * height * width * channels).map(|_| {
        // Numerical Recipes' linear congruential generator; its high byte is random enough.
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from(word.to_be_bytes()[0]) / 64.0 - 2.0
    });
    let pixels: Vec<f32> = pixels.collect();
    Ok(Tensor::from_slice(
        device,
        &pixels,
        [CHECKED, height, width, channels],
    )?)
}

/// Whether a file begins with these bytes.
fn begins_with(path: &Path, magic: &[u8]) -> Result<bool> {
    let file = files::open(path)?;
    let mut first = Vec::new();
    file.take(magic.len() as u64)
        .read_to_end(&mut first)
        .map_err(Error::io(path, "read"))?;
    Ok(first == magic)
}
