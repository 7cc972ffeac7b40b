//! Twins of `axis_sum.wgsl`.

use rayon::prelude::*;

use crate::cpu::shared::wide::{each, wide};
use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of both kernels.
    pub(crate) struct AxisSumParams {
        n: u32,
        axis: u32,
        inner: u32,
        factor: f32,
    }
}

/// Sums that one task adds up side by side: they stay in L1.
const TASK_LEN: usize = 1024;

/// `y[o, i] = factor sum over l of x[o, l, i]`.
pub(crate) fn forward(p: &AxisSumParams, args: CpuArgs<'_>) {
    let ([x], [y]) = args.split();
    let (axis, inner) = (p.axis as usize, p.inner as usize);
    let rows = y.par_chunks_mut(inner).zip(x.par_chunks(axis * inner));
    if inner <= TASK_LEN {
        rows.with_min_len(TASK_LEN / inner)
            .for_each(|(y, x)| add_up(x, inner, y, 0, p.factor));
    } else {
        rows.for_each(|(y, x)| {
            let parts = y.par_chunks_mut(TASK_LEN).enumerate();
            parts.for_each(|(part, y)| add_up(x, inner, y, part * TASK_LEN, p.factor));
        });
    }
}

/// The sums of the columns of `x` from number `first` on, as many as `y` has.
fn add_up(x: &[f32], inner: usize, y: &mut [f32], first: usize, factor: f32) {
    y.fill(0.0);
    wide(
        #[inline(always)]
        || {
            for row in x.chunks_exact(inner) {
                let row = &row[first..][..y.len()];
                each(y, [row], |sum, [x]| sum + x);
            }
            each(y, [], |sum, []| factor * sum);
        },
    );
}

/// `dx[o, l, i] = factor dy[o, i]`.
pub(crate) fn backward(p: &AxisSumParams, args: CpuArgs<'_>) {
    let ([dy], [dx]) = args.split();
    let (axis, inner) = (p.axis as usize, p.inner as usize);
    let rows = dx.par_chunks_mut(axis * inner).zip(dy.par_chunks(inner));
    rows.for_each(|(dx, dy)| {
        for dx in dx.chunks_exact_mut(inner) {
            for (dx, dy) in dx.iter_mut().zip(dy) {
                *dx = p.factor * dy;
            }
        }
    });
}
