//! Twin of `ema.wgsl`.

use rayon::prelude::*;

use crate::kernel::{CpuArgs, params, words};

params! {
    /// Parameters of the kernel.
    pub(crate) struct EmaParams {
        n: u32,
        rest: f32,
    }
}

/// Elements per parallel task: 64 KiB of each operand, a fraction of a core's L2.
const CHUNK: usize = 16 * 1024;

/// `y += s (x - y)`.
#[expect(
    clippy::cast_precision_loss,
    reason = "the shader rounds step numbers in the same way"
)]
pub(crate) fn ema(p: &EmaParams, args: CpuArgs<'_>) {
    let ([x, step], [y]) = args.split();
    let share = p.rest.max(9.0 / (10.0 + words(step)[2] as f32));
    y.par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK))
        .for_each(|(y, x)| {
            for (y, &x) in y.iter_mut().zip(x) {
                *y += share * (x - *y);
            }
        });
}
