//! Sums of all elements, in a fixed order that depends on their number alone: sum, mean, sum of squares; and the way back,
//! which repeats a row.

use super::{row_windows, size, windows};
use crate::buffer::{Buffer, Width};
use crate::cpu;
use crate::cpu::reduce::ReduceParams;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel, Twin};

const OP: &str = "reduce";
const SUM: Kernel<ReduceParams> = kernel("reduce_sum", cpu::reduce::sum);
const SQUARE_SUM: Kernel<ReduceParams> = kernel("reduce_square_sum", cpu::reduce::square_sum);
const BROADCAST: Kernel<ReduceParams> = kernel("reduce_broadcast", cpu::reduce::broadcast);

/// Elements that one invocation adds up: enough turns of 256 shrink the largest weights (38 million) to one in three.
const PART_LEN: usize = 256;
/// As many sums as keep a large GPU busy.
const MAX_PARTS: usize = 1 << 16;

const fn kernel(entry: &'static str, twin: Twin<ReduceParams>) -> Kernel<ReduceParams> {
    Kernel::new(shaders::Variant::new(OP, entry), twin)
}

/// The sum of all elements of `x`, as one element.
///
/// # Errors
/// If memory runs out or the device fails.
pub fn sum(device: &Device, x: &Buffer) -> Result<Buffer> {
    reduce(device, &SUM, x, 1.0)
}

/// The mean of all elements of `x`, as one element.
///
/// # Errors
/// If `x` is empty, memory runs out or the device fails.
pub fn mean(device: &Device, x: &Buffer) -> Result<Buffer> {
    if x.is_empty() {
        return Err(Error::argument(OP, "x", "at least one element", "none"));
    }
    #[expect(clippy::cast_precision_loss, reason = "rounds like any other operand")]
    let factor = 1.0 / x.len() as f32;
    reduce(device, &SUM, x, factor)
}

/// The sum of the squares of all elements of `x`, as one element.
///
/// # Errors
/// If memory runs out or the device fails.
pub fn square_sum(device: &Device, x: &Buffer) -> Result<Buffer> {
    reduce(device, &SQUARE_SUM, x, 1.0)
}

/// `y_i = factor row_(i mod len)` for `n` elements: the gradient of a sum over rows, or with one element of any sum.
///
/// # Errors
/// If `row` is empty, memory runs out or the device fails.
pub fn broadcast(device: &Device, row: &Buffer, n: usize, factor: f32) -> Result<Buffer> {
    if row.is_empty() {
        return Err(Error::argument(OP, "row", "at least one element", "none"));
    }
    let y = device.alloc(n)?;
    let len = row.len();
    for rows in row_windows(device, Width::Word, n.div_ceil(len), &[len]) {
        let y = y.slice(rows.start * len..n.min(rows.end * len))?;
        let params = params(y.len(), len, factor)?;
        let grid = Grid::linear(y.len()).flops(y.len());
        device.launch(&BROADCAST, &params, &[row], &[&y], grid)?;
    }
    Ok(y)
}

fn reduce(
    device: &Device,
    first: &Kernel<ReduceParams>,
    x: &Buffer,
    factor: f32,
) -> Result<Buffer> {
    if x.len() <= device.max_binding_words() {
        return turns(device, first, x, factor);
    }
    let sum = device.alloc(1)?;
    super::elementwise::fill(device, &sum, 0.0)?;
    for window in windows(device, x.len()) {
        let part = turns(device, first, &x.slice(window)?, factor)?;
        super::elementwise::axpy(device, 1.0, &part, &sum)?;
    }
    Ok(sum)
}

/// Adds up the parts of the parts until one is left; the factor is applied once, at the end.
fn turns(device: &Device, first: &Kernel<ReduceParams>, x: &Buffer, factor: f32) -> Result<Buffer> {
    let parts = if x.len() <= 2 * PART_LEN {
        1
    } else {
        x.len().div_ceil(PART_LEN).min(MAX_PARTS)
    };
    let y = device.alloc(parts)?;
    let is_last = parts == 1;
    let params = params(x.len(), parts, if is_last { factor } else { 1.0 })?;
    let grid = Grid::linear(parts).flops(2 * x.len());
    device.launch(first, &params, &[x], &[&y], grid)?;
    if is_last {
        return Ok(y);
    }
    turns(device, &SUM, &y, factor)
}

fn params(n: usize, parts: usize, factor: f32) -> Result<ReduceParams> {
    // The step beyond the last element must not wrap.
    size(OP, "x", n.saturating_add(parts))?;
    Ok(ReduceParams {
        n: size(OP, "x", n)?,
        parts: size(OP, "x", parts)?,
        factor,
    })
}
