//! Tiles of a product whose left-hand rows are gathered: each row of a tile reads its sources through a list of
//! addresses, one a run, and is finished and stored on its own.

use std::array;
use std::cell::Cell;

use pulp::{Simd, WithSimd};

use super::{MAX_ROWS, Panel, Panels, rows_of, tile_shape};
use crate::cpu::shared::axis::NONE;

/// For tiles of rows of a result: where each row is written, and where its sources are read, run by run.
///
/// A run is `run_len` neighbouring floats of the left-hand side that meet `run_len` rows of the packed right-hand side.
#[derive(Debug)]
pub(crate) struct TileList {
    rows: usize,
    /// `rows` destinations a tile, `NONE` where the last tile is not full.
    outputs: Vec<usize>,
    /// First step of each tile, and one past the last.
    starts: Vec<usize>,
    /// The run of each step.
    runs: Vec<usize>,
    /// `rows` sources a step, `NONE` for zeros.
    sources: Vec<usize>,
}

impl Default for TileList {
    fn default() -> Self {
        Self::new()
    }
}

impl TileList {
    pub(crate) const fn new() -> Self {
        Self {
            rows: 0,
            outputs: Vec::new(),
            starts: Vec::new(),
            runs: Vec::new(),
            sources: Vec::new(),
        }
    }

    /// Empties the list for tiles of as many rows as this processor has.
    pub(crate) fn clear(&mut self) {
        self.rows = tile_shape().rows;
        self.outputs.clear();
        self.starts.clear();
        self.starts.push(0);
        self.runs.clear();
        self.sources.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Adds a step to the tile that is being built; a step without any source is left out.
    pub(crate) fn push_step(&mut self, run: usize, sources: &[usize]) {
        if sources.iter().any(|&source| source != NONE) {
            self.runs.push(run);
            self.sources.extend_from_slice(sources);
            self.sources
                .extend((sources.len()..self.rows).map(|_| NONE));
        }
    }

    /// Adds tiles of neighbouring rows: sources and destinations lie so many floats apart.
    pub(crate) fn push_rows(&mut self, rows: usize, source_stride: usize, output_stride: usize) {
        for start in (0..rows).step_by(self.rows) {
            let (mut sources, mut outputs) = ([NONE; MAX_ROWS], [NONE; MAX_ROWS]);
            let count = self.rows.min(rows - start);
            for idx in 0..count {
                sources[idx] = (start + idx) * source_stride;
                outputs[idx] = (start + idx) * output_stride;
            }
            self.push_step(0, &sources[..count]);
            self.finish_tile(&outputs[..count]);
        }
    }

    /// Closes the tile that is being built.
    pub(crate) fn finish_tile(&mut self, outputs: &[usize]) {
        self.outputs.extend_from_slice(outputs);
        self.outputs
            .extend((outputs.len()..self.rows).map(|_| NONE));
        self.starts.push(self.runs.len());
    }
}

thread_local! {
    static TILES: Cell<TileList> = const { Cell::new(TileList::new()) };
}

/// Lends the list of tiles that this thread keeps between tasks.
pub(crate) fn with_tiles<R>(work: impl FnOnce(&mut TileList) -> R) -> R {
    let mut tiles = TILES.take();
    let result = work(&mut tiles);
    TILES.set(tiles);
    result
}

/// What is done to a finished row of a result before it is stored.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Epilogue<'a> {
    /// Added to every row.
    pub(crate) bias: Option<&'a [f32]>,
    /// Values up to zero become zero, NaN stays.
    pub(crate) relu: bool,
}

/// Computes every tile of a list against every panel: `output[row] = epilogue(sum over runs of source * packed)`.
pub(crate) struct RowTiles<'a> {
    pub(crate) tiles: &'a TileList,
    pub(crate) run_len: usize,
    pub(crate) n_runs: usize,
    /// The left-hand side, already shifted to the first column that this product reads.
    pub(crate) source: &'a [f32],
    /// `run_len` zeros, for rows without a source.
    pub(crate) zeros: &'a [f32],
    pub(crate) panels: Panels,
    pub(crate) packed: &'a [f32],
    /// The result, shifted to the first column that this product writes.
    pub(crate) output: &'a mut [f32],
    pub(crate) epilogue: Epilogue<'a>,
}

impl WithSimd for RowTiles<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if rows_of::<S>() == MAX_ROWS {
            self.run::<S, MAX_ROWS>(simd);
        } else {
            self.run::<S, 4>(simd);
        }
    }
}

impl RowTiles<'_> {
    #[inline(always)]
    fn run<S: Simd, const ROWS: usize>(mut self, simd: S) {
        for panel in self.panels.iter() {
            match panel.vectors {
                1 => self.panel::<S, ROWS, 1>(simd, &panel),
                2 => self.panel::<S, ROWS, 2>(simd, &panel),
                _ => self.panel::<S, ROWS, 3>(simd, &panel),
            }
        }
    }

    #[inline(always)]
    fn panel<S: Simd, const ROWS: usize, const VECTORS: usize>(&mut self, simd: S, panel: &Panel) {
        let packed = self
            .panels
            .packed(panel, self.n_runs * self.run_len, self.packed);
        let packed = S::as_simd_f32s(packed).0.as_chunks::<VECTORS>().0;
        let outputs = self.tiles.outputs.as_chunks::<ROWS>().0;
        let sources = self.tiles.sources.as_chunks::<ROWS>().0;
        let bias = self.bias::<S, VECTORS>(simd, panel);
        for (tile, outputs) in outputs.iter().enumerate() {
            let steps = self.tiles.starts[tile]..self.tiles.starts[tile + 1];
            let sums = self.sum::<S, ROWS, VECTORS>(
                simd,
                &self.tiles.runs[steps.clone()],
                &sources[steps],
                packed,
            );
            for (sums, &output) in sums.iter().zip(outputs) {
                if output != NONE {
                    let row = &mut self.output[output + panel.start..][..panel.columns];
                    store::<S, VECTORS>(
                        simd,
                        finish::<S, VECTORS>(simd, *sums, &bias, self.epilogue.relu),
                        row,
                    );
                }
            }
        }
    }

    #[inline(always)]
    fn bias<S: Simd, const VECTORS: usize>(
        &self,
        simd: S,
        panel: &Panel,
    ) -> Option<[S::f32s; VECTORS]> {
        let bias = &self.epilogue.bias?[panel.start..][..panel.columns];
        Some(array::from_fn(|vector| {
            simd.partial_load_f32s(&bias[(vector * S::F32_LANES).min(bias.len())..])
        }))
    }

    #[inline(always)]
    fn sum<S: Simd, const ROWS: usize, const VECTORS: usize>(
        &self,
        simd: S,
        runs: &[usize],
        sources: &[[usize; ROWS]],
        packed: &[[S::f32s; VECTORS]],
    ) -> [[S::f32s; VECTORS]; ROWS] {
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
        let (len, zeros, base) = (self.run_len, self.zeros, self.source);
        for (&run, sources) in runs.iter().zip(sources) {
            let rows: [&[f32]; ROWS] = array::from_fn(
                #[inline(always)]
                |row| {
                    let source = sources[row];
                    let (base, start) = if source == NONE {
                        (zeros, 0)
                    } else {
                        (base, source)
                    };
                    &base[start..][..len]
                },
            );
            let packed = &packed[run * len..][..len];
            for step in 0..len {
                let right = packed[step];
                for row in 0..ROWS {
                    let left = simd.splat_f32s(rows[row][step]);
                    for vector in 0..VECTORS {
                        sums[row][vector] =
                            simd.mul_add_f32s(left, right[vector], sums[row][vector]);
                    }
                }
            }
        }
        sums
    }
}

#[inline(always)]
fn finish<S: Simd, const VECTORS: usize>(
    simd: S,
    mut sums: [S::f32s; VECTORS],
    bias: &Option<[S::f32s; VECTORS]>,
    relu: bool,
) -> [S::f32s; VECTORS] {
    if let Some(bias) = bias {
        for vector in 0..VECTORS {
            sums[vector] = simd.add_f32s(sums[vector], bias[vector]);
        }
    }
    if relu {
        let zero = simd.splat_f32s(0.0);
        sums = sums.map(|sum| simd.select_f32s(simd.less_than_or_equal_f32s(sum, zero), zero, sum));
    }
    sums
}

#[inline(always)]
fn store<S: Simd, const VECTORS: usize>(simd: S, sums: [S::f32s; VECTORS], row: &mut [f32]) {
    let (vectors, rest) = S::as_mut_simd_f32s(row);
    if let Some(whole) = vectors.first_chunk_mut::<VECTORS>() {
        *whole = sums;
        return;
    }
    for (vector, sum) in vectors.iter_mut().zip(sums) {
        *vector = sum;
    }
    if let Some(&sum) = sums.get(vectors.len()) {
        simd.partial_store_f32s(rest, sum);
    }
}
