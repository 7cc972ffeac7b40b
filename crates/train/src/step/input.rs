//! A batch on the device: what is written before each replay of a captured step, and the network's input made from it.

use data::{Batch, Images};
use model::ImageSize;
use tensor::pixels::{Augment, Beside, ColourShift, Crop, Erase, augment, augment_into};
use tensor::update::{StepBuffer, StepScalars};
use tensor::{DType, Device, Tensor};

use crate::error::{Error, Result};
use crate::recipe::{CropKind, ImagesRecipe, Tta};

/// Bytes that go to the device at once, of images that stay there: few beside the network, and enough to be fast.
const PIECE_BYTES: usize = 16 << 20;

/// The device's side of a batch, and of what changes from step to step. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    /// Of the batch `[n, h, w, c]`, or of all images `[images, h, w, c]` that batches are taken from.
    pixels: Tensor,
    is_resident: bool,
    labels: Tensor,
    samples: Tensor,
    step: StepBuffer,
}

/// A view of an image in evaluation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) spec: Augment,
    /// How much its probabilities count, beside those of the other views.
    pub(crate) weight: f32,
}

impl Input {
    /// Room for batches of `n` images of this shape: height, width, channels.
    pub(crate) fn new(device: &Device, n: usize, shape: [usize; 3]) -> tensor::Result<Self> {
        Self::with_pixels(empty_pixels(device, n, shape)?, n, false)
    }

    /// The same for batches of `images`. If these are to be resident, all of them are sent now, and batches need no pixels.
    pub(crate) fn of(
        device: &Device,
        n: usize,
        images: &Images,
        is_resident: bool,
    ) -> Result<Self> {
        if !is_resident {
            return Ok(Self::new(device, n, images.shape())?);
        }
        let pixels = empty_pixels(device, images.len(), images.shape())?;
        send(images, &pixels, PIECE_BYTES)?;
        Ok(Self::with_pixels(pixels, n, true)?)
    }

    /// Room for a batch of `n` of the same images, which are shared if they are resident.
    pub(crate) fn smaller(&self, n: usize) -> tensor::Result<Self> {
        let shape = self.pixels.shape();
        if self.is_resident {
            Self::with_pixels(self.pixels.clone(), n, true)
        } else {
            Self::new(self.pixels.device(), n, [shape[1], shape[2], shape[3]])
        }
    }

    /// Images in a batch.
    pub(crate) fn batch_size(&self) -> usize {
        self.labels.shape().elements()
    }

    fn with_pixels(pixels: Tensor, n: usize, is_resident: bool) -> tensor::Result<Self> {
        let device = pixels.device();
        let words = || Tensor::empty(device, [n], DType::U32);
        Ok(Self {
            labels: words()?,
            samples: words()?,
            step: StepBuffer::new(device, &StepScalars::new(0, 1, 0.0))?,
            is_resident,
            pixels,
        })
    }

    /// Bytes of the images that stay on the device.
    pub(crate) fn resident_bytes(&self) -> u64 {
        if self.is_resident {
            self.pixels.shape().elements() as u64
        } else {
            0
        }
    }

    /// Copies a batch over: as many of its first images as there is room for.
    pub(crate) fn write(&self, batch: &Batch) -> tensor::Result<()> {
        let n = self.batch_size();
        if !self.is_resident {
            self.pixels
                .write(&batch.pixels[..self.pixels.shape().elements()])?;
        }
        self.labels.write(&batch.labels[..n])?;
        self.samples.write(&batch.samples[..n])
    }

    pub(crate) fn labels(&self) -> &Tensor {
        &self.labels
    }

    pub(crate) fn step(&self) -> &StepBuffer {
        &self.step
    }

    /// `[n, height, width, c]`: the batch as `spec` says.
    pub(crate) fn images(&self, spec: &Augment) -> tensor::Result<Tensor> {
        augment(spec, &self.pixels, &self.samples, &self.step)
    }

    /// The same into `images`.
    pub(crate) fn images_into(&self, spec: &Augment, images: &Tensor) -> tensor::Result<()> {
        augment_into(spec, &self.pixels, &self.samples, &self.step, images)
    }

    /// What is done to training images for a network's input of `size`: height and width.
    pub(crate) fn for_training(&self, recipe: &ImagesRecipe, size: [usize; 2]) -> Result<Augment> {
        let plain = self.plain(recipe, recipe.resize, size, recipe.pad)?;
        let Crop::Centre { resized } = plain.crop else {
            unreachable!("a plain view is of the centre")
        };
        let crop = match recipe.crop {
            CropKind::Centre => plain.crop,
            CropKind::Random => Crop::Random {
                resized,
                pad: recipe.pad,
            },
            CropKind::Area => Crop::Area {
                share: recipe.area,
                ratio: recipe.ratio,
            },
        };
        let colour_shift = recipe.colour_components.map(|components| ColourShift {
            components,
            std: recipe.colour_shift,
        });
        let erase = recipe.erase.map(|erase| Erase {
            probability: erase.probability,
            share: erase.area,
            ratio: erase.ratio,
        });
        Ok(Augment {
            crop,
            beside: recipe.pad_with.into(),
            flip: if recipe.flip { 0.5 } else { 0.0 },
            alternates: recipe.alternate_flip,
            brightness: recipe.brightness,
            contrast: recipe.contrast,
            colour_shift,
            erase,
            ..plain
        })
    }

    /// The preparation of a split's images for each view.
    pub(crate) fn for_evaluation(
        &self,
        images: &ImagesRecipe,
        resize: Option<usize>,
        tta: Tta,
        size: [usize; 2],
    ) -> Result<Vec<View>> {
        let plain = self.plain(images, resize.or(images.resize), size, 0)?;
        let crops = match (tta, plain.crop) {
            (Tta::TenCrop, Crop::Centre { resized }) => equal(ten_crop(resized, size)?),
            (Tta::FlipShift, Crop::Centre { resized }) => {
                let shifted = [-1, 1].map(|by| {
                    (
                        Crop::Shifted {
                            resized,
                            by: [by; 2],
                        },
                        1.0,
                    )
                });
                std::iter::once((plain.crop, 2.0)).chain(shifted).collect()
            }
            _ => equal(vec![plain.crop]),
        };
        let flips: &[f32] = if tta == Tta::None {
            &[0.0]
        } else {
            &[0.0, 1.0]
        };
        let views = flips.iter().flat_map(|&flip| {
            let crops = crops.iter();
            crops.map(move |&(crop, weight)| View {
                spec: Augment {
                    crop,
                    beside: Beside::Reflection,
                    flip,
                    ..plain
                },
                weight,
            })
        });
        Ok(views.collect())
    }

    /// The normalised centre of images whose shorter side was resized.
    fn plain(
        &self,
        recipe: &ImagesRecipe,
        resize: Option<usize>,
        size: [usize; 2],
        pad: usize,
    ) -> Result<Augment> {
        let [mean, std] = recipe.normalisation()?;
        let shape = self.pixels.shape();
        let (source, channels) = ([shape[1], shape[2]], shape[3]);
        if mean.len() != channels || std.len() != channels {
            let expected = format!("{channels} numbers each, as the images have channels");
            let got = format!("{} and {}", mean.len(), std.len());
            return Err(Error::setting("mean and std", expected, got));
        }
        let shorter = source[0].min(source[1]).max(1);
        let resized = match resize {
            Some(side) => source.map(|whole| (whole * side + shorter / 2) / shorter),
            None => size,
        };
        let mut sides = resized.iter().zip(size);
        if sides.any(|(side, least)| side + 2 * pad < least) {
            let input = ImageSize::from(size);
            let expected = format!("at least the network's input, {input} pixels");
            let got = resize.map_or_else(|| input.to_string(), |side| side.to_string());
            return Err(Error::setting("resize", expected, got));
        }
        Ok(Augment {
            resident: self.is_resident.then_some(shape[0]),
            crop: Crop::Centre { resized },
            ..Augment::plain(source, size, mean, std)
        })
    }
}

/// Views that count alike.
fn equal(crops: Vec<Crop>) -> Vec<(Crop, f32)> {
    crops.into_iter().map(|crop| (crop, 1.0)).collect()
}

fn empty_pixels(device: &Device, n: usize, shape: [usize; 3]) -> tensor::Result<Tensor> {
    let [height, width, channels] = shape;
    Tensor::empty(device, [n, height, width, channels], DType::U8)
}

/// Sends all images to `pixels: [images, h, w, c]`, about so many bytes at once.
fn send(images: &Images, pixels: &Tensor, piece_bytes: usize) -> Result<()> {
    let image_bytes = images.image_bytes();
    // The fewest images that end at a multiple of 256 bytes, as pieces of a tensor must.
    let fewest = 256 >> image_bytes.trailing_zeros().min(8);
    let at_once = (piece_bytes / image_bytes)
        .next_multiple_of(fewest)
        .max(fewest);
    let mut piece = vec![0; at_once.min(images.len()) * image_bytes];
    for first in (0..images.len()).step_by(at_once) {
        let n = at_once.min(images.len() - first);
        let piece = &mut piece[..n * image_bytes];
        images.read_from(first, piece)?;
        pixels.write_from(first * image_bytes, piece)?;
        // Else the copies that wait to be sent would be as large as all images.
        pixels.device().synchronize().map_err(tensor::Error::from)?;
    }
    Ok(())
}

/// The centre and the four corners of a resized image.
fn ten_crop(resized: [usize; 2], size: [usize; 2]) -> Result<Vec<Crop>> {
    let [bottom, right] = [0, 1].map(|axis: usize| resized[axis] - size[axis]);
    if bottom == 0 && right == 0 {
        let size = ImageSize::from(size);
        let expected = format!("ten-crop with images resized to more than the input, {size}");
        return Err(Error::setting("evaluation.tta", expected, size));
    }
    let corners = [(0, 0), (0, right), (bottom, 0), (bottom, right)];
    let mut crops = vec![Crop::Centre { resized }];
    crops.extend(corners.map(|(top, left)| Crop::At { resized, top, left }));
    Ok(crops)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_arrive_whole_in_pieces_of_any_length() {
        // Pieces of these images end well after each, after each 64th, and after each 256th.
        for size in [[16, 16, 3], [6, 6, 3], [7, 9, 3], [7, 9, 1], [7, 9, 4]] {
            let n = 600;
            let image_bytes = size.iter().product::<usize>();
            let bytes = (0..=250).cycle().take(n * image_bytes).collect();
            let names = vec!["only".to_owned()];
            let images = Images::from_pixels(size, bytes, vec![0; n], names).unwrap();
            for piece_bytes in [1, 20_000, 1 << 20] {
                let pixels = empty_pixels(&Device::cpu(), n, size).unwrap();
                send(&images, &pixels, piece_bytes).unwrap();
                let arrived: Vec<u8> = pixels.to_vec().unwrap();
                assert!(arrived == images.read_all().unwrap(), "{size:?}");
            }
        }
    }
}
