//! Twins of `elementwise.wgsl`.

use rayon::prelude::*;

use super::shared::pointwise::{CHUNK, map, map2};
use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of all these kernels.
    pub(crate) struct ElementwiseParams {
        n: u32,
        value: f32,
    }
}

/// `y = value`.
pub(crate) fn fill(p: &ElementwiseParams, args: CpuArgs<'_>) {
    let ([], [y]) = args.split();
    y.par_chunks_mut(CHUNK).for_each(|y| y.fill(p.value));
}

/// `y = a + b`.
pub(crate) fn add(_: &ElementwiseParams, args: CpuArgs<'_>) {
    map2(
        args,
        #[inline(always)]
        |a, b| a + b,
    );
}

/// `y = a - b`.
pub(crate) fn sub(_: &ElementwiseParams, args: CpuArgs<'_>) {
    map2(
        args,
        #[inline(always)]
        |a, b| a - b,
    );
}

/// `y = a b`.
pub(crate) fn mul(_: &ElementwiseParams, args: CpuArgs<'_>) {
    map2(
        args,
        #[inline(always)]
        |a, b| a * b,
    );
}

/// `y = a / b`.
pub(crate) fn div(_: &ElementwiseParams, args: CpuArgs<'_>) {
    map2(
        args,
        #[inline(always)]
        |a, b| a / b,
    );
}

/// `y = value x`.
pub(crate) fn scale(p: &ElementwiseParams, args: CpuArgs<'_>) {
    let value = p.value;
    map(
        args,
        #[inline(always)]
        |x| value * x,
    );
}

/// `y = y + value x`.
pub(crate) fn axpy(p: &ElementwiseParams, args: CpuArgs<'_>) {
    let ([x], [y]) = args.split();
    y.par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK))
        .for_each(|(y, x)| {
            for (y, &x) in y.iter_mut().zip(x) {
                *y += p.value * x;
            }
        });
}
