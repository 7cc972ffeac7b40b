//! Twins of `batch_norm.wgsl`: statistics, the normalisation and its gradients over `[rows, channels]`.

use rayon::prelude::*;

use super::column_sum::column_sum;
use super::shared::scratch::with_scratch;
use super::shared::wide::{each, wide};
use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of all kernels.
    pub(crate) struct BatchNormParams {
        /// Of the window that is bound.
        rows: u32,
        all_rows: u32,
        channels: u32,
        rows_per_part: u32,
        /// Whether the running variance takes the batch's sum of squares over rows - 1.
        unbiased: u32,
        /// Of the batch's statistics in the running ones.
        new_weight: f32,
        epsilon: f32,
    }
}

/// Elements per parallel task.
const TASK_LEN: usize = 1 << 14;

/// Sums of squares around the mean. Reads x and the sums of its columns; the parts are for workgroups.
pub(crate) fn squares(p: &BatchNormParams, args: CpuArgs<'_>) {
    let ([x, sums], [squares]) = args.split();
    let rows = count(p.all_rows);
    sum_terms(
        x,
        x,
        squares,
        #[inline(always)]
        |x: &[f32], _: &[f32], terms: &mut [f32]| {
            for ((term, x), sum) in terms.iter_mut().zip(x).zip(sums) {
                let centred = x - sum / rows;
                *term = centred * centred;
            }
        },
    );
}

/// Means and r, and the running statistics. Reads the sums of x and of squares.
pub(crate) fn statistics(p: &BatchNormParams, args: CpuArgs<'_>) {
    let ([sums, squares], [statistics, running_mean, running_var]) = args.split();
    let (rows, channels) = (count(p.all_rows), p.channels as usize);
    let divisor = if p.unbiased == 0 {
        rows
    } else {
        (rows - 1.0).max(1.0)
    };
    for c in 0..channels {
        let (mean, variance) = (sums[c] / rows, squares[c] / rows);
        running_mean[c] += p.new_weight * (mean - running_mean[c]);
        running_var[c] += p.new_weight * (squares[c] / divisor - running_var[c]);
        statistics[c] = mean;
        statistics[channels + c] = 1.0 / (variance + p.epsilon).sqrt();
    }
}

/// Means and r from the running statistics.
pub(crate) fn eval_statistics(p: &BatchNormParams, args: CpuArgs<'_>) {
    let ([running_mean, running_var], [statistics]) = args.split();
    let (means, scales) = statistics.split_at_mut(p.channels as usize);
    means.copy_from_slice(running_mean);
    for (scale, variance) in scales.iter_mut().zip(running_var) {
        *scale = 1.0 / (variance + p.epsilon).sqrt();
    }
}

/// `y = gamma (x - mean) r + beta`.
pub(crate) fn forward(p: &BatchNormParams, args: CpuArgs<'_>) {
    let ([x, statistics, gamma, beta], [y]) = args.split();
    let (means, scales) = statistics.split_at(p.channels as usize);
    each_row(
        p,
        x,
        x,
        y,
        #[inline(always)]
        |x, _, y| {
            for c in 0..y.len() {
                y[c] = gamma[c] * ((x[c] - means[c]) * scales[c]) + beta[c];
            }
        },
    );
}

/// Sums of dy and of dy (x - mean) r: the gradients of beta and gamma.
pub(crate) fn gradient_sums(p: &BatchNormParams, args: CpuArgs<'_>) {
    let ([x, dy, statistics], [dbeta, dgamma]) = args.split();
    let (means, scales) = statistics.split_at(p.channels as usize);
    column_sum(dy, dbeta);
    sum_terms(
        x,
        dy,
        dgamma,
        #[inline(always)]
        |x: &[f32], dy: &[f32], terms: &mut [f32]| {
            for c in 0..terms.len() {
                terms[c] = dy[c] * (x[c] - means[c]);
            }
        },
    );
    for (sum, scale) in dgamma.iter_mut().zip(scales) {
        *sum *= scale;
    }
}

/// `dx` of a training step.
pub(crate) fn backward(p: &BatchNormParams, args: CpuArgs<'_>) {
    let ([x, dy, statistics, gamma, dbeta, dgamma], [dx]) = args.split();
    let (means, scales) = statistics.split_at(p.channels as usize);
    let rows = count(p.all_rows);
    each_row(
        p,
        x,
        dy,
        dx,
        #[inline(always)]
        |x, dy, dx| {
            for c in 0..dx.len() {
                let normal = (x[c] - means[c]) * scales[c];
                dx[c] = gamma[c] * scales[c] * (dy[c] - (dbeta[c] + normal * dgamma[c]) / rows);
            }
        },
    );
}

/// `dx` where the statistics were the running ones.
pub(crate) fn eval_backward(p: &BatchNormParams, args: CpuArgs<'_>) {
    let ([dy, statistics, gamma], [dx]) = args.split();
    let scales = &statistics[p.channels as usize..];
    each_row(
        p,
        dy,
        dy,
        dx,
        #[inline(always)]
        |dy, _, dx| {
            for c in 0..dx.len() {
                dx[c] = gamma[c] * scales[c] * dy[c];
            }
        },
    );
}

#[expect(
    clippy::cast_precision_loss,
    reason = "as the shader has it; counts beyond 2^24 round"
)]
fn count(rows: u32) -> f32 {
    rows as f32
}

/// Calls `row` with each row of two inputs and of the result, in parallel.
fn each_row(
    p: &BatchNormParams,
    a: &[f32],
    b: &[f32],
    y: &mut [f32],
    row: impl Fn(&[f32], &[f32], &mut [f32]) + Sync,
) {
    let channels = p.channels as usize;
    let task = channels * (TASK_LEN / channels).max(1);
    let tasks = y
        .par_chunks_mut(task)
        .zip(a.par_chunks(task))
        .zip(b.par_chunks(task));
    tasks.for_each(|((y, a), b)| {
        wide(
            #[inline(always)]
            || {
                let rows = y.chunks_exact_mut(channels).zip(a.chunks_exact(channels));
                for ((y, a), b) in rows.zip(b.chunks_exact(channels)) {
                    row(a, b, y);
                }
            },
        );
    });
}

/// Sums over the rows of what `terms` makes of a row, in two levels of fixed chunks.
fn sum_terms(
    a: &[f32],
    b: &[f32],
    sums: &mut [f32],
    terms: impl Fn(&[f32], &[f32], &mut [f32]) + Sync,
) {
    let channels = sums.len();
    let task = channels * (TASK_LEN / channels).max(1);
    with_scratch(a.len().div_ceil(task) * channels, |parts| {
        let tasks = parts
            .par_chunks_mut(channels)
            .zip(a.par_chunks(task))
            .zip(b.par_chunks(task));
        tasks.for_each(|((part, a), b)| {
            part.fill(0.0);
            with_scratch(channels, |row| {
                wide(
                    #[inline(always)]
                    || {
                        for (a, b) in a.chunks_exact(channels).zip(b.chunks_exact(channels)) {
                            terms(a, b, row);
                            each(part, [row], |sum, [term]| sum + term);
                        }
                    },
                );
            });
        });
        column_sum(parts, sums);
    });
}
