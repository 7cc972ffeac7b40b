//! What the transforms read and write: tiles of images and filters, and planes.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::matrices::{Filter, FilterGradient, Input, Matrix, Output, OutputGradient, both_sides};
use super::{FILTER, Images};
use crate::cpu::shared::tile::Epilogue;

/// Rows and columns of outputs of a tile.
pub(super) const TILE: usize = 4;

/// Rows and columns of the inputs of a tile.
pub(super) const INPUTS: usize = TILE + FILTER - 1;

/// A cache line, in floats.
const LINE: usize = 16;

/// Planes, one for each number of a transformed tile. They are a cache line apart, because the same place of all of them is written at
/// once: at distances of a power of two all of those would fall into one set of a cache.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planes {
    plane: usize,
}

impl Planes {
    pub(super) fn new(plane: usize) -> Self {
        Self { plane }
    }

    fn stride(&self) -> usize {
        self.plane + LINE
    }

    /// Floats of all of them.
    pub(super) fn len(&self) -> usize {
        INPUTS * INPUTS * self.stride()
    }

    pub(super) fn get<'a>(&self, planes: &'a [f32], plane: usize) -> &'a [f32] {
        &planes[plane * self.stride()..][..self.plane]
    }

    pub(super) fn get_mut<'a>(&self, planes: &'a mut [f32], plane: usize) -> &'a mut [f32] {
        &mut planes[plane * self.stride()..][..self.plane]
    }
}

/// Some channels, and where in a plane `[tiles, columns]` of them begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) start: usize,
    pub(super) columns: usize,
    pub(super) offset: usize,
}

impl Part {
    pub(super) fn all(columns: usize) -> Self {
        Self {
            start: 0,
            columns,
            offset: 0,
        }
    }
}

/// Transforms of tiles of FROM x FROM pixels to planes: `B^T d B` of 6 x 6, `A dy A^T` of 4 x 4.
pub(super) struct ToPlanes<'a, const FROM: usize> {
    /// What is read, shifted to the first channel.
    pub(super) x: &'a [f32],
    pub(super) images: &'a Images,
    /// The images whose tiles of outputs are counted.
    pub(super) tiles_of: &'a Images,
    /// Numbers of tiles, over all images.
    pub(super) tiles: Range<usize>,
    pub(super) parts: &'a [Part],
    pub(super) planes: Planes,
    pub(super) v: &'a mut [f32],
}

impl<const FROM: usize> ToPlanes<'_, FROM> {
    /// Where the pixels of a tile begin; those outside of the image are none.
    #[inline(always)]
    fn pixels(&self, tile: usize) -> [[Option<usize>; FROM]; FROM] {
        let [tile_rows, tile_columns] = self.tiles_of.tiles();
        let ([height, width], [top, left]) = (self.images.size, self.images.padding);
        let (image, tile) = (
            tile / (tile_rows * tile_columns),
            tile % (tile_rows * tile_columns),
        );
        let (first_row, first_column) = (tile / tile_columns * TILE, tile % tile_columns * TILE);
        let mut pixels = [[None; FROM]; FROM];
        for (row, pixels) in (first_row..).zip(&mut pixels) {
            for (column, pixel) in (first_column..).zip(pixels) {
                // Beyond the image too where it is before it: then the difference wraps around.
                let (row, column) = (row.wrapping_sub(top), column.wrapping_sub(left));
                if row < height && column < width {
                    *pixel = Some(((image * height + row) * width + column) * self.images.channels);
                }
            }
        }
        pixels
    }

    #[inline(always)]
    fn run<S: Simd, L: Matrix<FROM, INPUTS>>(&mut self, simd: S) {
        let zero = simd.splat_f32s(0.0);
        let stride = self.planes.stride() / S::F32_LANES;
        for (idx, tile) in self.tiles.clone().enumerate() {
            let pixels = self.pixels(tile);
            for part in self.parts {
                let vectors = part.columns / S::F32_LANES;
                let mut sources: [[&[S::f32s]; FROM]; FROM] = [[&[]; FROM]; FROM];
                for (sources, pixels) in sources.iter_mut().zip(&pixels) {
                    for (source, pixel) in sources.iter_mut().zip(pixels) {
                        if let Some(pixel) = pixel {
                            let values = &self.x[pixel + part.start..][..part.columns];
                            *source = S::as_simd_f32s(values).0;
                        }
                    }
                }
                let first = part.offset / S::F32_LANES + idx * vectors;
                let planes = &mut S::as_mut_simd_f32s(self.v).0[first..];
                for vector in 0..vectors {
                    let mut d = [[zero; FROM]; FROM];
                    for (values, sources) in d.iter_mut().zip(&sources) {
                        for (value, source) in values.iter_mut().zip(sources) {
                            if let Some(&number) = source.get(vector) {
                                *value = number;
                            }
                        }
                    }
                    let d = both_sides::<S, L, FROM, INPUTS>(simd, &d);
                    for (row, values) in d.iter().enumerate() {
                        for (column, &value) in values.iter().enumerate() {
                            planes[(row * INPUTS + column) * stride + vector] = value;
                        }
                    }
                }
            }
        }
    }
}

impl WithSimd for ToPlanes<'_, INPUTS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.run::<S, Input>(simd);
    }
}

impl WithSimd for ToPlanes<'_, TILE> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.run::<S, OutputGradient>(simd);
    }
}

/// `y = A^T M A` of some channels, plus the bias, then ReLU.
pub(super) struct FromPlanes<'a, 'b> {
    pub(super) planes: Planes,
    pub(super) m: &'a [f32],
    /// Floats of a tile in a plane.
    pub(super) row_len: usize,
    /// What is written: rows of tiles, of which the first tile has number `first` over all images.
    pub(super) rows: &'a mut [&'b mut [f32]],
    pub(super) first: usize,
    pub(super) images: &'a Images,
    pub(super) channels: Range<usize>,
    pub(super) epilogue: Epilogue<'a>,
}

impl WithSimd for FromPlanes<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let zero = simd.splat_f32s(0.0);
        let [tile_rows, tile_columns] = self.images.tiles();
        let ([height, width], channels) = (self.images.size, self.images.channels);
        let (m, vectors) = (
            S::as_simd_f32s(self.m).0,
            self.channels.len() / S::F32_LANES,
        );
        let (stride, row_len) = (
            self.planes.stride() / S::F32_LANES,
            self.row_len / S::F32_LANES,
        );
        for (idx, rows) in self.rows.iter_mut().enumerate() {
            let first_row = (self.first / tile_columns + idx) % tile_rows * TILE;
            for tile_column in 0..tile_columns {
                let m = &m[(idx * tile_columns + tile_column) * row_len..];
                let (n_rows, n_columns) = (
                    TILE.min(height - first_row),
                    TILE.min(width - tile_column * TILE),
                );
                for vector in 0..vectors {
                    let mut sums = [[zero; INPUTS]; INPUTS];
                    for (row, sums) in sums.iter_mut().enumerate() {
                        for (column, sum) in sums.iter_mut().enumerate() {
                            *sum = m[(row * INPUTS + column) * stride + vector];
                        }
                    }
                    let mut y = both_sides::<S, Output, INPUTS, TILE>(simd, &sums);
                    let channel = self.channels.start + vector * S::F32_LANES;
                    if let Some(bias) = self.epilogue.bias {
                        let bias = S::as_simd_f32s(&bias[channel..][..S::F32_LANES]).0[0];
                        for y in y.as_flattened_mut() {
                            *y = simd.add_f32s(*y, bias);
                        }
                    }
                    if self.epilogue.relu {
                        for y in y.as_flattened_mut() {
                            *y = simd.select_f32s(simd.less_than_or_equal_f32s(*y, zero), zero, *y);
                        }
                    }
                    for (row, values) in y.iter().enumerate().take(n_rows) {
                        let first = row * width + tile_column * TILE;
                        for (pixel, &value) in (first..).zip(values).take(n_columns) {
                            let pixel = &mut rows[pixel * channels + channel..][..S::F32_LANES];
                            S::as_mut_simd_f32s(pixel).0[0] = value;
                        }
                    }
                }
            }
        }
    }
}

/// `U = G g G^T` of rows of filters.
pub(super) struct FilterToPlanes<'a> {
    /// Filters `[taps, rows, ...]`, shifted to the first column.
    pub(super) w: &'a [f32],
    /// Floats of a tap and of a row.
    pub(super) strides: [usize; 2],
    /// Whether the last tap comes first.
    pub(super) is_turned: bool,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// `[planes, rows, columns]`.
    pub(super) u: &'a mut [f32],
}

impl WithSimd for FilterToPlanes<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let zero = simd.splat_f32s(0.0);
        let u = S::as_mut_simd_f32s(self.u).0;
        let vectors = self.columns / S::F32_LANES;
        for row in 0..self.rows {
            for vector in 0..vectors {
                let mut g = [[zero; FILTER]; FILTER];
                for (tap, value) in g.as_flattened_mut().iter_mut().enumerate() {
                    let tap = if self.is_turned {
                        FILTER * FILTER - 1 - tap
                    } else {
                        tap
                    };
                    let first =
                        tap * self.strides[0] + row * self.strides[1] + vector * S::F32_LANES;
                    *value = S::as_simd_f32s(&self.w[first..][..S::F32_LANES]).0[0];
                }
                let g = both_sides::<S, Filter, FILTER, INPUTS>(simd, &g);
                for (plane, &value) in g.as_flattened().iter().enumerate() {
                    u[(plane * self.rows + row) * vectors + vector] = value;
                }
            }
        }
    }
}

/// `dg = G^T dU G` of a row of some columns.
pub(super) struct FilterFromPlanes<'a, 'b> {
    /// For each plane, the row in it.
    pub(super) du: [&'a [f32]; INPUTS * INPUTS],
    /// For each tap, the row of gradients.
    pub(super) dw: &'a mut [&'b mut [f32]],
    pub(super) columns: Range<usize>,
}

impl WithSimd for FilterFromPlanes<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let zero = simd.splat_f32s(0.0);
        for vector in 0..self.columns.len() / S::F32_LANES {
            let mut u = [[zero; INPUTS]; INPUTS];
            for (value, row) in u.as_flattened_mut().iter_mut().zip(self.du) {
                *value = S::as_simd_f32s(row).0[vector];
            }
            let g = both_sides::<S, FilterGradient, INPUTS, FILTER>(simd, &u);
            let scale = simd.splat_f32s(24.0 * 24.0);
            let first = self.columns.start + vector * S::F32_LANES;
            for (row, &value) in self.dw.iter_mut().zip(g.as_flattened()) {
                let value = simd.div_f32s(value, scale);
                S::as_mut_simd_f32s(&mut row[first..][..S::F32_LANES]).0[0] = value;
            }
        }
    }
}
