//! Sums along one axis: `y[o, i] = factor sum over l of x[o, l, i]`, with a factor of 1 or, for means, one over the axis.

use super::{check_len, row_windows, size, slice_rows};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::axis_sum::AxisSumParams;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel};

const OP: &str = "axis_sum";
const FORWARD: Kernel<AxisSumParams> = Kernel::new(
    shaders::Variant::new(OP, "axis_sum_forward"),
    cpu::axis_sum::forward,
);
const BACKWARD: Kernel<AxisSumParams> = Kernel::new(
    shaders::Variant::new(OP, "axis_sum_backward"),
    cpu::axis_sum::backward,
);

/// The sizes of `x: [outer, axis, inner]`, and what the sums are multiplied by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AxisSum {
    /// The dimensions before the axis, multiplied.
    pub outer: usize,
    /// The axis that is added up.
    pub axis: usize,
    /// The dimensions behind it, multiplied.
    pub inner: usize,
    /// What each sum is multiplied by.
    pub factor: f32,
}

/// The sums `y: [outer, inner]` of `x: [outer, axis, inner]`.
///
/// # Errors
/// If a size is 0, `x` has another length, memory runs out or the device fails.
pub fn forward(device: &Device, spec: &AxisSum, x: &Buffer) -> Result<Buffer> {
    launch(device, spec, x, true)
}

/// The gradient of x. dy: `[outer, inner]`.
///
/// # Errors
/// As [`forward`].
pub fn backward(device: &Device, spec: &AxisSum, dy: &Buffer) -> Result<Buffer> {
    launch(device, spec, dy, false)
}

fn launch(device: &Device, spec: &AxisSum, from: &Buffer, is_forward: bool) -> Result<Buffer> {
    let AxisSum {
        outer,
        axis,
        inner,
        factor,
    } = *spec;
    if [outer, axis, inner].contains(&0) {
        let got = format!("[{outer}, {axis}, {inner}]");
        return Err(Error::argument(OP, "x", "no dimension of 0", got));
    }
    let row_len = axis.saturating_mul(inner);
    let (kernel, argument, from_len, to_len) = if is_forward {
        (&FORWARD, "x", row_len, inner)
    } else {
        (&BACKWARD, "dy", inner, row_len)
    };
    check_len(OP, argument, from, outer.saturating_mul(from_len))?;
    // Places, as the shader counts them.
    size(OP, "x", outer.saturating_mul(row_len))?;
    let to = device.alloc_as(from.width(), outer.saturating_mul(to_len))?;
    for rows in row_windows(device, from.width(), outer, &[from_len, to_len]) {
        let n = rows.len() * to_len;
        let params = AxisSumParams {
            n: size(OP, "x", n)?,
            axis: size(OP, "axis", axis)?,
            inner: size(OP, "x", inner)?,
            factor,
        };
        let grid = Grid::linear(n).flops(rows.len() * row_len);
        let (from, to) = (
            slice_rows(from, &rows, from_len)?,
            slice_rows(&to, &rows, to_len)?,
        );
        device.launch(kernel, &params, &[&from], &[&to], grid)?;
    }
    Ok(to)
}
