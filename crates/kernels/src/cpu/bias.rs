//! Twin of `bias.wgsl`. With ReLU, a NaN passes through, as there.

use rayon::prelude::*;

use super::shared::wide::{each, wide};
use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of both variants.
    pub(crate) struct BiasParams {
        n: u32,
        columns: u32,
    }
}

/// Elements per parallel task, in whole rows: 64 KiB of each operand, a fraction of a core's L2.
const CHUNK: usize = 16 * 1024;

/// `y = x + b`.
pub(crate) fn forward(_: &BiasParams, args: CpuArgs<'_>) {
    let ([x, bias], [y]) = args.split();
    add(x, bias, y, |_, [x, bias]| x + bias);
}

/// `y = max(x + b, 0)`.
pub(crate) fn forward_relu(_: &BiasParams, args: CpuArgs<'_>) {
    let ([x, bias], [y]) = args.split();
    add(x, bias, y, |_, [x, bias]| {
        let sum = x + bias;
        if sum <= 0.0 { 0.0 } else { sum }
    });
}

#[inline(always)]
fn add(x: &[f32], bias: &[f32], y: &mut [f32], f: impl Fn(f32, [f32; 2]) -> f32 + Sync) {
    let columns = bias.len();
    let chunk = CHUNK.div_ceil(columns) * columns;
    y.par_chunks_mut(chunk)
        .zip(x.par_chunks(chunk))
        .for_each(|(y, x)| {
            wide(
                #[inline(always)]
                || {
                    for (y, x) in y.chunks_exact_mut(columns).zip(x.chunks_exact(columns)) {
                        each(y, [x, bias], &f);
                    }
                },
            );
        });
}
