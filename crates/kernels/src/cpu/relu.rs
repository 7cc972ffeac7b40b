//! Twin of `relu.wgsl`. A NaN passes through, as there.

use rayon::prelude::*;

use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of both kernels.
    pub(crate) struct ReluParams {
        n: u32,
    }
}

/// Elements per parallel task: 64 KiB of each operand, a fraction of a core's L2.
const CHUNK: usize = 16 * 1024;

/// `y = max(x, 0)`.
pub(crate) fn forward(_: &ReluParams, args: CpuArgs<'_>) {
    let ([x], [y]) = args.split();
    y.par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK))
        .for_each(|(y, x)| {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = if x <= 0.0 { 0.0 } else { x };
            }
        });
}

/// `dx = dy where y > 0`.
pub(crate) fn backward(_: &ReluParams, args: CpuArgs<'_>) {
    let ([dy, y], [dx]) = args.split();
    let chunks = dx
        .par_chunks_mut(CHUNK)
        .zip(dy.par_chunks(CHUNK))
        .zip(y.par_chunks(CHUNK));
    chunks.for_each(|((dx, dy), y)| {
        for ((dx, &dy), &y) in dx.iter_mut().zip(dy).zip(y) {
            *dx = if y <= 0.0 { 0.0 } else { dy };
        }
    });
}
