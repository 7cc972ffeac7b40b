//! Tiles of a product that sums over pixels: a step adds the outer product of a few left-hand floats, which neighbour
//! each other, and a packed row.

use pulp::{Simd, WithSimd};

use super::{MAX_ROWS, rows_of};

/// Adds to one panel of a weight gradient: `output[i] += sum over steps of source[step + i] * packed[step]`.
///
/// The rows of the output are `n_rows` neighbouring floats of the left-hand side.
pub(crate) struct OuterTile<'a> {
    /// For each step, where its left-hand floats begin and which packed row it meets.
    pub(crate) steps: &'a [(usize, usize)],
    pub(crate) source: &'a [f32],
    /// Rows of `vectors` vectors.
    pub(crate) packed: &'a [f32],
    pub(crate) vectors: usize,
    pub(crate) n_rows: usize,
    /// `[n_rows, vectors * lanes]`.
    pub(crate) output: &'a mut [f32],
}

impl WithSimd for OuterTile<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        match self.vectors {
            1 => self.panel::<S, 1>(simd),
            2 => self.panel::<S, 2>(simd),
            _ => self.panel::<S, 3>(simd),
        }
    }
}

impl OuterTile<'_> {
    #[inline(always)]
    fn panel<S: Simd, const VECTORS: usize>(&mut self, simd: S) {
        let mut row = 0;
        while row < self.n_rows {
            let left = self.n_rows - row;
            row += match left {
                MAX_ROWS.. if rows_of::<S>() == MAX_ROWS => {
                    self.rows::<S, MAX_ROWS, VECTORS>(simd, row)
                }
                4.. => self.rows::<S, 4, VECTORS>(simd, row),
                2.. => self.rows::<S, 2, VECTORS>(simd, row),
                _ => self.rows::<S, 1, VECTORS>(simd, row),
            };
        }
    }

    /// `ROWS` rows from `first`; how many those are.
    #[inline(always)]
    fn rows<S: Simd, const ROWS: usize, const VECTORS: usize>(
        &mut self,
        simd: S,
        first: usize,
    ) -> usize {
        let packed = S::as_simd_f32s(self.packed).0.as_chunks::<VECTORS>().0;
        let output = S::as_mut_simd_f32s(self.output)
            .0
            .as_chunks_mut::<VECTORS>()
            .0;
        let Some(output) = output[first..].first_chunk_mut::<ROWS>() else {
            return ROWS;
        };
        let mut sums = *output;
        for &(source, step) in self.steps {
            let Some(left) = self.source[source + first..].first_chunk::<ROWS>() else {
                continue;
            };
            let right = packed[step];
            for row in 0..ROWS {
                let left = simd.splat_f32s(left[row]);
                for vector in 0..VECTORS {
                    sums[row][vector] = simd.mul_add_f32s(left, right[vector], sums[row][vector]);
                }
            }
        }
        *output = sums;
        ROWS
    }
}
