//! Convolutions with one channel a group, in and out: no product of matrices is in them, so they are plain loops along
//! the channels, which neighbour each other in images and filters alike.

use rayon::prelude::*;

use super::gather::Gather;
use super::geometry::Geometry;
use crate::cpu::gemm::finish_row;
use crate::cpu::shared::axis::NONE;
use crate::cpu::shared::tile::Epilogue;
use crate::cpu::shared::wide::{each, wide};

/// `output[p, c] = epilogue(sum over taps of source[tap of p, c] * w[tap, c])`, for the forward pass and for the data
/// gradient alike.
pub(crate) fn gather(
    gather: &Gather,
    w: &[f32],
    source: &[f32],
    epilogue: Epilogue<'_>,
    output: &mut [f32],
) {
    let channels = gather.channels;
    let (height, row_len) = (gather.rows.len(), gather.columns.len() * channels);
    if output.is_empty() {
        return;
    }
    output
        .par_chunks_mut(row_len)
        .enumerate()
        .for_each(|(row, output)| {
            let (image, y) = (row / height, row % height);
            wide(
                #[inline(always)]
                || {
                    for (x, output) in output.chunks_exact_mut(channels).enumerate() {
                        output.fill(0.0);
                        for tap in 0..gather.rows.taps * gather.columns.taps {
                            let source_y = gather.rows.source(y, tap / gather.columns.taps);
                            let source_x = gather.columns.source(x, tap % gather.columns.taps);
                            if source_y != NONE && source_x != NONE {
                                let pixel = (image * gather.source_size.0 + source_y)
                                    * gather.source_size.1
                                    + source_x;
                                add_product(
                                    output,
                                    &source[pixel * channels..],
                                    &w[tap * channels..],
                                );
                            }
                        }
                        finish_row(output, epilogue.bias, epilogue.relu);
                    }
                },
            );
        });
}

/// `dw[tap, c] = sum over pixels of x[tap of pixel, c] * dy[pixel, c]`, pixels in order.
pub(crate) fn weight_gradient(geometry: &Geometry, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let channels = geometry.c_out;
    let (rows, columns) = geometry.forward_axes();
    let (height, width) = geometry.input_size();
    if dw.is_empty() {
        return;
    }
    dw.par_chunks_mut(channels)
        .enumerate()
        .for_each(|(tap, dw)| {
            dw.fill(0.0);
            wide(
                #[inline(always)]
                || {
                    for row in 0..geometry.images * rows.len() {
                        let source_y = rows.source(row % rows.len(), tap / columns.taps);
                        if source_y == NONE {
                            continue;
                        }
                        let source_row = (row / rows.len() * height + source_y) * width;
                        for column in 0..columns.len() {
                            let source_x = columns.source(column, tap % columns.taps);
                            if source_x != NONE {
                                let pixel = row * columns.len() + column;
                                add_product(
                                    dw,
                                    &x[(source_row + source_x) * channels..],
                                    &dy[pixel * channels..],
                                );
                            }
                        }
                    }
                },
            );
        });
}

#[inline(always)]
fn add_product(sums: &mut [f32], left: &[f32], right: &[f32]) {
    each(sums, [left, right], |sum, [left, right]| sum + left * right);
}
