//! Softmax and its logarithm along rows, with the row's maximum taken off first, so that no finite input overflows
//! (Goodfellow 2016, section 4.1).
//!
//! `softmax: y_j = exp(x_j - m) / sum of exp(x_k - m)`, `dx_j = y_j (dy_j - sum of dy_k y_k)`;
//! `log-softmax: y_j = x_j - m - log sum of exp(x_k - m)`, `dx_j = dy_j - exp(y_j) sum of dy_k`, with `m = max x_k`.
//! x, y: `[rows, classes]`. For a loss there is `cross_entropy`, which does both in one.

use shaders::variants;

use super::{check_len, row_lanes, row_windows, size, slice_rows};
use crate::buffer::{Buffer, Width};
use crate::cpu;
use crate::cpu::softmax::SoftmaxParams;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Kernel, Twin};

const OP: &str = "softmax";

/// Which of the two functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Probabilities.
    Softmax,
    /// Their logarithms, without the loss of taking them afterwards.
    LogSoftmax,
}

/// `y` from `x: [.., classes]`.
///
/// # Errors
/// If the classes don't divide x, memory runs out or the device fails.
pub fn forward(device: &Device, kind: Kind, x: &Buffer, classes: usize) -> Result<Buffer> {
    let (entry, twin): (_, Twin<SoftmaxParams>) = match kind {
        Kind::Softmax => ("softmax_forward", cpu::softmax::forward::<false>),
        Kind::LogSoftmax => ("log_softmax_forward", cpu::softmax::forward::<true>),
    };
    launch(device, entry, twin, &[x], classes)
}

/// `dx` from `dy` and what [`forward`] gave.
///
/// # Errors
/// As [`forward`]; or if `dy` and `y` differ in length.
pub fn backward(
    device: &Device,
    kind: Kind,
    dy: &Buffer,
    y: &Buffer,
    classes: usize,
) -> Result<Buffer> {
    check_len(OP, "dy", dy, y.len())?;
    let (entry, twin): (_, Twin<SoftmaxParams>) = match kind {
        Kind::Softmax => ("softmax_backward", cpu::softmax::backward::<false>),
        Kind::LogSoftmax => ("log_softmax_backward", cpu::softmax::backward::<true>),
    };
    launch(device, entry, twin, &[dy, y], classes)
}

fn launch(
    device: &Device,
    entry: &'static str,
    twin: Twin<SoftmaxParams>,
    reads: &[&Buffer],
    classes: usize,
) -> Result<Buffer> {
    let len = reads[0].len();
    if classes == 0 || !len.is_multiple_of(classes) {
        let expected = format!("whole rows of {classes} classes");
        return Err(Error::argument(
            OP,
            "x",
            expected,
            format!("{len} elements"),
        ));
    }
    let result = device.alloc(len)?;
    for rows in row_windows(device, Width::Word, len / classes, &[classes]) {
        let params = SoftmaxParams {
            rows: size(OP, "rows", rows.len())?,
            classes: size(OP, "classes", classes)?,
        };
        let reads = reads
            .iter()
            .map(|buffer| slice_rows(buffer, &rows, classes));
        let reads = reads.collect::<Result<Vec<_>>>()?;
        let (lanes, grid) = row_lanes(rows.len(), classes);
        let kernel = Kernel::new(variants::softmax(entry, lanes), twin);
        // An exponential counts as one operation.
        let grid = grid.flops(4 * rows.len() * classes);
        let reads: Vec<&Buffer> = reads.iter().collect();
        let result = slice_rows(&result, &rows, classes)?;
        device.launch(&kernel, &params, &reads, &[&result], grid)?;
    }
    Ok(result)
}
