//! Max-pooling's twin.
//!
//! Ties go to the first maximum of a window, row by row; a NaN wins, the last one if there are several, as in PyTorch.

use rayon::prelude::*;

use crate::cpu::shared::axis::Axis;
use crate::cpu::shared::pool::{Pool, joined, sources};
use crate::kernel::{CpuArgs, words, words_mut};
use crate::ops::max_pool::PoolParams;

/// Twin of the forward kernel: x is read; y and the positions `iy * w + ix` of the maxima are written.
pub(crate) fn forward(p: &PoolParams, args: CpuArgs<'_>) {
    let ([x], [y, argmax]) = args.split();
    let pool = Pool::from(p);
    let (rows, columns) = (Axis::forward(&pool.rows), Axis::forward(&pool.columns));
    let channels = pool.channels;
    let row_len = pool.columns.output * channels;
    let outputs = y
        .par_chunks_exact_mut(row_len.max(1))
        .zip(words_mut(argmax).par_chunks_exact_mut(row_len.max(1)));
    outputs.enumerate().for_each(|(row, (y, argmax))| {
        y.fill(f32::NEG_INFINITY);
        // Until a tap is greater, the first one of the window; a window without any keeps a position of no pixel.
        argmax.fill(u32::MAX);
        let image = row / pool.rows.output * pool.rows.input;
        pulp::Arch::new().dispatch(|| {
            for iy in sources(&rows, row % pool.rows.output) {
                for (ox, ix) in joined(&columns) {
                    let x = &x[((image + iy) * pool.columns.input + ix) * channels..][..channels];
                    let outputs = ox * channels..(ox + 1) * channels;
                    let position = position(iy * pool.columns.input + ix);
                    raise(x, position, &mut y[outputs.clone()], &mut argmax[outputs]);
                }
            }
        });
    });
}

/// Twin of the backward kernel: dy and the positions of the maxima are read, dx is written.
pub(crate) fn backward(p: &PoolParams, args: CpuArgs<'_>) {
    let ([dy, argmax], [dx]) = args.split();
    let argmax = words(argmax);
    let pool = Pool::from(p);
    let (rows, columns) = (Axis::backward(&pool.rows), Axis::backward(&pool.columns));
    let channels = pool.channels;
    let row_len = pool.columns.input * channels;
    dx.par_chunks_exact_mut(row_len.max(1))
        .enumerate()
        .for_each(|(row, dx)| {
            dx.fill(0.0);
            let (image, iy) = (
                row / pool.rows.input * pool.rows.output,
                row % pool.rows.input,
            );
            pulp::Arch::new().dispatch(|| {
                for oy in sources(&rows, iy) {
                    for (ix, ox) in joined(&columns) {
                        let outputs = ((image + oy) * pool.columns.output + ox) * channels;
                        let dx = &mut dx[ix * channels..][..channels];
                        let position = position(iy * pool.columns.input + ix);
                        add_where(
                            position,
                            &argmax[outputs..][..channels],
                            &dy[outputs..][..channels],
                            dx,
                        );
                    }
                }
            });
        });
}

fn position(position: usize) -> u32 {
    u32::try_from(position).expect("an image has under 2^32 pixels")
}

/// Takes over what is greater than the maximum so far.
#[inline(always)]
fn raise(x: &[f32], position: u32, y: &mut [f32], argmax: &mut [u32]) {
    for ((y, argmax), &x) in y.iter_mut().zip(argmax).zip(x) {
        let first = *argmax == u32::MAX;
        let wins = x > *y || x.is_nan() || first;
        *y = if wins { x } else { *y };
        *argmax = if wins { position } else { *argmax };
    }
}

/// Adds the gradients of the outputs whose maximum was at `position`.
#[inline(always)]
fn add_where(position: u32, argmax: &[u32], dy: &[f32], dx: &mut [f32]) {
    for ((dx, dy), &argmax) in dx.iter_mut().zip(dy).zip(argmax) {
        *dx += if argmax == position { *dy } else { 0.0 };
    }
}
