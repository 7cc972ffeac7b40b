//! Element-wise arithmetic over any shape: fill, add, sub, mul, div, scale, axpy.

use super::{check_len, launch_elements};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::elementwise::ElementwiseParams;
use crate::device::Device;
use crate::error::Result;
use crate::kernel::{Kernel, Twin};

const OP: &str = "elementwise";
const FILL: Kernel<ElementwiseParams> = kernel("elementwise_fill", cpu::elementwise::fill);
const ADD: Kernel<ElementwiseParams> = kernel("elementwise_add", cpu::elementwise::add);
const SUB: Kernel<ElementwiseParams> = kernel("elementwise_sub", cpu::elementwise::sub);
const MUL: Kernel<ElementwiseParams> = kernel("elementwise_mul", cpu::elementwise::mul);
const DIV: Kernel<ElementwiseParams> = kernel("elementwise_div", cpu::elementwise::div);
const SCALE: Kernel<ElementwiseParams> = kernel("elementwise_scale", cpu::elementwise::scale);
const AXPY: Kernel<ElementwiseParams> = kernel("elementwise_axpy", cpu::elementwise::axpy);

const fn kernel(entry: &'static str, twin: Twin<ElementwiseParams>) -> Kernel<ElementwiseParams> {
    Kernel::new(shaders::Variant::new(OP, entry), twin)
}

/// Sets every element of `y` to `value`.
///
/// # Errors
/// If the device fails.
pub fn fill(device: &Device, y: &Buffer, value: f32) -> Result<()> {
    launch(device, &FILL, value, &[], y)
}

/// `a + b`.
///
/// # Errors
/// If the lengths differ, memory runs out or the device fails.
pub fn add(device: &Device, a: &Buffer, b: &Buffer) -> Result<Buffer> {
    binary(device, &ADD, a, b)
}

/// `a - b`.
///
/// # Errors
/// As [`add`].
pub fn sub(device: &Device, a: &Buffer, b: &Buffer) -> Result<Buffer> {
    binary(device, &SUB, a, b)
}

/// `a b`, element by element.
///
/// # Errors
/// As [`add`].
pub fn mul(device: &Device, a: &Buffer, b: &Buffer) -> Result<Buffer> {
    binary(device, &MUL, a, b)
}

/// `a / b`, element by element.
///
/// # Errors
/// As [`add`].
pub fn div(device: &Device, a: &Buffer, b: &Buffer) -> Result<Buffer> {
    binary(device, &DIV, a, b)
}

/// `value x`.
///
/// # Errors
/// If memory runs out or the device fails.
pub fn scale(device: &Device, x: &Buffer, value: f32) -> Result<Buffer> {
    let y = device.alloc_as(x.width(), x.len())?;
    launch(device, &SCALE, value, &[x], &y)?;
    Ok(y)
}

/// A copy of `x` in memory of its own.
///
/// # Errors
/// If memory runs out or the device fails.
pub fn copy(device: &Device, x: &Buffer) -> Result<Buffer> {
    scale(device, x, 1.0)
}

/// `y += value x`, in place.
///
/// # Errors
/// If the lengths differ, both share memory, or the device fails.
pub fn axpy(device: &Device, value: f32, x: &Buffer, y: &Buffer) -> Result<()> {
    check_len(OP, "x", x, y.len())?;
    launch(device, &AXPY, value, &[x], y)
}

fn binary(
    device: &Device,
    kernel: &Kernel<ElementwiseParams>,
    a: &Buffer,
    b: &Buffer,
) -> Result<Buffer> {
    check_len(OP, "b", b, a.len())?;
    let y = device.alloc_as(a.width(), a.len())?;
    launch(device, kernel, 0.0, &[a, b], &y)?;
    Ok(y)
}

fn launch(
    device: &Device,
    kernel: &Kernel<ElementwiseParams>,
    value: f32,
    reads: &[&Buffer],
    y: &Buffer,
) -> Result<()> {
    launch_elements(device, kernel, reads, y, |n| ElementwiseParams { n, value })
}
