//! The operators, one module each: shapes, checks, launch.

pub mod accuracy;
mod activation;
pub mod adam;
pub mod augment;
pub mod avg_pool;
pub mod axis_sum;
pub mod batch_norm;
pub mod bias;
pub mod cast;
pub mod clip_grad_norm;
pub mod column_sum;
pub mod conv2d;
pub mod cross_entropy;
pub mod dropout;
pub mod elementwise;
pub mod ema;
pub mod gelu;
pub mod gemm;
pub mod im2col;
pub mod loss_scale;
pub mod lrn;
pub mod max_pool;
pub mod mix;
mod pool;
pub mod reduce;
pub mod relu;
pub mod resize;
pub mod sgd;
pub mod softmax;
pub mod strided_copy;
pub mod top_k;
pub mod unary;
pub mod window;
pub mod winograd;

pub use activation::Activation;

use std::ops::Range;

use shaders::variants::RowLanes;

use crate::buffer::{Buffer, Width};
use crate::device::Device;
pub(crate) use crate::error::size;
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel, Params};

/// An error unless `buffer` has `expected` elements.
pub(crate) fn check_len(
    op: &'static str,
    argument: &'static str,
    buffer: &Buffer,
    expected: usize,
) -> Result<()> {
    if buffer.len() == expected {
        return Ok(());
    }
    let got = format!("{} elements", buffer.len());
    Err(Error::argument(
        op,
        argument,
        format!("{expected} elements"),
        got,
    ))
}

/// Elements of an array of these sizes; of one that is too large to count, more than any buffer has.
pub(crate) fn elements(sizes: &[usize]) -> usize {
    sizes.iter().copied().fold(1, usize::saturating_mul)
}

/// Cuts `0..len` into ranges that each fit in a binding of `device` and start where windows may, whatever the width.
pub(crate) fn windows(device: &Device, len: usize) -> impl Iterator<Item = Range<usize>> {
    let alignment = Width::F16.alignment();
    let longest = (device.max_binding_words() / alignment).max(1) * alignment;
    (0..len)
        .step_by(longest)
        .map(move |start| start..len.min(start.saturating_add(longest)))
}

/// Cuts `0..rows` into ranges that start at a window's alignment and of which each operand fits in a binding of `device`,
/// where operand i has rows of `row_lens[i]` elements of `width`. Where not even the shortest such range fits, the launch will say so.
pub(crate) fn row_windows(
    device: &Device,
    width: Width,
    rows: usize,
    row_lens: &[usize],
) -> impl Iterator<Item = Range<usize>> + use<> {
    let longest = row_lens.iter().copied().max().unwrap_or(0).max(1);
    // Each is a power of two, so the largest is a multiple of all.
    let step = row_lens
        .iter()
        .map(|&len| aligned_rows(width, len))
        .max()
        .unwrap_or(1);
    // Also where elements are narrow, as others of as many rows need not be: a pool's places.
    let fitting = device.max_binding_words() / longest;
    let most = if fitting >= rows {
        rows
    } else {
        fitting / step * step
    };
    (0..rows)
        .step_by(most.max(step))
        .map(move |start| start..rows.min(start.saturating_add(most.max(step))))
}

/// The least number of rows of `row_len` elements after which a window may start.
fn aligned_rows(width: Width, row_len: usize) -> usize {
    let mut divisor = width.alignment();
    while !row_len.is_multiple_of(divisor) {
        divisor /= 2;
    }
    width.alignment() / divisor
}

/// Whole rows of `row_len` elements.
pub(crate) fn slice_rows(buffer: &Buffer, rows: &Range<usize>, row_len: usize) -> Result<Buffer> {
    buffer.slice(rows.start * row_len..rows.end * row_len)
}

/// Launches an element-wise kernel on buffers that are all as long, window by window, so that they may be longer than a
/// binding. `params` gives the parameters for a window of so many elements.
pub(crate) fn launch_elements<P: Params>(
    device: &Device,
    kernel: &Kernel<P>,
    reads: &[&Buffer],
    write: &Buffer,
    params: impl Fn(u32) -> P,
) -> Result<()> {
    for window in windows(device, write.len()) {
        let params = params(size(kernel.variant.stem, "x", window.len())?);
        let grid = Grid::vec4(window.len()).flops(window.len());
        let slices = reads.iter().map(|buffer| buffer.slice(window.clone()));
        let slices = slices.collect::<Result<Vec<_>>>()?;
        let reads: Vec<&Buffer> = slices.iter().collect();
        let write = write.slice(window)?;
        device.launch(kernel, &params, &reads, &[&write], grid)?;
    }
    Ok(())
}

/// How many vectors cover `elements` ones: of four elements each where that goes, else of one.
pub(crate) const fn vectors(elements: usize, is_vector: bool) -> usize {
    elements / if is_vector { 4 } else { 1 }
}

/// How many invocations share a row of `classes` elements, and the grid for `rows` of them.
pub(crate) fn row_lanes(rows: usize, classes: usize) -> (RowLanes, Grid) {
    // Up to half a workgroup of elements, sharing would leave more invocations idle than it employs.
    if classes <= 32 {
        (RowLanes::One, Grid::linear(rows))
    } else {
        (RowLanes::SixtyFour, Grid::rows(rows))
    }
}
