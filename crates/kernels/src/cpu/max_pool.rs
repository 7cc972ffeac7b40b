//! Max-pooling's twin.
//!
//! Ties go to the first maximum of a window, row by row; a NaN wins, the last one if there are several, as in PyTorch.
//! A pixel's channels are taken a few vectors at a time, which see their whole window before they are stored.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::cpu::shared::axis::{Axis, NONE};
use crate::cpu::shared::pool::Pool;
use crate::kernel::{CpuArgs, params, words, words_mut};

params! {
    /// Parameters of pooling kernels; what is padded below and to the right follows from the output's size.
    pub(crate) struct PoolParams {
        n: u32,
        h: u32,
        w: u32,
        c: u32,
        kh: u32,
        kw: u32,
        stride_h: u32,
        stride_w: u32,
        pad_top: u32,
        pad_left: u32,
        dilation_h: u32,
        dilation_w: u32,
        out_h: u32,
        out_w: u32,
    }
}

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
    fn with_simd<S: Simd>(mut self, simd: S) {
        for ox in 0..self.pool.columns.output {
            let mut channel = 0;
            while channel < self.pool.channels {
                channel += match (self.pool.channels - channel).div_ceil(S::F32_LANES) {
                    1 => self.window::<S, 1>(simd, ox, channel),
                    2 => self.window::<S, 2>(simd, ox, channel),
                    3 => self.window::<S, 3>(simd, ox, channel),
                    _ => self.window::<S, 4>(simd, ox, channel),
                };
            }
        }
    }
}

impl ForwardRow<'_> {
    /// The maxima of `VECTORS` vectors of one pixel's channels; how many channels those are.
    #[inline(always)]
    fn window<S: Simd, const VECTORS: usize>(
        &mut self,
        simd: S,
        ox: usize,
        channel: usize,
    ) -> usize {
        let channels = self.pool.channels;
        let mut most = [simd.splat_f32s(f32::NEG_INFINITY); VECTORS];
        let mut indices = [simd.splat_u32s(u32::MAX); VECTORS];
        let mut is_first = true;
        for_taps(
            self.rows,
            self.columns,
            [self.oy, ox],
            #[inline(always)]
            |iy, ix| {
                let at = iy * self.pool.columns.input + ix;
                let pixel = self.image * self.pool.rows.input * self.pool.columns.input + at;
                let x = &self.x[pixel * channels..][channel..channels];
                let place = simd.splat_u32s(position(at));
                if is_first {
                    indices = [place; VECTORS];
                    is_first = false;
                }
                for vector in 0..VECTORS {
                    let x = load(simd, &x[lanes::<S>(x.len(), vector)]);
                    let is_nan = simd.not_m32s(simd.equal_f32s(x, x));
                    let wins = simd.or_m32s(simd.greater_than_f32s(x, most[vector]), is_nan);
                    most[vector] = simd.select_f32s(wins, x, most[vector]);
                    indices[vector] = simd.select_u32s(wins, place, indices[vector]);
                }
            },
        );
        for vector in 0..VECTORS {
            let start = ox * channels + channel;
            let lanes = lanes::<S>(channels - channel, vector);
            let lanes = start + lanes.start..start + lanes.end;
            store(simd, most[vector], &mut self.y[lanes.clone()]);
            store_words(simd, indices[vector], &mut self.argmax[lanes]);
        }
        VECTORS * S::F32_LANES
    }
}

/// Where one of several vectors lies in `len` floats.
#[inline(always)]
fn lanes<S: Simd>(len: usize, vector: usize) -> Range<usize> {
    (vector * S::F32_LANES).min(len)..((vector + 1) * S::F32_LANES).min(len)
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
    fn with_simd<S: Simd>(mut self, simd: S) {
        for ix in 0..self.pool.columns.input {
            let mut channel = 0;
            while channel < self.pool.channels {
                channel += match (self.pool.channels - channel).div_ceil(S::F32_LANES) {
                    1 => self.pixel::<S, 1>(simd, ix, channel),
                    2 => self.pixel::<S, 2>(simd, ix, channel),
                    3 => self.pixel::<S, 3>(simd, ix, channel),
                    _ => self.pixel::<S, 4>(simd, ix, channel),
                };
            }
        }
    }
}

impl BackwardRow<'_> {
    /// The gradients of `VECTORS` vectors of one pixel's channels; how many channels those are.
    #[inline(always)]
    fn pixel<S: Simd, const VECTORS: usize>(
        &mut self,
        simd: S,
        ix: usize,
        channel: usize,
    ) -> usize {
        let channels = self.pool.channels;
        let zero = simd.splat_f32s(0.0);
        let here = simd.splat_u32s(position(self.iy * self.pool.columns.input + ix));
        let mut sums = [zero; VECTORS];
        for_taps(
            self.rows,
            self.columns,
            [self.iy, ix],
            #[inline(always)]
            |oy, ox| {
                let row = self.image * self.pool.rows.output + oy;
                let start = (row * self.pool.columns.output + ox) * channels;
                let argmax = &self.argmax[start..][channel..channels];
                let dy = &self.dy[start..][channel..channels];
                for (vector, sum) in sums.iter_mut().enumerate() {
                    let lanes = lanes::<S>(dy.len(), vector);
                    let argmax = load_words(simd, &argmax[lanes.clone()]);
                    let is_here = simd.equal_u32s(argmax, here);
                    let dy = simd.select_f32s(is_here, load(simd, &dy[lanes]), zero);
                    *sum = simd.add_f32s(*sum, dy);
                }
            },
        );
        for (vector, sum) in sums.into_iter().enumerate() {
            let start = ix * channels + channel;
            let lanes = lanes::<S>(channels - channel, vector);
            let lanes = start + lanes.start..start + lanes.end;
            store(simd, sum, &mut self.dx[lanes]);
        }
        VECTORS * S::F32_LANES
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

// A whole vector is loaded and stored as such: pulp's partial ones jump through a table.

#[inline(always)]
fn load<S: Simd>(simd: S, lanes: &[f32]) -> S::f32s {
    let whole = S::as_simd_f32s(lanes).0.first().copied();
    whole.unwrap_or_else(
        #[inline(always)]
        || simd.partial_load_f32s(lanes),
    )
}

#[inline(always)]
fn load_words<S: Simd>(simd: S, lanes: &[u32]) -> S::u32s {
    let whole = S::as_simd_u32s(lanes).0.first().copied();
    whole.unwrap_or_else(
        #[inline(always)]
        || simd.partial_load_u32s(lanes),
    )
}

#[inline(always)]
fn store<S: Simd>(simd: S, values: S::f32s, lanes: &mut [f32]) {
    if let Some(whole) = S::as_mut_simd_f32s(lanes).0.first_mut() {
        *whole = values;
    } else {
        simd.partial_store_f32s(lanes, values);
    }
}

#[inline(always)]
fn store_words<S: Simd>(simd: S, values: S::u32s, lanes: &mut [u32]) {
    if let Some(whole) = S::as_mut_simd_u32s(lanes).0.first_mut() {
        *whole = values;
    } else {
        simd.partial_store_u32s(lanes, values);
    }
}
