//! Resizing of float images, as PyTorch's `interpolate`, ONNX's `Resize` and Pillow's `resize`: bilinear, bicubic or nearest.
//!
//! Output position `o` looks at the source around `scale (o + 1/2) + offset`, where pixel `i` has its centre at
//! `i + 1/2`, through a kernel that reaches one pixel to both sides (a triangle) or two (Keys' cubic), times `scale` with
//! antialiasing when `scale > 1`. Weights are computed on the host in f64 and sum to 1; the backward pass is the same
//! kernel with the transposed weights.

use super::{check_len, size};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::resize::ResizeParams;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel};

const OP: &str = "resize";
const RESIZE: Kernel<ResizeParams> = Kernel::new(
    shaders::Variant::new("resize", "resize"),
    cpu::resize::resize,
);

/// How pixels between pixels are made.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Method {
    /// By a triangle.
    #[default]
    Linear,
    /// Keys' cubic convolution with this `a`: PyTorch's and ONNX's is -0.75, Pillow's, and PyTorch's with antialiasing, -0.5.
    Cubic(f64),
    /// The nearest pixel.
    Nearest(Ties),
}

/// Which pixel is the nearest at a place within the source, whose pixel `i` covers `i..i + 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ties {
    /// The one whose centre is nearest, of two the first: ONNX's `round_prefer_floor`.
    First,
    /// Of two the second: `round_prefer_ceil`; Pillow's, and PyTorch's `nearest-exact`.
    Second,
    /// The one whose centre is not behind the place: `floor`.
    Floor,
    /// The one whose centre is not before it: `ceil`.
    Ceil,
}

/// What a kernel sees outside of the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outside {
    /// The edge's pixel, or with antialiasing nothing, so that what is inside counts more: PyTorch and Pillow.
    #[default]
    Usual,
    /// The edge's pixel: ONNX.
    Edge,
    /// Nothing: ONNX's `exclude_outside`.
    Nothing,
}

/// What is resized to what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resize {
    /// Height and width of the source.
    pub input: [usize; 2],
    /// Height and width of the result.
    pub output: [usize; 2],
    /// Channels, the last dimension.
    pub channels: usize,
    /// Source pixels per output pixel along each axis.
    pub scale: [f64; 2],
    /// Where the output's edge lies in the source along each axis, in pixels.
    pub offset: [f64; 2],
    /// How pixels between pixels are made.
    pub method: Method,
    /// Whether the kernel widens with the scale, so that down-scaling does not alias.
    pub is_antialiased: bool,
    /// What a kernel sees outside of the source.
    pub outside: Outside,
    /// Whether the results are rounded to whole numbers in `0..=255`, as for images of bytes.
    pub is_rounded: bool,
}

impl Resize {
    /// The whole source to the whole output: PyTorch's `align_corners=False`.
    #[must_use]
    pub fn new(input: [usize; 2], output: [usize; 2], channels: usize) -> Self {
        Self {
            input,
            output,
            channels,
            scale: [0, 1].map(|i: usize| input[i] as f64 / output[i] as f64),
            offset: [0.0; 2],
            method: Method::Linear,
            is_antialiased: false,
            outside: Outside::default(),
            is_rounded: false,
        }
    }

    /// The corner pixels' centres to the corner pixels' centres: `align_corners=True`.
    #[must_use]
    pub fn with_aligned_corners(self) -> Self {
        let scale = [0, 1].map(|i: usize| {
            let steps = self.output[i].saturating_sub(1);
            if steps == 0 {
                0.0
            } else {
                (self.input[i] as f64 - 1.0) / steps as f64
            }
        });
        Self {
            scale,
            offset: scale.map(|scale| 0.5 - 0.5 * scale),
            ..self
        }
    }

    fn elements(&self, [h, w]: [usize; 2], n: usize) -> usize {
        [n, h, w, self.channels]
            .into_iter()
            .fold(1, usize::saturating_mul)
    }

    fn check(&self, n: usize) -> Result<()> {
        let sizes = [self.input, self.output];
        let is_valid = sizes
            .iter()
            .flatten()
            .all(|side| (1..1 << 24).contains(side))
            && self.channels > 0
            && self.scale.iter().chain(&self.offset).all(|x| x.is_finite());
        if !is_valid {
            let got = format!("{self:?}");
            return Err(Error::argument(
                OP,
                "spec",
                "sides of 1 to 2^24, finite scales",
                got,
            ));
        }
        for size_of in sizes {
            size(OP, "n", self.elements(size_of, n))?;
        }
        Ok(())
    }

    /// The weights along one axis.
    fn weights(&self, axis: usize) -> Weights {
        let (scale, offset) = (self.scale[axis], self.offset[axis]);
        let length = self.input[axis] as f64;
        let wide = if self.is_antialiased {
            scale.max(1.0)
        } else {
            1.0
        };
        let lists = (0..self.output[axis]).map(|at| {
            let mut centre = (at as f64 + 0.5) * scale + offset;
            match self.method {
                Method::Nearest(ties) => nearest(centre, length, ties),
                Method::Linear => {
                    if !self.is_antialiased {
                        centre = centre.clamp(0.5, length - 0.5);
                    }
                    let triangle = |x: f64| (1.0 - x.abs()).max(0.0);
                    let seen = Seen {
                        centre,
                        wide,
                        reach: wide,
                    };
                    seen.weights(triangle, length, self.outside == Outside::Edge)
                }
                Method::Cubic(a) => {
                    let seen = Seen {
                        centre,
                        wide,
                        reach: 2.0 * wide,
                    };
                    let repeats = match self.outside {
                        Outside::Usual => !self.is_antialiased,
                        Outside::Edge => true,
                        Outside::Nothing => false,
                    };
                    seen.weights(|x| cubic(a, x), length, repeats)
                }
            }
        });
        Weights(lists.collect())
    }
}

/// The pixel that is nearest to a place, with all the weight.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions lie within the image"
)]
fn nearest(place: f64, length: f64, ties: Ties) -> (usize, Vec<f64>) {
    // With centres at whole numbers.
    let place = place - 0.5;
    let pixel = match ties {
        Ties::First => (place - 0.5).ceil(),
        Ties::Second => (place + 0.5).floor(),
        Ties::Floor => place.floor(),
        Ties::Ceil => place.ceil(),
    };
    (pixel.clamp(0.0, length - 1.0) as usize, vec![1.0])
}

/// Keys' cubic convolution kernel.
fn cubic(a: f64, x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * a
    } else {
        0.0
    }
}

/// What an output position sees: a kernel that is so many times as wide as its own, and reaches so far to both sides.
struct Seen {
    centre: f64,
    wide: f64,
    reach: f64,
}

impl Seen {
    /// The first position, and the weights from there on, of a kernel within `0..length`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positions lie within the image"
    )]
    fn weights(
        &self,
        kernel: impl Fn(f64) -> f64,
        length: f64,
        repeats_edge: bool,
    ) -> (usize, Vec<f64>) {
        let Self {
            centre,
            wide,
            reach,
        } = *self;
        let begin = (centre - reach + 0.5).floor();
        let end = (centre + reach + 0.5).floor();
        let first = begin.clamp(0.0, length - 1.0);
        let count = end.clamp(first + 1.0, length) - first;
        let mut weights = vec![0.0; count as usize];
        let mut position = begin;
        while position < end {
            let weight = kernel((position + 0.5 - centre) / wide);
            let inside = position.clamp(first, first + count - 1.0);
            if repeats_edge || inside == position {
                weights[(inside - first) as usize] += weight;
            }
            position += 1.0;
        }
        let sum: f64 = weights.iter().sum();
        if sum > 0.0 {
            weights.iter_mut().for_each(|weight| *weight /= sum);
        }
        (first as usize, weights)
    }
}

/// For each position of one side the first position of the other, and weights from there on.
struct Weights(Vec<(usize, Vec<f64>)>);

impl Weights {
    /// The weights seen from the other side, which has `length` positions.
    fn transposed(&self, length: usize) -> Self {
        let mut lists: Vec<(usize, Vec<f64>)> = vec![(0, Vec::new()); length];
        for (at, (first, weights)) in self.0.iter().enumerate() {
            for (source, &weight) in (*first..).zip(weights) {
                if weight == 0.0 {
                    continue;
                }
                let (start, list) = &mut lists[source];
                if list.is_empty() {
                    *start = at;
                }
                list.resize(at - *start, 0.0);
                list.push(weight);
            }
        }
        Self(lists)
    }

    /// The most weights of a position.
    fn taps(&self) -> usize {
        self.0
            .iter()
            .map(|(_, weights)| weights.len())
            .max()
            .unwrap_or(0)
            .max(1)
    }

    /// As the shader reads them: records of the first position and [`Weights::taps`] weights.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding to f32 is the purpose"
    )]
    fn words(&self) -> Result<Vec<u32>> {
        let taps = self.taps();
        let mut words = Vec::with_capacity(self.0.len() * (1 + taps));
        for (first, weights) in &self.0 {
            words.push(size(OP, "input", *first)?);
            let padded = weights.iter().copied().chain(std::iter::repeat(0.0));
            words.extend(padded.take(taps).map(|weight| (weight as f32).to_bits()));
        }
        Ok(words)
    }
}

/// `y: [n, out_h, out_w, channels]` from `x: [n, in_h, in_w, channels]`.
///
/// # Errors
/// If a size makes no sense or a length does not fit, memory runs out or the device fails.
pub fn forward(device: &Device, spec: &Resize, x: &Buffer) -> Result<Buffer> {
    let image = spec.elements(spec.input, 1).max(1);
    let n = x.len() / image;
    spec.check(n)?;
    check_len(OP, "x", x, n * image)?;
    let weights = [spec.weights(0), spec.weights(1)];
    launch(device, spec, n, x, &weights)
}

/// `dx` from `dy`, shaped as forward's output and input.
///
/// # Errors
/// As [`forward`]; or if the results are rounded, which has no gradient.
pub fn backward(device: &Device, spec: &Resize, dy: &Buffer) -> Result<Buffer> {
    if spec.is_rounded {
        return Err(Error::argument(
            OP,
            "spec",
            "results that are not rounded",
            "rounded",
        ));
    }
    let image = spec.elements(spec.output, 1).max(1);
    let n = dy.len() / image;
    spec.check(n)?;
    check_len(OP, "dy", dy, n * image)?;
    let weights = [0, 1].map(|axis: usize| spec.weights(axis).transposed(spec.input[axis]));
    let back = Resize {
        input: spec.output,
        output: spec.input,
        ..*spec
    };
    launch(device, &back, n, dy, &weights)
}

fn launch(
    device: &Device,
    spec: &Resize,
    n: usize,
    x: &Buffer,
    [rows, columns]: &[Weights; 2],
) -> Result<Buffer> {
    let outputs = spec.elements(spec.output, n);
    let y = device.alloc(outputs)?;
    let (taps_h, taps_w) = (rows.taps(), columns.taps());
    let params = ResizeParams {
        n: size(OP, "n", n)?,
        in_h: size(OP, "input", spec.input[0])?,
        in_w: size(OP, "input", spec.input[1])?,
        out_h: size(OP, "output", spec.output[0])?,
        out_w: size(OP, "output", spec.output[1])?,
        channels: size(OP, "channels", spec.channels)?,
        taps_h: size(OP, "taps", taps_h)?,
        taps_w: size(OP, "taps", taps_w)?,
        rounded: u32::from(spec.is_rounded),
    };
    let rows = device.upload(&rows.words()?)?;
    let columns = device.upload(&columns.words()?)?;
    let grid = Grid::linear(outputs).flops(2 * outputs * taps_h * (taps_w + 1));
    device.launch(&RESIZE, &params, &[x, &rows, &columns], &[&y], grid)?;
    Ok(y)
}
