//! Resizing of bytes by the rules that other programs have: the methods that [`Interpolation`] names, besides the averaging
//! that decoding does by itself.
//!
//! Bicubic does what Pillow 12 does, to the bit: weights in whole numbers of 2^-22, along rows first, both times rounded.

use crate::error::DataError;

/// Fractional bits of Pillow's weights: of 32, 8 are the pixel's and 2 are spare.
const PRECISION: u32 = 32 - 8 - 2;
/// Pillow's bicubic: Keys' kernel with a = -1/2, which reaches two pixels to both sides.
const BICUBIC_A: f64 = -0.5;
const BICUBIC_SUPPORT: f64 = 2.0;

/// How pixels between pixels are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interpolation {
    /// A triangle, as wide as the scale where an image becomes smaller: `BILINEAR` of Pillow and torchvision.
    #[default]
    BilinearAntialias,
    /// Between the four nearest pixels, also where an image becomes smaller: `INTER_LINEAR` of `OpenCV`, and PyTorch and
    /// TensorFlow without antialiasing.
    Bilinear,
    /// The nearest pixel: `NEAREST` of Pillow and PyTorch's `nearest-exact`; what Keras' `flow_from_directory` does.
    Nearest,
    /// Cubic with antialiasing: `BICUBIC` of Pillow and torchvision.
    Bicubic,
}

/// Height and width of pixels before and after, and their channels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) from: [usize; 2],
    pub(crate) to: [usize; 2],
    pub(crate) channels: usize,
}

/// Resizes `pixels: [h, w, channels]` to `[h, w, channels]` of another size.
///
/// ```
/// use data::{Interpolation, resize};
///
/// let twice = resize(&[10, 20], [1, 2, 1], [1, 4], Interpolation::Nearest)?;
/// assert_eq!(twice, [10, 10, 20, 20]);
/// # Ok::<(), data::DataError>(())
/// ```
///
/// # Errors
/// [`DataError::Argument`] for a size of 0, or pixels that don't fill theirs.
pub fn resize(
    pixels: &[u8],
    [height, width, channels]: [usize; 3],
    to: [usize; 2],
    interpolation: Interpolation,
) -> Result<Vec<u8>, DataError> {
    let from = [height, width];
    let expected = height.saturating_mul(width).saturating_mul(channels);
    if pixels.is_empty() || pixels.len() != expected || to.contains(&0) {
        let expected = format!("{expected} bytes, more than 0, and sides of at least 1");
        let found = format!("{} bytes to {}x{}", pixels.len(), to[0], to[1]);
        return Err(DataError::argument("pixels", expected, found));
    }
    let sizes = Sizes { from, to, channels };
    Ok(resized(pixels, sizes, interpolation))
}

/// The same of what is known to be right.
pub(crate) fn resized(pixels: &[u8], sizes: Sizes, interpolation: Interpolation) -> Vec<u8> {
    let [rows, columns] = [0, 1].map(|axis: usize| (sizes.from[axis], sizes.to[axis]));
    match interpolation {
        Interpolation::Nearest => nearest(pixels, sizes),
        Interpolation::Bilinear => bilinear(pixels, sizes),
        Interpolation::BilinearAntialias | Interpolation::Bicubic => {
            let weights = |(from, to)| Weights::new(from, to, interpolation);
            let step = sizes.channels;
            let mut wide = pixels.to_vec();
            if columns.0 != columns.1 {
                let lines = wide.chunks_exact(columns.0 * step);
                let weights = weights(columns);
                wide = lines.flat_map(|line| weights.applied(line, step)).collect();
            }
            if rows.0 != rows.1 {
                wide = weights(rows).applied(&wide, columns.1 * step);
            }
            wide
        }
    }
}

/// The source position whose pixel is nearest to the centre of output position `at`.
fn nearest_of(at: usize, from: usize, to: usize) -> usize {
    ((2 * at + 1) * from / (2 * to)).min(from - 1)
}

fn nearest(pixels: &[u8], sizes: Sizes) -> Vec<u8> {
    let ([height, width], [out_height, out_width], step) = (sizes.from, sizes.to, sizes.channels);
    let mut out = Vec::with_capacity(out_height * out_width * step);
    for row in 0..out_height {
        let line = &pixels[nearest_of(row, height, out_height) * width * step..][..width * step];
        for column in 0..out_width {
            let at = nearest_of(column, width, out_width) * step;
            out.extend_from_slice(&line[at..at + step]);
        }
    }
    out
}

/// For an output position: the two source positions around it, and the share of the second.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "positions within an image"
)]
fn between(from: usize, to: usize) -> Vec<(usize, usize, f32)> {
    let scale = from as f64 / to as f64;
    let places = (0..to).map(|at| {
        let place = ((at as f64 + 0.5) * scale - 0.5).clamp(0.0, from as f64 - 1.0);
        let first = place as usize;
        let second = (first + 1).min(from - 1);
        (first, second, (place - first as f64) as f32)
    });
    places.collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mean of bytes is one"
)]
fn bilinear(pixels: &[u8], sizes: Sizes) -> Vec<u8> {
    let ([height, width], [out_height, out_width], step) = (sizes.from, sizes.to, sizes.channels);
    let (rows, columns) = (between(height, out_height), between(width, out_width));
    let line = |row: usize| &pixels[row * width * step..][..width * step];
    let mut out = Vec::with_capacity(out_height * out_width * step);
    for (top, bottom, down) in rows {
        let (top, bottom) = (line(top), line(bottom));
        for (left, right, across) in &columns {
            for channel in 0..step {
                let of = |line: &[u8]| {
                    let [a, b] = [left, right].map(|at| f32::from(line[at * step + channel]));
                    a + (b - a) * across
                };
                let (a, b) = (of(top), of(bottom));
                out.push((a + (b - a) * down + 0.5) as u8);
            }
        }
    }
    out
}

/// For each output position the first source position, and weights from there on.
struct Weights(Vec<(usize, Vec<i32>)>);

impl Weights {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "positions within an image, and weights of about one"
    )]
    fn new(from: usize, to: usize, interpolation: Interpolation) -> Self {
        let (kernel, support): (fn(f64) -> f64, f64) = match interpolation {
            Interpolation::Bicubic => (cubic, BICUBIC_SUPPORT),
            _ => (|x| (1.0 - x.abs()).max(0.0), 1.0),
        };
        let scale = from as f64 / to as f64;
        let wide = scale.max(1.0);
        let support = support * wide;
        let lists = (0..to).map(|at| {
            let centre = (at as f64 + 0.5) * scale;
            let begin = (centre - support + 0.5).max(0.0) as usize;
            let end = ((centre + support + 0.5) as usize).min(from);
            let weight = |place: usize| kernel((place as f64 - centre + 0.5) / wide);
            let weights: Vec<f64> = (begin..end).map(weight).collect();
            let sum: f64 = weights.iter().sum();
            let whole = |weight: &f64| (weight / sum * f64::from(1 << PRECISION)).round() as i32;
            (begin, weights.iter().map(whole).collect())
        });
        Self(lists.collect())
    }

    /// Weighs entries of so many bytes.
    fn applied(&self, entries: &[u8], step: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() * step);
        let mut sums = vec![0; step];
        for (first, weights) in &self.0 {
            sums.fill(1 << (PRECISION - 1));
            for (entry, weight) in entries[first * step..].chunks_exact(step).zip(weights) {
                for (sum, value) in sums.iter_mut().zip(entry) {
                    *sum += i32::from(*value) * weight;
                }
            }
            let byte = |sum: &i32| {
                let value = (sum >> PRECISION).clamp(0, 255);
                u8::try_from(value).expect("clamped to a byte")
            };
            out.extend(sums.iter().map(byte));
        }
        out
    }
}

/// Keys' cubic convolution kernel.
fn cubic(x: f64) -> f64 {
    let (a, x) = (BICUBIC_A, x.abs());
    if x < 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * a
    } else {
        0.0
    }
}
