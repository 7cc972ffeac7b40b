//! Twin of `sgd.wgsl`: one pass over parameter, gradient and velocity, bound by memory.

use rayon::prelude::*;

use crate::kernel::{CpuArgs, params, words};

params! {
    /// Parameters of all variants.
    pub(crate) struct SgdParams {
        n: u32,
        momentum: f32,
        dampening: f32,
        weight_decay: f32,
        nesterov: u32,
        rate_factor: f32,
    }
}

/// Elements per parallel task: 64 KiB of each operand, a fraction of a core's L2.
const CHUNK: usize = 16 * 1024;

/// What is the same for all elements.
struct Scalars {
    rate: f32,
    scale: f32,
    is_first: bool,
}

/// One step. Reads gradient, step and, if `SCALED`, scale; writes parameter and, if `MOMENTUM`, velocity.
pub(crate) fn update<const MOMENTUM: bool, const SCALED: bool>(p: &SgdParams, args: CpuArgs<'_>) {
    let CpuArgs { reads, mut writes } = args;
    let step = words(reads[1]);
    let scalars = Scalars {
        rate: p.rate_factor * f32::from_bits(step[3]),
        scale: if SCALED { reads[2][0] } else { 1.0 },
        is_first: step[2] <= 1,
    };
    if scalars.scale < 0.0 {
        return;
    }
    let arch = pulp::Arch::new();
    let mut velocity = if MOMENTUM { writes.pop() } else { None };
    let parameter = writes.pop().expect("the launch binds the parameter");
    let chunks = parameter
        .par_chunks_mut(CHUNK)
        .zip(reads[0].par_chunks(CHUNK));
    match &mut velocity {
        None => chunks.for_each(|(w, g)| arch.dispatch(|| descend(p, &scalars, w, g))),
        Some(velocity) => chunks
            .zip(velocity.par_chunks_mut(CHUNK))
            .for_each(|((w, g), v)| arch.dispatch(|| accelerate(p, &scalars, w, g, v))),
    }
}

/// `p -= rate g`.
#[inline(always)]
fn descend(p: &SgdParams, s: &Scalars, w: &mut [f32], g: &[f32]) {
    for (w, &g) in w.iter_mut().zip(g) {
        *w -= s.rate * (s.scale * g + p.weight_decay * *w);
    }
}

/// `v = momentum v + (1 - dampening) g; p -= rate v`.
#[inline(always)]
fn accelerate(p: &SgdParams, s: &Scalars, w: &mut [f32], g: &[f32], v: &mut [f32]) {
    let rest = if s.is_first { 1.0 } else { 1.0 - p.dampening };
    let is_nesterov = p.nesterov != 0;
    for ((w, &g), v) in w.iter_mut().zip(g).zip(v) {
        let g = s.scale * g + p.weight_decay * *w;
        // A first velocity may be uninitialised memory: NaN times 0 is NaN.
        let before = if s.is_first { 0.0 } else { *v };
        *v = p.momentum * before + rest * g;
        let direction = if is_nesterov { g + p.momentum * *v } else { *v };
        *w -= s.rate * direction;
    }
}
