//! Twin of `adam.wgsl`: one pass over parameter, gradient and both moments, bound by memory.

use rayon::prelude::*;

use crate::kernel::{CpuArgs, params, words};

params! {
    /// Parameters of all variants.
    pub(crate) struct AdamParams {
        n: u32,
        beta1: f32,
        beta2: f32,
        rest1: f32,
        rest2: f32,
        epsilon: f32,
        weight_decay: f32,
        decoupled: u32,
        rate_factor: f32,
    }
}

/// Elements per parallel task: 32 KiB of each of four operands, a fraction of a core's L2.
const CHUNK: usize = 8 * 1024;

/// What is the same for all elements.
struct Scalars {
    rate: f32,
    /// `rate / (1 - beta1^t)`.
    pace: f32,
    /// `sqrt(1 - beta2^t)`.
    correction2: f32,
    scale: f32,
}

/// One step. Reads gradient, step and, if `SCALED`, scale; writes parameter, mean and variance.
pub(crate) fn update<const SCALED: bool>(p: &AdamParams, args: CpuArgs<'_>) {
    let CpuArgs { reads, writes } = args;
    let step = words(reads[1]);
    let [rate, correction1, correction2] = [3, 4, 5].map(|i: usize| f32::from_bits(step[i]));
    let rate = p.rate_factor * rate;
    let scalars = Scalars {
        rate,
        pace: rate / correction1,
        correction2,
        scale: if SCALED { reads[2][0] } else { 1.0 },
    };
    if scalars.scale < 0.0 {
        return;
    }
    let gradient = reads[0];
    let ([], [parameter, mean, variance]) = (CpuArgs {
        reads: Vec::new(),
        writes,
    })
    .split();
    let arch = pulp::Arch::new();
    parameter
        .par_chunks_mut(CHUNK)
        .zip(gradient.par_chunks(CHUNK))
        .zip(mean.par_chunks_mut(CHUNK))
        .zip(variance.par_chunks_mut(CHUNK))
        .for_each(|(((w, g), m), v)| arch.dispatch(|| adapt(p, &scalars, w, g, [m, v])));
}

#[inline(always)]
fn adapt(p: &AdamParams, s: &Scalars, w: &mut [f32], g: &[f32], [m, v]: [&mut [f32]; 2]) {
    let (keep, decay) = if p.decoupled != 0 {
        (1.0 - s.rate * p.weight_decay, 0.0)
    } else {
        (1.0, p.weight_decay)
    };
    for (((w, &g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
        let g = s.scale * g + decay * *w;
        *m = p.beta1 * *m + p.rest1 * g;
        *v = p.beta2 * *v + p.rest2 * g * g;
        *w = keep * *w - s.pace * *m / (v.sqrt() / s.correction2 + p.epsilon);
    }
}
