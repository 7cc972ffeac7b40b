//! Sums of columns, `y_j = sum over i of x_ij`: the gradient of a bias, in a fixed order.

use super::{check_len, size};
use crate::buffer::Buffer;
use crate::cpu;
use crate::device::Device;
use crate::error::Result;
use crate::kernel::{Grid, Kernel, params};

const OP: &str = "column_sum";

params! {
    /// Parameters of the kernel.
    pub(crate) struct ColumnSumParams {
        rows: u32,
        columns: u32,
        rows_per_part: u32,
    }
}

/// Rows that one invocation adds up: the square root of the most rows AlexNet has at batch 128 (128 x 55 x 55), so that
/// two turns are enough, and short enough to keep rounding small.
const ROWS_PER_PART: usize = 512;

/// The sums of the columns of `x`: `[rows, columns]` to `[columns]`.
///
/// # Errors
/// If `x` has another length, memory runs out or the device fails.
pub fn forward(device: &Device, x: &Buffer, rows: usize, columns: usize) -> Result<Buffer> {
    check_len(OP, "x", x, rows * columns)?;
    if device.is_cpu() {
        let y = device.alloc(columns)?;
        launch(device, x, &y, [rows, columns, rows])?;
        return Ok(y);
    }
    if x.len() > device.max_binding_words() {
        return forward_in_windows(device, x, rows, columns);
    }
    let parts = rows.div_ceil(ROWS_PER_PART).max(1);
    let sums = device.alloc(parts * columns)?;
    launch(device, x, &sums, [rows, columns, ROWS_PER_PART])?;
    if parts == 1 {
        Ok(sums)
    } else {
        forward(device, &sums, parts, columns)
    }
}

/// Adds up the sums of windows that each fit in a binding.
fn forward_in_windows(device: &Device, x: &Buffer, rows: usize, columns: usize) -> Result<Buffer> {
    let sum = device.alloc(columns)?;
    super::elementwise::fill(device, &sum, 0.0)?;
    for window in super::row_windows(device, x.width(), rows, &[columns]) {
        let part = forward(
            device,
            &super::slice_rows(x, &window, columns)?,
            window.len(),
            columns,
        )?;
        super::elementwise::axpy(device, 1.0, &part, &sum)?;
    }
    Ok(sum)
}

fn launch(
    device: &Device,
    x: &Buffer,
    y: &Buffer,
    [rows, columns, rows_per_part]: [usize; 3],
) -> Result<()> {
    let is_vector = columns.is_multiple_of(4);
    let kernel = Kernel::new(
        shaders::variants::column_sum(is_vector),
        cpu::column_sum::forward,
    );
    let params = ColumnSumParams {
        rows: size(OP, "rows", rows)?,
        columns: size(OP, "columns", columns)?,
        rows_per_part: size(OP, "rows", rows_per_part)?,
    };
    let invocations = y.len() / if is_vector { 4 } else { 1 };
    let grid = Grid::linear(invocations).flops(x.len());
    device.launch(&kernel, &params, &[x], &[y], grid)
}
