//! The k largest elements of each row, in falling order; equal ones by their index, a NaN before all.

use super::{check_len, size};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::top_k::TopKParams;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel};

const OP: &str = "top_k";
const FORWARD: Kernel<TopKParams> = Kernel::new(
    shaders::Variant::new(OP, "top_k_forward"),
    cpu::top_k::forward,
);

/// The `k` largest of each row of `x: [rows, classes]`: their values, and as words their indices in the row, `[rows, k]`
/// both.
///
/// # Errors
/// If `k` is 0 or more than the classes, x has another length, memory runs out or the device fails.
pub fn forward(
    device: &Device,
    x: &Buffer,
    [rows, classes]: [usize; 2],
    k: usize,
) -> Result<(Buffer, Buffer)> {
    check_len(OP, "x", x, rows.saturating_mul(classes))?;
    if k == 0 || k > classes {
        let expected = format!("1 to {classes} (the classes)");
        return Err(Error::argument(OP, "k", expected, k.to_string()));
    }
    size(OP, "x", x.len())?;
    let (values, indices) = (device.alloc(rows * k)?, device.alloc(rows * k)?);
    let params = TopKParams {
        rows: size(OP, "rows", rows)?,
        classes: size(OP, "classes", classes)?,
        k: size(OP, "k", k)?,
    };
    let grid = Grid::linear(x.len()).flops(x.len().saturating_mul(classes));
    device.launch(&FORWARD, &params, &[x], &[&values, &indices], grid)?;
    Ok((values, indices))
}
