//! Training images from pixels, on the device: crop, resize, flip, colour, normalisation, erasing (Krizhevsky 2012,
//! section 4.1; random areas as Szegedy 2015; erasing as Zhong 2017).
//!
//! `y = gain v + bias`, where `v` in `0..=255` is the source, resized bilinearly and without aliasing, then cropped and
//! flipped, black outside of the image or its reflection. With brightness `b`, contrast `c`, colour shift `s` and the data set's mean `m`
//! and standard deviation `d`: `y = (m + c (b v / 255 - m) + s - m) / d`. Nothing is clamped. What is random is a function of
//! (seed, step, sample number) alone.

mod parts;

use super::{check_len, size};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::augment::{AugmentParams, RECORD};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel};
use crate::step::StepScalars;
use shaders::variants::augment as variants;

pub use parts::{Beside, ColourShift, Crop, Erase};

const OP: &str = "augment";
/// The most images that `pixels` may hold: an image's place is a float in the record.
const MAX_IMAGES: usize = 1 << 24;

const PLAN: Kernel<AugmentParams> = Kernel::new(variants::plan(), cpu::augment::plan);
static APPLY_KERNELS: [[Kernel<AugmentParams>; 2]; 3] = [apply::<1>(), apply::<3>(), apply::<4>()];

/// Images of so many channels, as they are and resampled.
const fn apply<const C: usize>() -> [Kernel<AugmentParams>; 2] {
    [
        Kernel::new(variants::apply(false, C), cpu::augment::apply::<false, C>),
        Kernel::new(variants::apply(true, C), cpu::augment::apply::<true, C>),
    ]
}

/// What is done to the images of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Augment {
    /// How many images the source has where it is a whole data set, of which a batch's samples are taken. `None`: the
    /// source is the batch.
    pub resident: Option<usize>,
    /// Height and width of the source.
    pub input: [usize; 2],
    /// Height and width of the result.
    pub output: [usize; 2],
    /// Which part of the source.
    pub crop: Crop,
    /// What is beside the resized image, for crops that reach over its edge.
    pub beside: Beside,
    /// How likely it is mirrored left to right; 0 never, 1 always.
    pub flip: f32,
    /// Whether it is mirrored in every other epoch instead: a half of the images, by their numbers, in the first, the third and
    /// so on, the other half in those between.
    pub alternates: bool,
    /// Brightness is uniform in 1 plus or minus this.
    pub brightness: f32,
    /// Contrast, about the mean colour, is uniform in 1 plus or minus this.
    pub contrast: f32,
    /// Colour shift.
    pub colour_shift: Option<ColourShift>,
    /// Erasing.
    pub erase: Option<Erase>,
    /// Numbers in a pixel: 1 for grey, 3 for red, green and blue, 4 with opacity behind them. Brightness and contrast
    /// leave opacity as it is, and shifts of colour are for images with colours.
    pub channels: usize,
    /// The data set's mean of each channel, for numbers in `[0, 1]`; 0 of a channel that there is not.
    pub mean: [f32; 4],
    /// Their standard deviation; 1 of a channel that there is not.
    pub std: [f32; 4],
}

impl Augment {
    /// Resizing and normalisation, with nothing random: for evaluation. The images have a channel for each of `mean`, and
    /// `std` has as many numbers.
    #[must_use]
    pub fn plain(
        input: [usize; 2],
        output: [usize; 2],
        mean: impl AsRef<[f32]>,
        std: impl AsRef<[f32]>,
    ) -> Self {
        let (mean, std) = (mean.as_ref(), std.as_ref());
        let of_channels = |values: &[f32], other: f32| {
            [0, 1, 2, 3].map(|channel: usize| values.get(channel).copied().unwrap_or(other))
        };
        Self {
            resident: None,
            input,
            output,
            crop: Crop::Centre { resized: output },
            beside: Beside::Black,
            flip: 0.0,
            alternates: false,
            brightness: 0.0,
            contrast: 0.0,
            colour_shift: None,
            erase: None,
            // Other numbers of channels, and lengths that differ, are refused before anything is done.
            channels: if mean.len() == std.len() {
                mean.len()
            } else {
                0
            },
            mean: of_channels(mean, 0.0),
            std: of_channels(std, 1.0),
        }
    }

    fn resized(&self) -> [usize; 2] {
        match self.crop {
            Crop::Centre { resized }
            | Crop::At { resized, .. }
            | Crop::Shifted { resized, .. }
            | Crop::Random { resized, .. } => resized,
            Crop::Area { .. } => self.output,
        }
    }

    /// The kernels for the images' channels.
    fn kernels(&self) -> Result<&'static [Kernel<AugmentParams>; 2]> {
        let place = [1, 3, 4].into_iter().position(|c| c == self.channels);
        let kernels = place.and_then(|place| APPLY_KERNELS.get(place));
        let wrong = || Error::argument(OP, "channels", "1, 3 or 4", self.channels.to_string());
        kernels.ok_or_else(wrong)
    }

    /// Whether pixels are interpolated.
    fn is_resampled(&self) -> bool {
        matches!(self.crop, Crop::Area { .. }) || self.resized() != self.input
    }

    fn check(&self) -> Result<()> {
        let sizes = [self.input, self.output, self.resized()];
        if sizes
            .iter()
            .flatten()
            .any(|side| !(1..1 << 15).contains(side))
        {
            let got = format!("{sizes:?}");
            return Err(Error::argument(
                OP,
                "sizes",
                "sides of 1 to 32767 pixels",
                got,
            ));
        }
        let check = |argument, is_valid: bool, expected: &str, got: String| {
            is_valid
                .then_some(())
                .ok_or_else(|| Error::argument(OP, argument, expected, got))
        };
        let [room_h, room_w] = [0, 1].map(|axis: usize| {
            let pad = if let Crop::Random { pad, .. } = self.crop {
                pad
            } else {
                0
            };
            (self.resized()[axis] + pad.saturating_mul(2)).checked_sub(self.output[axis])
        });
        match self.crop {
            Crop::Random { resized, pad } => check(
                "crop",
                room_h.is_some() && room_w.is_some() && pad < 1 << 15,
                "a padded image no smaller than the output",
                format!(
                    "{resized:?} with {pad} more on each side for {:?}",
                    self.output
                ),
            )?,
            Crop::At { resized, top, left } => check(
                "crop",
                room_h.is_some_and(|room| top <= room) && room_w.is_some_and(|room| left <= room),
                "a window within the image",
                format!("{:?} at ({top}, {left}) of {resized:?}", self.output),
            )?,
            Crop::Area { share, ratio } => check_part("crop", share, ratio)?,
            Crop::Centre { .. } | Crop::Shifted { .. } => {}
        }
        check(
            "beside",
            self.beside == Beside::Black || self.crop.is_within_reflections(self.output),
            "less than the image's side of its reflection",
            format!("{:?} for {:?}", self.crop, self.output),
        )?;
        if let Some(erase) = self.erase {
            check_part("erase", erase.share, erase.ratio)?;
        }
        self.kernels()?;
        if self.channels < 3 {
            let shift = self.colour_shift.map_or(0.0, |shift| shift.std);
            check(
                "colour_shift",
                shift == 0.0,
                "none of images without colours",
                shift.to_string(),
            )?;
        }
        let is_positive = self.std.iter().all(|d| *d > 0.0);
        let got = format!("{:?}", self.std);
        check("std", is_positive, "positive numbers", got)
    }

    fn params(&self, n: usize) -> Result<AugmentParams> {
        let [in_h, in_w] = self.input.map(|side| size(OP, "input", side));
        let [out_h, out_w] = self.output.map(|side| size(OP, "output", side));
        let [resized_h, resized_w] = self.resized().map(|side| size(OP, "crop", side));
        let (crop, [top, left], pad) = self.place()?;
        let reaches_over = matches!(self.crop, Crop::Random { .. } | Crop::Shifted { .. });
        let (area, ratio) = match self.crop {
            Crop::Area { share, ratio } => (share, ratio.map(libm::log2f)),
            _ => ([0.0; 2], [0.0; 2]),
        };
        let [r, g, b] = self.colour_shift.map_or([[0.0; 3]; 3], |shift| {
            shift.components.map(|row| row.map(|x| x * shift.std))
        });
        let none = Erase {
            probability: 0.0,
            share: [0.0; 2],
            ratio: [1.0; 2],
        };
        let erase = self.erase.unwrap_or(none);
        let erase_ratio = erase.ratio.map(libm::log2f);
        Ok(AugmentParams {
            n: size(OP, "n", n)?,
            resident: self.resident.is_some().into(),
            images: size(OP, "images", self.resident.unwrap_or(n))?,
            in_h: in_h?,
            in_w: in_w?,
            out_h: out_h?,
            out_w: out_w?,
            resized_h: resized_h?,
            resized_w: resized_w?,
            crop,
            top,
            left,
            pad,
            reflect: (reaches_over && self.beside == Beside::Reflection).into(),
            area_low: area[0],
            area_high: area[1],
            ratio_low: ratio[0],
            ratio_high: ratio[1],
            flip: self.flip,
            alternate: self.alternates.into(),
            brightness: self.brightness,
            contrast: self.contrast,
            shift_rr: r[0],
            shift_rg: r[1],
            shift_rb: r[2],
            shift_gr: g[0],
            shift_gg: g[1],
            shift_gb: g[2],
            shift_br: b[0],
            shift_bg: b[1],
            shift_bb: b[2],
            erase: erase.probability,
            erase_low: erase.share[0],
            erase_high: erase.share[1],
            erase_ratio_low: erase_ratio[0],
            erase_ratio_high: erase_ratio[1],
            mean_r: self.mean[0],
            mean_g: self.mean[1],
            mean_b: self.mean[2],
            mean_a: self.mean[3],
            std_r: self.std[0],
            std_g: self.std[1],
            std_b: self.std[2],
            deviation_a: self.std[3],
        })
    }

    /// How the shader knows the crop: its kind, the output's place in the resized image, and the padding.
    fn place(&self) -> Result<(u32, [i32; 2], u32)> {
        let signed = |x: usize| i32::try_from(x).unwrap_or(i32::MAX);
        let middle = |resized: [usize; 2]| {
            [0, 1].map(|axis: usize| {
                (signed(resized[axis]) - signed(self.output[axis])).div_euclid(2)
            })
        };
        Ok(match self.crop {
            Crop::Centre { resized } => (0, middle(resized), 0),
            Crop::Shifted { resized, by } => {
                let [top, left] = middle(resized);
                (
                    0,
                    [top.saturating_add(by[0]), left.saturating_add(by[1])],
                    0,
                )
            }
            Crop::At { top, left, .. } => (0, [signed(top), signed(left)], 0),
            Crop::Random { pad, .. } => (1, [0; 2], size(OP, "pad", pad)?),
            Crop::Area { .. } => (2, [0; 2], 0),
        })
    }
}

/// An error unless `share` and `ratio` are ascending limits within their ranges.
fn check_part(argument: &'static str, share: [f32; 2], ratio: [f32; 2]) -> Result<()> {
    let is_share = share[0] > 0.0 && share[0] <= share[1] && share[1] <= 1.0;
    let is_ratio = ratio[0] > 0.0 && ratio[0] <= ratio[1] && ratio[1].is_finite();
    if is_share && is_ratio {
        return Ok(());
    }
    let expected = "shares in (0, 1] and positive ratios, each from least to largest";
    let got = format!("{share:?} and {ratio:?}");
    Err(Error::argument(OP, argument, expected, got))
}

/// Whether a data set of so many images of `image_bytes` each can be resident on the device: in one binding.
#[must_use]
pub fn can_be_resident(device: &Device, images: usize, image_bytes: usize) -> bool {
    let bytes = images.saturating_mul(image_bytes);
    images <= MAX_IMAGES
        && u32::try_from(bytes).is_ok()
        && bytes.div_ceil(4) <= device.max_binding_words()
}

/// Images for a network, `[n, out_h, out_w, c]`, from `pixels`, bytes packed four to a word: `[n, in_h, in_w, c]`, or
/// `[images, in_h, in_w, c]` where a data set of so many is resident.
///
/// `samples` are the `n` images' numbers in the data set: with the seed and the step number in `step` they decide all
/// that is random. Of a resident data set they also say which images are taken; a number that it does not have, such as a
/// batch's padding, gives a black one.
///
/// # Errors
/// If a size or limit makes no sense, a length does not fit, memory runs out or the device fails.
pub fn forward(
    device: &Device,
    spec: &Augment,
    pixels: &Buffer,
    samples: &Buffer,
    step: &Buffer,
) -> Result<Buffer> {
    spec.check()?;
    let [out_h, out_w] = spec.output;
    let outputs = samples.len().saturating_mul(spec.channels * out_h * out_w);
    size(OP, "n", outputs)?;
    let y = device.alloc(outputs)?;
    forward_into(device, spec, [pixels, samples, step], &y)?;
    Ok(y)
}

/// The same into `y`, for several views of a batch in one place: `[pixels, samples, step]` as [`forward`] takes them.
///
/// # Errors
/// As [`forward`].
pub fn forward_into(
    device: &Device,
    spec: &Augment,
    [pixels, samples, step]: [&Buffer; 3],
    y: &Buffer,
) -> Result<()> {
    spec.check()?;
    let n = samples.len();
    let images = spec.resident.unwrap_or(n);
    if images > MAX_IMAGES {
        let expected = format!("at most {MAX_IMAGES}");
        return Err(Error::argument(OP, "images", expected, images.to_string()));
    }
    let elements = |n: usize, [h, w]: [usize; 2]| {
        let elements = n.saturating_mul(spec.channels * h * w);
        size(OP, "n", elements).map(|_| elements)
    };
    let bytes = elements(images, spec.input)?;
    check_len(OP, "pixels", pixels, bytes.div_ceil(4))?;
    check_len(OP, "step", step, StepScalars::WORDS)?;
    let outputs = elements(n, spec.output)?;
    check_len(OP, "y", y, outputs)?;
    let params = spec.params(n)?;
    let plan = device.alloc(n * RECORD)?;
    let grid = Grid::groups(n.div_ceil(64), 1, 1);
    device.launch(&PLAN, &params, &[samples, step], &[&plan], grid)?;
    let kernels = spec.kernels()?;
    let kernel = &kernels[usize::from(spec.is_resampled())];
    let grid = Grid::linear(outputs / spec.channels).flops(8 * outputs);
    device.launch(kernel, &params, &[pixels, &plan], &[y], grid)
}
