//! Twin of `dropout.wgsl`: the same bits.

use rayon::prelude::*;

use crate::kernel::{CpuArgs, params, words};
use crate::philox::Philox;

params! {
    /// Parameters of the kernel.
    pub(crate) struct DropoutParams {
        n: u32,
        stream: u32,
        rate: f32,
        scale: f32,
    }
}

/// Elements per parallel task: its random numbers stay on the stack and in L1.
const CHUNK: usize = 2048;

/// `y = 0` where the element's random number is under the rate, else `scale x`.
pub(crate) fn forward(p: &DropoutParams, args: CpuArgs<'_>) {
    let ([x, step], [y]) = args.split();
    let step = words(step);
    let philox = Philox {
        seed: u64::from(step[1]) << 32 | u64::from(step[0]),
        stream: p.stream,
        step: step[2],
    };
    let chunks = y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK));
    chunks.enumerate().for_each(|(chunk, (y, x))| {
        let mut random = [0.0; CHUNK];
        let first = u32::try_from(chunk * (CHUNK / 4)).expect("n fits in 32 bits");
        philox.fill_unit(first, &mut random[..y.len()]);
        for ((y, &x), &u) in y.iter_mut().zip(x).zip(&random) {
            *y = if u < p.rate { 0.0 } else { p.scale * x };
        }
    });
}
