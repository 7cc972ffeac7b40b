//! Mean over windows: `y[n, oy, ox, c] = sum over ky, kx of x[n, oy s - p + ky d, ox s - p + kx d, c] / taps counted`.
//!
//! The divisor counts the taps inside the image or, if asked for, inside the padded image, as PyTorch and ONNX do; what
//! ceil mode adds beyond the padding never counts.

pub use super::pool::Pool;
use super::pool::words;
use super::slice_rows;
use super::window::Placement;
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::avg_pool::AvgPoolParams;
use crate::device::Device;
use crate::error::Result;
use crate::kernel::{Grid, Kernel};

const OP: &str = "avg_pool";
const FORWARD: Kernel<AvgPoolParams> = Kernel::new(
    shaders::Variant::new(OP, "avg_pool_forward"),
    cpu::avg_pool::forward,
);
const BACKWARD: Kernel<AvgPoolParams> = Kernel::new(
    shaders::Variant::new(OP, "avg_pool_backward"),
    cpu::avg_pool::backward,
);

/// The means `y: [n, out_h, out_w, channels]` of `x: [n, h, w, channels]`.
///
/// # Errors
/// If x does not have the stated size, the window does not fit, memory runs out or the device fails.
pub fn forward(device: &Device, pool: &Pool, counts_padding: bool, x: &Buffer) -> Result<Buffer> {
    launch(device, pool, counts_padding, x, true)
}

/// The gradient of x. dy: `[n, out_h, out_w, channels]`.
///
/// # Errors
/// As [`forward`].
pub fn backward(device: &Device, pool: &Pool, counts_padding: bool, dy: &Buffer) -> Result<Buffer> {
    launch(device, pool, counts_padding, dy, false)
}

fn launch(
    device: &Device,
    pool: &Pool,
    counts_padding: bool,
    from: &Buffer,
    is_forward: bool,
) -> Result<Buffer> {
    let placement = pool.place(OP)?;
    let (input_len, output_len) = (pool.input_len(), pool.output_len(&placement));
    let (kernel, argument, from_len, to_len) = if is_forward {
        (&FORWARD, "x", input_len, output_len)
    } else {
        (&BACKWARD, "dy", output_len, input_len)
    };
    pool.check_len(OP, argument, from, from_len)?;
    let to = device.alloc_as(from.width(), super::elements(&[pool.n, to_len]))?;
    let taps = pool.window.size[0] * pool.window.size[1];
    for images in pool.images(device, from.width(), &placement) {
        let params = params(images.len(), pool, &placement, counts_padding)?;
        device.launch(
            kernel,
            &params,
            &[&slice_rows(from, &images, from_len)?],
            &[&slice_rows(&to, &images, to_len)?],
            Grid::linear(images.len() * to_len).flops(images.len() * output_len * taps),
        )?;
    }
    Ok(to)
}

fn params(n: usize, pool: &Pool, at: &Placement, counts_padding: bool) -> Result<AvgPoolParams> {
    let mut all = [0; 17];
    all[..14].copy_from_slice(&words(OP, n, pool, at)?);
    all[14] = super::size(OP, "padding", at.after[0])?;
    all[15] = super::size(OP, "padding", at.after[1])?;
    all[16] = u32::from(counts_padding);
    Ok(bytemuck::cast(all))
}
