//! A convolution's sizes, and the rewriting of one with few channels into one with longer runs. No arithmetic on
//! values, except the copy that gives rows of few channels their padding.

use rayon::prelude::*;

use crate::cpu::conv2d::Conv2dParams;
use crate::cpu::shared::axis::{Axis, AxisSize};
use crate::cpu::shared::scratch::with_scratch;

/// Below this many channels a group, the taps of a filter row are merged into one run of `kw * c_in` floats.
const MERGE_BELOW: usize = 16;

/// A convolution's sizes, as the twins use them.
#[derive(Clone, Debug)]
pub(crate) struct Geometry {
    pub(crate) images: usize,
    vertical: AxisSize,
    horizontal: AxisSize,
    pub(crate) c_in: usize,
    pub(crate) c_out: usize,
    pub(crate) groups: usize,
    /// Input and output channels of one group.
    pub(crate) group_in: usize,
    pub(crate) group_out: usize,
    /// Neighbouring floats of the input that one tap meets.
    pub(crate) run_len: usize,
}

impl Geometry {
    pub(crate) fn new(p: &Conv2dParams) -> Self {
        let [n, h, w, c_in, kh, kw] = [p.n, p.h, p.w, p.c_in, p.kh, p.kw].map(|size| size as usize);
        let [out_h, out_w, c_out, groups] =
            [p.out_h, p.out_w, p.c_out, p.groups].map(|size| size as usize);
        let [
            stride_h,
            stride_w,
            pad_top,
            pad_left,
            dilation_h,
            dilation_w,
        ] = [
            p.stride_h,
            p.stride_w,
            p.pad_top,
            p.pad_left,
            p.dilation_h,
            p.dilation_w,
        ]
        .map(|size| size as usize);
        let vertical = AxisSize {
            input: h,
            output: out_h,
            taps: kh,
            stride: stride_h,
            dilation: dilation_h,
            pad: pad_top,
        };
        let horizontal = AxisSize {
            input: w,
            output: out_w,
            taps: kw,
            stride: stride_w,
            dilation: dilation_w,
            pad: pad_left,
        };
        let group_in = c_in / groups;
        Self {
            images: n,
            vertical,
            horizontal,
            c_in,
            c_out,
            groups,
            group_in,
            group_out: c_out / groups,
            run_len: group_in,
        }
    }

    pub(crate) fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.group_in == 1 && self.group_out == 1
    }

    pub(crate) fn n_runs(&self) -> usize {
        self.vertical.taps * self.horizontal.taps
    }

    pub(crate) fn input_size(&self) -> (usize, usize) {
        (self.vertical.input, self.horizontal.input)
    }

    pub(crate) fn output_size(&self) -> (usize, usize) {
        (self.vertical.output, self.horizontal.output)
    }

    /// From output rows to input rows, and from output columns to input columns.
    pub(crate) fn forward_axes(&self) -> (Axis, Axis) {
        (
            Axis::forward(&self.vertical),
            Axis::forward(&self.horizontal),
        )
    }

    /// From input rows to output rows, and from input columns to output columns.
    pub(crate) fn backward_axes(&self) -> (Axis, Axis) {
        (
            Axis::backward(&self.vertical),
            Axis::backward(&self.horizontal),
        )
    }

    /// Calls `work` with a convolution of the same result whose runs are long enough for a register tile.
    ///
    /// An RGB pixel is a run of three floats. Where the pixels under a row of the filter are neighbours, they are one
    /// run instead, once the image's rows carry their horizontal padding; that copy is small beside the product.
    pub(crate) fn with_merged_taps<R>(
        &self,
        x: &[f32],
        work: impl FnOnce(&Self, &[f32]) -> R,
    ) -> R {
        let columns = self.horizontal;
        if self.group_in >= MERGE_BELOW
            || self.groups > 1
            || columns.dilation > 1
            || columns.taps == 1
        {
            return work(self, x);
        }
        let reach = columns.output.saturating_sub(1) * columns.stride + columns.taps;
        let width = reach.max(columns.pad + columns.input);
        let mut merged = self.clone();
        merged.horizontal = AxisSize {
            input: width,
            taps: 1,
            pad: 0,
            ..columns
        };
        merged.run_len = columns.taps * self.c_in;
        if width == columns.input {
            return work(&merged, x);
        }
        let (row_len, padded_len, lead) = (
            columns.input * self.c_in,
            width * self.c_in,
            columns.pad * self.c_in,
        );
        with_scratch(self.images * self.vertical.input * padded_len, |padded| {
            padded
                .par_chunks_mut(padded_len)
                .zip(x.par_chunks(row_len))
                .with_min_len(64)
                .for_each(|(padded, row)| {
                    padded[..lead].fill(0.0);
                    padded[lead..lead + row_len].copy_from_slice(row);
                    padded[lead + row_len..].fill(0.0);
                });
            work(&merged, padded)
        })
    }
}
