//! Twins of `ema.wgsl`.

use rayon::prelude::*;

use crate::kernel::{CpuArgs, params, words};

params! {
    /// Parameters of both kernels.
    pub(crate) struct EmaParams {
        n: u32,
        rest: f32,
        write_back: u32,
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

/// `y += s (x - y)` with the step's share, from the nearer end, and then `x = y` if that is asked for; nothing if the share is negative.
pub(crate) fn scheduled(p: &EmaParams, args: CpuArgs<'_>) {
    let ([step], [x, y]) = args.split();
    let share = f32::from_bits(words(step)[9]);
    if share < 0.0 {
        return;
    }
    let is_written_back = p.write_back != 0;
    y.par_chunks_mut(CHUNK)
        .zip(x.par_chunks_mut(CHUNK))
        .for_each(|(y, x)| {
            for (y, x) in y.iter_mut().zip(x) {
                let way = *x - *y;
                *y = if share < 0.5 {
                    *y + share * way
                } else {
                    *x - (1.0 - share) * way
                };
                if is_written_back {
                    *x = *y;
                }
            }
        });
}
