//! Sums of columns, `y_j = sum over i of x_ij`: the gradient of a bias, in a fixed order.

use super::{check_len, size, vectors};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::column_sum::ColumnSumParams;
use crate::device::Device;
use crate::error::Result;
use crate::kernel::{Grid, Kernel};

const OP: &str = "column_sum";

/// The least rows of a part: sixteen for each of the invocations that share a column.
const LEAST_PART: usize = 256;

/// The rows of a part on a GPU: two turns are enough for 65,536 rows in the shortest parts, and for any number in longer ones.
pub(super) fn rows_per_part(rows: usize) -> usize {
    rows.div_ceil(LEAST_PART).max(LEAST_PART)
}

/// The grid of a kernel that takes 16 columns of a part a workgroup.
pub(super) fn grid(parts: usize, columns: usize, is_vector: bool) -> Grid {
    Grid::groups(vectors(columns, is_vector).div_ceil(16), parts, 1)
}

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
    let rows_per_part = rows_per_part(rows);
    let parts = rows.div_ceil(rows_per_part).max(1);
    let sums = device.alloc(parts * columns)?;
    launch(device, x, &sums, [rows, columns, rows_per_part])?;
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
    let parts = rows.div_ceil(rows_per_part).max(1);
    let grid = grid(parts, columns, is_vector).flops(x.len());
    device.launch(&kernel, &params, &[x], &[y], grid)
}
