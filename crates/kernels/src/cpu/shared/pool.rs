//! What the pools share: the walk over rows of images, forwards and backwards, as tables of taps.

use super::axis::{Axis, AxisSize, NONE};
use crate::cpu::avg_pool::AvgPoolParams;
use crate::cpu::max_pool::PoolParams;

/// A pool's sizes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    pub(crate) rows: AxisSize,
    pub(crate) columns: AxisSize,
    pub(crate) channels: usize,
}

impl From<&PoolParams> for Pool {
    fn from(p: &PoolParams) -> Self {
        let axis = |[input, output, taps, stride, dilation, pad]: [u32; 6]| AxisSize {
            input: input as usize,
            output: output as usize,
            taps: taps as usize,
            stride: stride as usize,
            dilation: dilation as usize,
            pad: pad as usize,
        };
        Self {
            rows: axis([p.h, p.out_h, p.kh, p.stride_h, p.dilation_h, p.pad_top]),
            columns: axis([p.w, p.out_w, p.kw, p.stride_w, p.dilation_w, p.pad_left]),
            channels: p.c as usize,
        }
    }
}

impl From<&AvgPoolParams> for Pool {
    fn from(p: &AvgPoolParams) -> Self {
        Self::from(&PoolParams {
            n: p.n,
            h: p.h,
            w: p.w,
            c: p.c,
            kh: p.kh,
            kw: p.kw,
            stride_h: p.stride_h,
            stride_w: p.stride_w,
            pad_top: p.pad_top,
            pad_left: p.pad_left,
            dilation_h: p.dilation_h,
            dilation_w: p.dilation_w,
            out_h: p.out_h,
            out_w: p.out_w,
        })
    }
}

/// The pairs of a destination column and a source column that one row of taps joins, as `(destination, source)`.
pub(crate) fn joined(columns: &Axis) -> impl Iterator<Item = (usize, usize)> {
    (0..columns.len()).flat_map(move |column| {
        (0..columns.taps)
            .map(move |tap| (column, columns.source(column, tap)))
            .filter(|&(_, source)| source != NONE)
    })
}

/// The source rows that the taps of a destination row reach.
pub(crate) fn sources(axis: &Axis, position: usize) -> impl Iterator<Item = usize> {
    (0..axis.taps)
        .map(move |tap| axis.source(position, tap))
        .filter(|&source| source != NONE)
}
