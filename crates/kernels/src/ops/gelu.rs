//! Gaussian error linear unit: `y = x P(X <= x)` for a standard normal `X`, that is `x (1 + erf(x / sqrt 2)) / 2` (Hendrycks
//! and Gimpel 2016), the exact form, which is PyTorch's default too.
//!
//! The gradient needs x: `dx = dy (P(X <= x) + x e^(-x^2 / 2) / sqrt(2 pi))`.

use super::{check_len, launch_elements};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::gelu::GeluParams;
use crate::device::Device;
use crate::error::Result;
use crate::kernel::Kernel;

const OP: &str = "gelu";
const FORWARD: Kernel<GeluParams> = Kernel::new(
    shaders::Variant::new(OP, "gelu_forward"),
    cpu::gelu::forward,
);
const BACKWARD: Kernel<GeluParams> = Kernel::new(
    shaders::Variant::new(OP, "gelu_backward"),
    cpu::gelu::backward,
);

/// `x P(X <= x)`, element-wise over any shape.
///
/// # Errors
/// If memory runs out or the device fails.
pub fn forward(device: &Device, x: &Buffer) -> Result<Buffer> {
    let y = device.alloc_as(x.width(), x.len())?;
    launch_elements(device, &FORWARD, &[x], &y, |n| GeluParams { n })?;
    Ok(y)
}

/// The gradient of x from that of y.
///
/// # Errors
/// If `dy` and `x` differ in length, memory runs out or the device fails.
pub fn backward(device: &Device, dy: &Buffer, x: &Buffer) -> Result<Buffer> {
    check_len(OP, "dy", dy, x.len())?;
    let dx = device.alloc_as(x.width(), x.len())?;
    launch_elements(device, &BACKWARD, &[dy, x], &dx, |n| GeluParams { n })?;
    Ok(dx)
}
