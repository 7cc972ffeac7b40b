//! Bias: `y_ij = x_ij + b_j`, then the activation. `dx = dy` (where `y > 0` with ReLU), `db` = column sums of `dx`.
//!
//! Products and convolutions add theirs as they write ([`super::gemm::Epilogue`]); this is for everything else.

use super::{Activation, check_len, column_sum, relu, row_windows, size, slice_rows, vectors};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::bias::BiasParams;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel};

const OP: &str = "bias";

/// `x + bias` for `x: [.., columns]` and `bias: [columns]`, then the activation.
///
/// # Errors
/// If `x` is not a whole number of rows, memory runs out or the device fails.
pub fn forward(
    device: &Device,
    x: &Buffer,
    bias: &Buffer,
    activation: Activation,
) -> Result<Buffer> {
    let is_relu = activation.is_relu();
    let columns = bias.len();
    if columns == 0 || !x.len().is_multiple_of(columns) {
        let expected = format!("rows of {columns} elements");
        return Err(Error::argument(
            OP,
            "x",
            expected,
            format!("{} elements", x.len()),
        ));
    }
    let is_vector = columns.is_multiple_of(4);
    let twin = if is_relu {
        cpu::bias::forward_relu
    } else {
        cpu::bias::forward
    };
    let kernel = Kernel::new(shaders::variants::bias(is_vector, is_relu), twin);
    let y = device.alloc(x.len())?;
    for rows in row_windows(device, x.width(), x.len() / columns, &[columns]) {
        let n = rows.len() * columns;
        let params = BiasParams {
            n: size(OP, "x", n)?,
            columns: size(OP, "bias", columns)?,
        };
        let grid = Grid::linear(vectors(n, is_vector)).flops(n);
        let [x, y] = [
            slice_rows(x, &rows, columns)?,
            slice_rows(&y, &rows, columns)?,
        ];
        device.launch(&kernel, &params, &[&x, bias], &[&y], grid)?;
    }
    Ok(y)
}

/// The gradients with respect to `x` and `bias: [columns]`. `y` is the output if ReLU was applied.
///
/// # Errors
/// If `dy` is not a whole number of rows or `y` has another length, memory runs out or the device fails.
pub fn backward(
    device: &Device,
    dy: &Buffer,
    y: Option<&Buffer>,
    columns: usize,
) -> Result<(Buffer, Buffer)> {
    let rows = dy.len() / columns.max(1);
    check_len(OP, "dy", dy, rows * columns)?;
    let dx = match y {
        Some(y) => relu::backward(device, dy, y)?,
        None => dy.clone(),
    };
    let db = column_sum::forward(device, &dx, rows, columns)?;
    Ok((dx, db))
}
