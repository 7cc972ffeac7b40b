//! Conversion between f32 and f16 (Micikevicius 2018): what mixed precision does to images, weights and logits.
//! To 16 bits it rounds to the nearest; what is over 65,504 becomes infinite. On a GPU alone.

use shaders::variants;

use super::launch_elements;
use crate::buffer::{Buffer, Width};
use crate::device::Device;
use crate::error::Result;
use crate::kernel::{Kernel, params};
use crate::tile::no_twin;

params! {
    /// Parameters of the kernel.
    pub(crate) struct CastParams {
        n: u32,
    }
}

/// `x` with elements of `width`; `x` itself if it has such.
///
/// # Errors
/// [`crate::Error::NoF16`] on a device without f16; or if memory runs out or the device fails.
pub fn forward(device: &Device, x: &Buffer, width: Width) -> Result<Buffer> {
    if x.width() == width {
        return Ok(x.clone());
    }
    let y = device.alloc_as(width, x.len())?;
    let kernel = Kernel::new(variants::cast(width == Width::Word), no_twin);
    launch_elements(device, &kernel, &[x], &y, |n| CastParams { n })?;
    Ok(y)
}
