//! The launch of a kernel that works element by element.

use super::{check_len, size, windows};
use crate::buffer::Buffer;
use crate::device::Device;
use crate::error::Result;
use crate::kernel::{Grid, Kernel, Params};

/// What the kernel writes: as long as each of `reads`, in floats as wide as theirs. `params` makes the parameters from a
/// length, since buffers longer than a binding are worked on window by window.
pub(super) fn pointwise<P: Params>(
    device: &Device,
    op: &'static str,
    kernel: &Kernel<P>,
    params: impl Fn(u32) -> P,
    reads: &[&Buffer],
) -> Result<Buffer> {
    let like = reads[0];
    for read in reads {
        check_len(op, "dy", read, like.len())?;
    }
    let y = device.alloc_as(like.width(), like.len())?;
    for window in windows(device, y.len()) {
        let reads = reads.iter().map(|read| read.slice(window.clone()));
        let reads = reads.collect::<Result<Vec<_>>>()?;
        let reads: Vec<&Buffer> = reads.iter().collect();
        let params = params(size(op, "x", window.len())?);
        let grid = Grid::vec4(window.len()).flops(window.len());
        let y = y.slice(window)?;
        device.launch(kernel, &params, &reads, &[&y], grid)?;
    }
    Ok(y)
}
