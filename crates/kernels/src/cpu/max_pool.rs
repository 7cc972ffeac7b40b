//! Max-pooling's twin.
//!
//! Ties go to the first maximum of a window, row by row; a NaN wins, the last one if there are several, as in PyTorch.
//! A pixel's channels are taken a vector at a time, and each vector sees its whole window before it is stored.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::cpu::shared::axis::{Axis, NONE};
use crate::cpu::shared::pool::Pool;
use crate::kernel::{CpuArgs, words, words_mut};
use crate::ops::max_pool::PoolParams;

/// Twin of the forward kernel: x is read; y and the positions `iy * w + ix` of the maxima are written. A window that
/// holds no pixel has the position `u32::MAX`.
pub(crate) fn forward(p: &PoolParams, args: CpuArgs<'_>) {
    let ([x], [y, argmax]) = args.split();
    let pool = Pool::from(p);
    let (rows, columns) = (Axis::forward(&pool.rows), Axis::forward(&pool.columns));
    let row_len = (pool.columns.output * pool.channels).max(1);
    let argmax = words_mut(argmax).par_chunks_exact_mut(row_len);
    let outputs = y.par_chunks_exact_mut(row_len).zip(argmax);
    outputs.enumerate().for_each(|(row, (y, argmax))| {
        pulp::Arch::new().dispatch(ForwardRow {
            pool: &pool,
            rows: &rows,
            columns: &columns,
            image: row / pool.rows.output,
            oy: row % pool.rows.output,
            x,
            y,
            argmax,
        });
    });
}

/// Twin of the backward kernel: dy and the positions of the maxima are read, dx is written.
pub(crate) fn backward(p: &PoolParams, args: CpuArgs<'_>) {
    let ([dy, argmax], [dx]) = args.split();
    let pool = Pool::from(p);
    let (rows, columns) = (Axis::backward(&pool.rows), Axis::backward(&pool.columns));
    let row_len = (pool.columns.input * pool.channels).max(1);
    let inputs = dx.par_chunks_exact_mut(row_len);
    inputs.enumerate().for_each(|(row, dx)| {
        pulp::Arch::new().dispatch(BackwardRow {
            pool: &pool,
            rows: &rows,
            columns: &columns,
            image: row / pool.rows.input,
            iy: row % pool.rows.input,
            dy,
            argmax: words(argmax),
            dx,
        });
    });
}

fn position(position: usize) -> u32 {
    u32::try_from(position).expect("an image has under 2^32 pixels")
}

/// One row of one image's output.
struct ForwardRow<'a> {
    pool: &'a Pool,
    rows: &'a Axis,
    columns: &'a Axis,
    image: usize,
    oy: usize,
    x: &'a [f32],
    y: &'a mut [f32],
    argmax: &'a mut [u32],
}

impl WithSimd for ForwardRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let channels = self.pool.channels;
        let pixels = self
            .y
            .chunks_exact_mut(channels)
            .zip(self.argmax.chunks_exact_mut(channels));
        for (ox, (y, argmax)) in pixels.enumerate() {
            let mut first = u32::MAX;
            for_taps(self.rows, self.columns, [self.oy, ox], |iy, ix| {
                first = first.min(position(iy * self.pool.columns.input + ix));
            });
            for channel in (0..channels).step_by(S::F32_LANES) {
                let lanes = channel..(channel + S::F32_LANES).min(channels);
                let mut most = simd.splat_f32s(f32::NEG_INFINITY);
                let mut place = simd.splat_u32s(first);
                for_taps(self.rows, self.columns, [self.oy, ox], |iy, ix| {
                    let at = iy * self.pool.columns.input + ix;
                    let pixel = self.image * self.pool.rows.input * self.pool.columns.input + at;
                    let x = &self.x[pixel * channels..][lanes.clone()];
                    let x = simd.partial_load_f32s(x);
                    let is_number = simd.equal_f32s(x, x);
                    let wins =
                        simd.or_m32s(simd.greater_than_f32s(x, most), simd.not_m32s(is_number));
                    most = simd.select_f32s(wins, x, most);
                    place = simd.select_u32s(wins, simd.splat_u32s(position(at)), place);
                });
                simd.partial_store_f32s(&mut y[lanes.clone()], most);
                simd.partial_store_u32s(&mut argmax[lanes], place);
            }
        }
    }
}

/// One row of one image's gradient.
struct BackwardRow<'a> {
    pool: &'a Pool,
    rows: &'a Axis,
    columns: &'a Axis,
    image: usize,
    iy: usize,
    dy: &'a [f32],
    argmax: &'a [u32],
    dx: &'a mut [f32],
}

impl WithSimd for BackwardRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let channels = self.pool.channels;
        let zero = simd.splat_f32s(0.0);
        for (ix, dx) in self.dx.chunks_exact_mut(channels).enumerate() {
            let here = simd.splat_u32s(position(self.iy * self.pool.columns.input + ix));
            for channel in (0..channels).step_by(S::F32_LANES) {
                let lanes = channel..(channel + S::F32_LANES).min(channels);
                let mut sum = zero;
                for_taps(self.rows, self.columns, [self.iy, ix], |oy, ox| {
                    let row = self.image * self.pool.rows.output + oy;
                    let start = (row * self.pool.columns.output + ox) * channels;
                    let argmax = simd.partial_load_u32s(&self.argmax[start..][lanes.clone()]);
                    let dy = simd.partial_load_f32s(&self.dy[start..][lanes.clone()]);
                    let is_here = simd.equal_u32s(argmax, here);
                    sum = simd.add_f32s(sum, simd.select_f32s(is_here, dy, zero));
                });
                simd.partial_store_f32s(&mut dx[lanes], sum);
            }
        }
    }
}

/// Calls `visit` for the pixels that the taps of one position reach, row by row.
#[inline(always)]
fn for_taps(rows: &Axis, columns: &Axis, [y, x]: [usize; 2], mut visit: impl FnMut(usize, usize)) {
    for tap_y in 0..rows.taps {
        let source_y = rows.source(y, tap_y);
        if source_y == NONE {
            continue;
        }
        for tap_x in 0..columns.taps {
            let source_x = columns.source(x, tap_x);
            if source_x != NONE {
                visit(source_y, source_x);
            }
        }
    }
}
