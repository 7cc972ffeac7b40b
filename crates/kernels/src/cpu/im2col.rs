//! Twins of im2col and col2im as whole-tensor operators: the readable route of a convolution, and an oracle of the
//! convolution twins, which make no patches.
//!
//! patches: `[n * out_h * out_w, kh * kw * c_in]`, x: `[n, h, w, c_in]`; groups are not cut here.

use rayon::prelude::*;

use crate::cpu::conv2d::Conv2dParams;
use crate::cpu::conv2d::Geometry;
use crate::cpu::shared::axis::NONE;
use crate::kernel::CpuArgs;

/// Twin of im2col: x is read, patches are written, zeros where a tap falls on padding.
pub(crate) fn im2col(p: &Conv2dParams, args: CpuArgs<'_>) {
    let ([x], [patches]) = args.split();
    let geometry = Geometry::new(p);
    let (rows, columns) = geometry.forward_axes();
    let (height, width) = geometry.input_size();
    let (c_in, taps) = (geometry.c_in, columns.taps);
    let patch_len = rows.taps * taps * c_in;
    patches
        .par_chunks_exact_mut((columns.len() * patch_len).max(1))
        .enumerate()
        .for_each(|(row, patches)| {
            for (ox, patch) in patches.chunks_exact_mut(patch_len).enumerate() {
                for (tap, target) in patch.chunks_exact_mut(c_in).enumerate() {
                    let iy = rows.source(row % rows.len(), tap / taps);
                    let ix = columns.source(ox, tap % taps);
                    if iy == NONE || ix == NONE {
                        target.fill(0.0);
                    } else {
                        let pixel = (row / rows.len() * height + iy) * width + ix;
                        target.copy_from_slice(&x[pixel * c_in..][..c_in]);
                    }
                }
            }
        });
}

/// Twin of col2im, the transpose of im2col: patches are read, the sums at each pixel are written to x, taps in order.
pub(crate) fn col2im(p: &Conv2dParams, args: CpuArgs<'_>) {
    let ([patches], [x]) = args.split();
    let geometry = Geometry::new(p);
    let (rows, columns) = geometry.backward_axes();
    let (out_h, out_w) = geometry.output_size();
    let (c_in, taps) = (geometry.c_in, columns.taps);
    let patch_len = rows.taps * taps * c_in;
    x.par_chunks_exact_mut((columns.len() * c_in).max(1))
        .enumerate()
        .for_each(|(row, x)| {
            x.fill(0.0);
            for (ix, sums) in x.chunks_exact_mut(c_in).enumerate() {
                for tap in 0..rows.taps * taps {
                    let oy = rows.source(row % rows.len(), tap / taps);
                    let ox = columns.source(ix, tap % taps);
                    if oy != NONE && ox != NONE {
                        let patch = (row / rows.len() * out_h + oy) * out_w + ox;
                        let values = &patches[patch * patch_len + tap * c_in..];
                        sums.iter_mut()
                            .zip(values)
                            .for_each(|(sum, value)| *sum += value);
                    }
                }
            }
        });
}
