//! Local response normalisation: `y_i = x_i s_i^-beta`, `s_i = bias + alpha sum over a window of x_j^2` along the channels
//! (Krizhevsky 2012, section 3.3).
//!
//! alpha is on the raw sum of squares, as in the paper and in TensorFlow; PyTorch and ONNX divide it by the window. The
//! gradient is `dx_i = dy_i s_i^-beta - 2 alpha beta x_i sum of dy_j x_j s_j^(-beta - 1)` over the j whose windows hold i.
//! Backward needs x alone: the sums are taken again, which costs less than to keep them.

use shaders::variants;

use super::{check_len, row_windows, size, slice_rows};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::lrn::LrnParams;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel, Twin};

const OP: &str = "lrn";
/// The window and the constants. The default is the paper's: radius 2, bias 2, alpha 1e-4, beta 0.75.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lrn {
    /// Channels in the window before the one that is normalised.
    pub radius_before: usize,
    /// Channels in the window after it.
    pub radius_after: usize,
    /// What is added to the sum; the paper's k.
    pub bias: f32,
    /// The factor of the raw sum of squares.
    pub alpha: f32,
    /// The exponent.
    pub beta: f32,
}

impl Default for Lrn {
    fn default() -> Self {
        Self {
            radius_before: 2,
            radius_after: 2,
            bias: 2.0,
            alpha: 1e-4,
            beta: 0.75,
        }
    }
}

/// `y = x s^-beta`. x: `[.., channels]`, any number of rows.
///
/// # Errors
/// If the channels don't divide x, memory runs out or the device fails.
pub fn forward(device: &Device, spec: &Lrn, x: &Buffer, channels: usize) -> Result<Buffer> {
    let kernel = kernel("lrn_forward", cpu::lrn::forward, spec, channels);
    launch(device, &kernel, spec, &[x], channels)
}

/// The gradient of x. dy, x: `[.., channels]`.
///
/// # Errors
/// As [`forward`]; or if `dy` and `x` differ in length.
pub fn backward(
    device: &Device,
    spec: &Lrn,
    dy: &Buffer,
    x: &Buffer,
    channels: usize,
) -> Result<Buffer> {
    check_len(OP, "dy", dy, x.len())?;
    let kernel = kernel("lrn_backward", cpu::lrn::backward, spec, channels);
    launch(device, &kernel, spec, &[dy, x], channels)
}

fn kernel(
    entry: &'static str,
    twin: Twin<LrnParams>,
    spec: &Lrn,
    channels: usize,
) -> Kernel<LrnParams> {
    let is_paper = (spec.radius_before, spec.radius_after) == (2, 2) && channels.is_multiple_of(4);
    Kernel::new(variants::lrn(entry, is_paper), twin)
}

fn launch(
    device: &Device,
    kernel: &Kernel<LrnParams>,
    spec: &Lrn,
    reads: &[&Buffer],
    channels: usize,
) -> Result<Buffer> {
    let len = reads[0].len();
    if channels == 0 || !len.is_multiple_of(channels) {
        let expected = format!("whole rows of {channels} channels");
        return Err(Error::argument(
            OP,
            "x",
            expected,
            format!("{len} elements"),
        ));
    }
    // What reaches beyond the channels reaches nothing; and sums of positions stay far from 2^32.
    let reach = |radius: usize| size(OP, "radius", radius.min(channels));
    let y = device.alloc_as(reads[0].width(), len)?;
    for rows in row_windows(device, y.width(), len / channels, &[channels]) {
        let params = LrnParams {
            rows: size(OP, "rows", rows.len())?,
            channels: size(OP, "x", rows.len() * channels).and(size(OP, "channels", channels))?,
            before: reach(spec.radius_before)?,
            after: reach(spec.radius_after)?,
            bias: spec.bias,
            alpha: spec.alpha,
            beta: spec.beta,
        };
        let reads = reads
            .iter()
            .map(|buffer| slice_rows(buffer, &rows, channels));
        let reads = reads.collect::<Result<Vec<_>>>()?;
        let window = spec.radius_before + spec.radius_after + 1;
        let grid = Grid::linear(rows.len() * channels.div_ceil(4));
        device.launch(
            kernel,
            &params,
            &reads.iter().collect::<Vec<_>>(),
            &[&slice_rows(&y, &rows, channels)?],
            grid.flops(2 * rows.len() * channels * window.min(channels)),
        )?;
    }
    Ok(y)
}
