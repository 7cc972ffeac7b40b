//! Twins of `elementwise.wgsl`.

use rayon::prelude::*;

use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of all these kernels.
    pub(crate) struct ElementwiseParams {
        n: u32,
        value: f32,
    }
}

/// Elements per parallel task: 64 KiB of each operand, a fraction of a core's L2.
const CHUNK: usize = 16 * 1024;

/// `y = value`.
pub(crate) fn fill(p: &ElementwiseParams, args: CpuArgs<'_>) {
    let ([], [y]) = args.split();
    y.par_chunks_mut(CHUNK).for_each(|y| y.fill(p.value));
}

/// `y = a + b`.
pub(crate) fn add(_: &ElementwiseParams, args: CpuArgs<'_>) {
    binary(args, |a, b| a + b);
}

/// `y = a - b`.
pub(crate) fn sub(_: &ElementwiseParams, args: CpuArgs<'_>) {
    binary(args, |a, b| a - b);
}

/// `y = a b`.
pub(crate) fn mul(_: &ElementwiseParams, args: CpuArgs<'_>) {
    binary(args, |a, b| a * b);
}

/// `y = a / b`.
pub(crate) fn div(_: &ElementwiseParams, args: CpuArgs<'_>) {
    binary(args, |a, b| a / b);
}

/// `y = value x`.
pub(crate) fn scale(p: &ElementwiseParams, args: CpuArgs<'_>) {
    unary(args, |_, x| p.value * x);
}

/// `y = y + value x`.
pub(crate) fn axpy(p: &ElementwiseParams, args: CpuArgs<'_>) {
    unary(args, |y, x| y + p.value * x);
}

fn unary(args: CpuArgs<'_>, f: impl Fn(f32, f32) -> f32 + Sync) {
    let ([x], [y]) = args.split();
    y.par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK))
        .for_each(|(y, x)| {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = f(*y, x);
            }
        });
}

fn binary(args: CpuArgs<'_>, f: impl Fn(f32, f32) -> f32 + Sync) {
    let ([a, b], [y]) = args.split();
    let operands = a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK));
    y.par_chunks_mut(CHUNK)
        .zip(operands)
        .for_each(|(y, (a, b))| {
            for (y, (&a, &b)) in y.iter_mut().zip(a.iter().zip(b)) {
                *y = f(a, b);
            }
        });
}
