//! Twins of `reduce.wgsl`. A part adds up the same elements in the same order as there.

use rayon::prelude::*;

use crate::cpu::shared::wide::wide;
use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of all these kernels.
    pub(crate) struct ReduceParams {
        n: u32,
        parts: u32,
        factor: f32,
    }
}

/// Parts per parallel task: their sums stay in L1 while the elements stream by.
const TASK_PARTS: usize = 2048;
/// Elements per parallel task when a row is repeated.
const TASK_LEN: usize = 16 * 1024;

/// `y[p]` = the sum of `x[p + k parts]` over k.
pub(crate) fn sum(p: &ReduceParams, args: CpuArgs<'_>) {
    reduce(
        p,
        args,
        #[inline(always)]
        |x| x,
    );
}

/// `y[p]` = the sum of `x[p + k parts]^2` over k.
pub(crate) fn square_sum(p: &ReduceParams, args: CpuArgs<'_>) {
    reduce(
        p,
        args,
        #[inline(always)]
        |x| x * x,
    );
}

fn reduce(p: &ReduceParams, args: CpuArgs<'_>, term: impl Fn(f32) -> f32 + Sync) {
    let ([x], [y]) = args.split();
    let parts = p.parts as usize;
    y.par_chunks_mut(TASK_PARTS)
        .enumerate()
        .for_each(|(task, y)| {
            let first = task * TASK_PARTS;
            wide(
                #[inline(always)]
                || add_up(&x[first..], parts, y, p.factor, &term),
            );
        });
}

#[inline(always)]
fn add_up(x: &[f32], parts: usize, y: &mut [f32], factor: f32, term: &impl Fn(f32) -> f32) {
    y.fill(0.0);
    for x in x.chunks(parts) {
        for (sum, &x) in y.iter_mut().zip(x) {
            *sum += term(x);
        }
    }
    for sum in y {
        *sum *= factor;
    }
}

/// `y[i] = factor x[i % parts]`.
pub(crate) fn broadcast(p: &ReduceParams, args: CpuArgs<'_>) {
    let ([x], [y]) = args.split();
    // Whole rows, so that every task starts with the row's first element.
    let task_len = x.len() * (TASK_LEN / x.len()).max(1);
    y.par_chunks_mut(task_len).for_each(|y| {
        for y in y.chunks_mut(x.len()) {
            for (y, x) in y.iter_mut().zip(x) {
                *y = p.factor * x;
            }
        }
    });
}
