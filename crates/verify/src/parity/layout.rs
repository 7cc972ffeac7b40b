//! Between the recorded layouts (channels first, filters `[out, in, kh, kw]`, weights `[out, in]`) and this project's.

use super::array::Array;
use super::{Error, Result};

/// `[n, c, h, w]` to `[n, h, w, c]`; any number of spatial dimensions.
pub(super) fn channels_last(x: &Array) -> Result<Array> {
    let rank = at_least(x, 2)?;
    let axes: Vec<usize> = std::iter::once(0).chain(2..rank).chain([1]).collect();
    x.permuted(&axes)
}

/// `[n, h, w, c]` to `[n, c, h, w]`; any number of spatial dimensions.
pub(super) fn channels_first(x: &Array) -> Result<Array> {
    let rank = at_least(x, 2)?;
    let axes: Vec<usize> = [0, rank - 1].into_iter().chain(1..rank - 1).collect();
    x.permuted(&axes)
}

/// Filters `[out, in, kh, kw]` to `[kh, kw, in, out]`.
pub(super) fn filters(w: &Array) -> Result<Array> {
    w.permuted(&[2, 3, 1, 0])
}

/// Filters `[kh, kw, in, out]` to `[out, in, kh, kw]`.
pub(super) fn filters_back(w: &Array) -> Result<Array> {
    w.permuted(&[3, 2, 0, 1])
}

/// A matrix the other way round.
pub(super) fn transposed(w: &Array) -> Result<Array> {
    w.permuted(&[1, 0])
}

fn at_least(x: &Array, rank: usize) -> Result<usize> {
    if x.shape.len() < rank {
        let got = &x.shape;
        return Err(Error::Unknown(format!(
            "expected {rank} dimensions or more, got {got:?}"
        )));
    }
    Ok(x.shape.len())
}
