//! Twins of `clip_grad_norm.wgsl`. `NORM` is 1, 2, or 0 for the largest absolute value.

use rayon::prelude::*;

use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of all these kernels.
    pub(crate) struct ClipGradNormParams {
        n: u32,
        offset: u32,
        max_norm: f32,
    }
}

/// Elements that one workgroup reduces to one partial; the shader says the same.
pub(crate) const PART: usize = 4096;

/// Independent sums in a part, so that additions overlap; their order is fixed.
const LANES: usize = 16;

/// A partial result for each [`PART`] elements.
pub(crate) fn partial<const NORM: u32>(p: &ClipGradNormParams, args: CpuArgs<'_>) {
    let ([gradient], [partials]) = args.split();
    let arch = pulp::Arch::new();
    let offset = usize::try_from(p.offset).expect("it came from a usize");
    partials[offset..]
        .par_iter_mut()
        .zip(gradient.par_chunks(PART))
        .for_each(|(partial, part)| *partial = arch.dispatch(|| reduce::<NORM>(part)));
}

/// The total norm, and the factor that brings it down to the most that is allowed.
pub(crate) fn factor<const NORM: u32>(p: &ClipGradNormParams, args: CpuArgs<'_>) {
    let ([partials], [total, factor]) = args.split();
    let sum = partials.iter().fold(0.0, |sum, &x| join::<NORM>(sum, x));
    let norm = if NORM == 2 { sum.sqrt() } else { sum };
    let ratio = p.max_norm / (norm + 1e-6);
    total[0] = norm;
    // Written so that a NaN stays one.
    factor[0] = if ratio > 1.0 { 1.0 } else { ratio };
}

/// `gradient = factor gradient`.
pub(crate) fn scale(_: &ClipGradNormParams, args: CpuArgs<'_>) {
    let ([factor], [gradient]) = args.split();
    let factor = factor[0];
    gradient
        .par_chunks_mut(PART)
        .for_each(|part| part.iter_mut().for_each(|g| *g *= factor));
}

#[inline(always)]
fn reduce<const NORM: u32>(part: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let mut blocks = part.chunks_exact(LANES);
    for block in &mut blocks {
        for (sum, &x) in sums.iter_mut().zip(block) {
            *sum = join::<NORM>(*sum, term::<NORM>(x));
        }
    }
    let tail = blocks.remainder().iter().map(|&x| term::<NORM>(x));
    sums.into_iter().chain(tail).fold(0.0, join::<NORM>)
}

#[inline(always)]
fn term<const NORM: u32>(x: f32) -> f32 {
    if NORM == 2 { x * x } else { x.abs() }
}

#[inline(always)]
fn join<const NORM: u32>(a: f32, b: f32) -> f32 {
    if NORM != 0 {
        a + b
    } else if a > b || a.is_nan() {
        // A NaN wins, so that it is noticed.
        a
    } else {
        b
    }
}
