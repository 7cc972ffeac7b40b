//! The operators, one module each: shapes, checks, launch.

pub mod avg_pool;
pub mod conv2d;
pub mod elementwise;
pub mod gemm;
pub mod lrn;
pub mod max_pool;
pub mod relu;
pub mod window;

use std::ops::Range;

use crate::buffer::{Buffer, WINDOW_ALIGNMENT};
use crate::device::Device;
use crate::error::{Error, Result};

/// An error unless `buffer` has `expected` words.
pub(crate) fn check_len(
    op: &'static str,
    argument: &'static str,
    buffer: &Buffer,
    expected: usize,
) -> Result<()> {
    if buffer.len() == expected {
        return Ok(());
    }
    let got = format!("{} elements", buffer.len());
    Err(Error::argument(
        op,
        argument,
        format!("{expected} elements"),
        got,
    ))
}

/// A size as the shaders have it.
pub(crate) fn size(op: &'static str, argument: &'static str, value: usize) -> Result<u32> {
    u32::try_from(value)
        .ok()
        .ok_or_else(|| Error::argument(op, argument, "a size under 2^32", value.to_string()))
}

/// Cuts `0..len` into ranges that each fit in a binding of `device`, from multiples of [`WINDOW_ALIGNMENT`].
pub(crate) fn windows(device: &Device, len: usize) -> impl Iterator<Item = Range<usize>> {
    let longest = (device.max_binding_words() / WINDOW_ALIGNMENT).max(1) * WINDOW_ALIGNMENT;
    (0..len)
        .step_by(longest)
        .map(move |start| start..len.min(start.saturating_add(longest)))
}
