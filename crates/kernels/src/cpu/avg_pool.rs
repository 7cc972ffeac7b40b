//! Average pooling's twin.

use rayon::prelude::*;

use crate::cpu::shared::axis::{Axis, AxisSize};
use crate::cpu::shared::pool::{Pool, joined, sources};
use crate::cpu::shared::wide::{each, wide};
use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of both kernels. The divisor counts the taps inside the image or, if `count_include_pad` is not 0,
    /// inside the padded image, as PyTorch does for windows that hang over the end.
    pub(crate) struct AvgPoolParams {
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
        pad_bottom: u32,
        pad_right: u32,
        count_include_pad: u32,
    }
}

/// Twin of the forward kernel: x is read, y is written.
pub(crate) fn forward(p: &AvgPoolParams, args: CpuArgs<'_>) {
    let ([x], [y]) = args.split();
    let pool = Pool::from(p);
    let (rows, columns) = (Axis::forward(&pool.rows), Axis::forward(&pool.columns));
    let [high, broad] = counts(p, &pool);
    let channels = pool.channels;
    let row_len = pool.columns.output * channels;
    y.par_chunks_exact_mut(row_len.max(1))
        .enumerate()
        .for_each(|(row, y)| {
            y.fill(0.0);
            let (image, oy) = (
                row / pool.rows.output * pool.rows.input,
                row % pool.rows.output,
            );
            wide(
                #[inline(always)]
                || {
                    for iy in sources(&rows, oy) {
                        for (ox, ix) in joined(&columns) {
                            let x = &x[((image + iy) * pool.columns.input + ix) * channels..];
                            add(1.0, x, &mut y[ox * channels..][..channels]);
                        }
                    }
                    for (y, broad) in y.chunks_exact_mut(channels).zip(&broad) {
                        let divisor = high[oy] * broad;
                        each(y, [], |y, []| y / divisor);
                    }
                },
            );
        });
}

/// Twin of the backward kernel: dy is read, dx is written.
pub(crate) fn backward(p: &AvgPoolParams, args: CpuArgs<'_>) {
    let ([dy], [dx]) = args.split();
    let pool = Pool::from(p);
    let (rows, columns) = (Axis::backward(&pool.rows), Axis::backward(&pool.columns));
    let [high, broad] = counts(p, &pool);
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
            wide(
                #[inline(always)]
                || {
                    for oy in sources(&rows, iy) {
                        for (ix, ox) in joined(&columns) {
                            let dy = &dy[((image + oy) * pool.columns.output + ox) * channels..];
                            add(
                                1.0 / (high[oy] * broad[ox]),
                                dy,
                                &mut dx[ix * channels..][..channels],
                            );
                        }
                    }
                },
            );
        });
}

/// How many taps of each output position count for the divisor, along each axis.
fn counts(p: &AvgPoolParams, pool: &Pool) -> [Vec<f32>; 2] {
    let axis = |size: &AxisSize, pad_end: u32| {
        let (start, end) = if p.count_include_pad == 0 {
            (size.pad, size.pad + size.input)
        } else {
            (0, size.pad + size.input + pad_end as usize)
        };
        let counts = |output: usize| {
            let taps = (0..size.taps).map(|tap| output * size.stride + tap * size.dilation);
            let count = taps.filter(|padded| (start..end).contains(padded)).count();
            f32::from(u16::try_from(count).expect("a window has under 2^16 taps a side"))
        };
        (0..size.output).map(counts).collect()
    };
    [
        axis(&pool.rows, p.pad_bottom),
        axis(&pool.columns, p.pad_right),
    ]
}

#[inline(always)]
fn add(factor: f32, values: &[f32], sums: &mut [f32]) {
    each(sums, [values], |sum, [value]| sum + factor * value);
}
