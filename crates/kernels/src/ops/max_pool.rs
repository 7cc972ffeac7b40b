//! Maximum over windows: `y[n, oy, ox, c] = max over ky, kx of x[n, oy s - p + ky d, ox s - p + kx d, c]` (Krizhevsky 2012,
//! section 3.4, with overlapping windows).
//!
//! Padding never wins; the first of equal maxima does, row by row, and a NaN over everything, as in PyTorch. Backward
//! needs the winners' indices alone, and gathers: each input asks the windows over it whether it won.

use shaders::variants;

pub use super::pool::Pool;
use super::pool::words;
use super::window::Placement;
use super::{elements, slice_rows};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::max_pool::PoolParams;
use crate::device::Device;
use crate::error::Result;
use crate::kernel::{Grid, Kernel};

const OP: &str = "max_pool";

impl PoolParams {
    fn new(n: usize, pool: &Pool, placement: &Placement) -> Result<Self> {
        Ok(bytemuck::cast(words(OP, n, pool, placement)?))
    }
}

/// The maxima `y: [n, out_h, out_w, channels]` of `x: [n, h, w, channels]`, and as `u32` where each was: `iy w + ix` in its
/// image.
///
/// # Errors
/// If x does not have the stated size, the window does not fit, memory runs out or the device fails.
pub fn forward(device: &Device, pool: &Pool, x: &Buffer) -> Result<(Buffer, Buffer)> {
    let placement = pool.place(OP)?;
    let (input_len, output_len) = (pool.input_len(), pool.output_len(&placement));
    pool.check_len(OP, "x", x, input_len)?;
    let y = device.alloc_as(x.width(), elements(&[pool.n, output_len]))?;
    let argmax = device.alloc(elements(&[pool.n, output_len]))?;
    let (kernel, per_thread) = kernel(pool, true);
    for images in pool.images(device, x.width(), &placement) {
        let params = PoolParams::new(images.len(), pool, &placement)?;
        let outputs = images.len() * output_len;
        let taps = pool.window.size[0] * pool.window.size[1];
        device.launch(
            &kernel,
            &params,
            &[&slice_rows(x, &images, input_len)?],
            &[
                &slice_rows(&y, &images, output_len)?,
                &slice_rows(&argmax, &images, output_len)?,
            ],
            Grid::linear(outputs / per_thread).flops(outputs * taps),
        )?;
    }
    Ok((y, argmax))
}

/// The gradient of x. dy, argmax: `[n, out_h, out_w, channels]`, the latter from [`forward`].
///
/// # Errors
/// As [`forward`].
pub fn backward(device: &Device, pool: &Pool, dy: &Buffer, argmax: &Buffer) -> Result<Buffer> {
    let placement = pool.place(OP)?;
    let (input_len, output_len) = (pool.input_len(), pool.output_len(&placement));
    pool.check_len(OP, "dy", dy, output_len)?;
    pool.check_len(OP, "argmax", argmax, output_len)?;
    let dx = device.alloc_as(dy.width(), elements(&[pool.n, input_len]))?;
    let (kernel, per_thread) = kernel(pool, false);
    for images in pool.images(device, dy.width(), &placement) {
        let params = PoolParams::new(images.len(), pool, &placement)?;
        let inputs = images.len() * input_len;
        device.launch(
            &kernel,
            &params,
            &[
                &slice_rows(dy, &images, output_len)?,
                &slice_rows(argmax, &images, output_len)?,
            ],
            &[&slice_rows(&dx, &images, input_len)?],
            Grid::linear(inputs / per_thread).flops(inputs),
        )?;
    }
    Ok(dx)
}

/// The kernel, and how many elements one invocation of it computes.
fn kernel(pool: &Pool, is_forward: bool) -> (Kernel<PoolParams>, usize) {
    let vector = pool.channels.is_multiple_of(4);
    let kernel = if is_forward {
        let variant = variants::max_pool("max_pool_forward", vector);
        Kernel::new(variant, cpu::max_pool::forward)
    } else {
        let variant = variants::max_pool("max_pool_backward", vector);
        Kernel::new(variant, cpu::max_pool::backward)
    };
    (kernel, if vector { 4 } else { 1 })
}
