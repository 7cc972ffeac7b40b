//! Rectified linear unit: `y = max(x, 0)` (Krizhevsky 2012, section 3.1).
//!
//! The gradient at 0 is 0, as PyTorch has it, and is taken from the output: `dx = dy where y > 0`.

use super::{check_len, launch_elements};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::relu::ReluParams;
use crate::device::Device;
use crate::error::Result;
use crate::kernel::Kernel;

const FORWARD: Kernel<ReluParams> = Kernel::new(
    shaders::Variant::new("relu", "relu_forward"),
    cpu::relu::forward,
);
const BACKWARD: Kernel<ReluParams> = Kernel::new(
    shaders::Variant::new("relu", "relu_backward"),
    cpu::relu::backward,
);

/// `y = max(x, 0)`, element-wise over any shape.
///
/// # Errors
/// If memory runs out or the device fails.
pub fn forward(device: &Device, x: &Buffer) -> Result<Buffer> {
    let y = device.alloc_as(x.width(), x.len())?;
    launch(device, &FORWARD, &[x], &y)?;
    Ok(y)
}

/// `dx = dy where y > 0, else 0`.
///
/// # Errors
/// If `dy` and `y` differ in length, memory runs out or the device fails.
pub fn backward(device: &Device, dy: &Buffer, y: &Buffer) -> Result<Buffer> {
    check_len("relu", "dy", dy, y.len())?;
    let dx = device.alloc_as(y.width(), y.len())?;
    launch(device, &BACKWARD, &[dy, y], &dx)?;
    Ok(dx)
}

fn launch(
    device: &Device,
    kernel: &Kernel<ReluParams>,
    reads: &[&Buffer],
    y: &Buffer,
) -> Result<()> {
    launch_elements(device, kernel, reads, y, |n| ReluParams { n })
}
