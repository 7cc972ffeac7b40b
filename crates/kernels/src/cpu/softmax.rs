//! Twin of `softmax.wgsl`: softmax and log-softmax along rows.

use rayon::prelude::*;

use crate::cpu::shared::pointwise::exp;
use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of all four kernels.
    pub(crate) struct SoftmaxParams {
        rows: u32,
        classes: u32,
    }
}

/// Elements per parallel task.
const TASK_LEN: usize = 1 << 13;

/// Twin of the forward kernels: x is read, y is written.
pub(crate) fn forward<const LOG: bool>(p: &SoftmaxParams, args: CpuArgs<'_>) {
    let ([x], [y]) = args.split();
    let classes = p.classes as usize;
    let task = task_len(classes);
    y.par_chunks_mut(task)
        .zip(x.par_chunks(task))
        .for_each(|(y, x)| {
            for (y, x) in y.chunks_exact_mut(classes).zip(x.chunks_exact(classes)) {
                forward_row(LOG, x, y);
            }
        });
}

fn forward_row(is_log: bool, x: &[f32], y: &mut [f32]) {
    let most = x.iter().fold(f32::NEG_INFINITY, |most, &x| most.max(x));
    if is_log {
        let sum: f32 = x.iter().map(|x| exp(x - most)).sum();
        let log_sum = libm::logf(sum);
        for (y, x) in y.iter_mut().zip(x) {
            *y = x - most - log_sum;
        }
    } else {
        for (y, x) in y.iter_mut().zip(x) {
            *y = exp(x - most);
        }
        let sum: f32 = y.iter().sum();
        for y in y {
            *y /= sum;
        }
    }
}

/// Twin of the backward kernels: dy and y are read, dx is written.
pub(crate) fn backward<const LOG: bool>(p: &SoftmaxParams, args: CpuArgs<'_>) {
    let ([dy, y], [dx]) = args.split();
    let classes = p.classes as usize;
    let task = task_len(classes);
    let tasks = dx
        .par_chunks_mut(task)
        .zip(dy.par_chunks(task))
        .zip(y.par_chunks(task));
    tasks.for_each(|((dx, dy), y)| {
        let rows = dx.chunks_exact_mut(classes).zip(dy.chunks_exact(classes));
        for ((dx, dy), y) in rows.zip(y.chunks_exact(classes)) {
            backward_row(LOG, dy, y, dx);
        }
    });
}

fn backward_row(is_log: bool, dy: &[f32], y: &[f32], dx: &mut [f32]) {
    if is_log {
        let sum: f32 = dy.iter().sum();
        for ((dx, dy), y) in dx.iter_mut().zip(dy).zip(y) {
            *dx = dy - exp(*y) * sum;
        }
    } else {
        let sum: f32 = dy.iter().zip(y).map(|(dy, y)| dy * y).sum();
        for ((dx, dy), y) in dx.iter_mut().zip(dy).zip(y) {
            *dx = y * (dy - sum);
        }
    }
}

/// Whole rows, at least one.
fn task_len(classes: usize) -> usize {
    classes * (TASK_LEN / classes.max(1)).max(1)
}
