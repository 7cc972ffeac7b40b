//! The operators, one module each: shapes, checks, launch.

pub mod relu;

use crate::buffer::Buffer;
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
