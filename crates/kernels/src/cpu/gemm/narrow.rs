//! Few rows times a transposed matrix, as the data gradients of dense layers are: `C = alpha * A B^T + beta * C` with B
//! stored `[n, k]`.
//!
//! A general product would pack B, which is many times larger than A and is used but once. Here A is packed, and rows of
//! B are read as they lie, in order: `C^T = B A^T` on register tiles, transposed at the end.

use rayon::prelude::*;

use super::Transposes;
use crate::cpu::gemm::GemmParams;
use crate::cpu::shared::scratch::with_scratch;
use crate::cpu::shared::tile::{Epilogue, Panels, RowTiles, pack, tile_shape, with_tiles};

/// Most rows of A: with more, packing B pays.
const MAX_M: usize = 256;

/// Floats of B that a task meets with every panel, so that they stay in the second cache: half a MiB.
const TASK_LEN: usize = 1 << 17;

/// Side of the squares that are transposed, so that a cache line is used up while it is there.
const TRANSPOSED_SIDE: usize = 16;

/// Whether the product is of this kind.
pub(super) fn suits(p: &GemmParams, transposes: Transposes) -> bool {
    !transposes.a && transposes.b && p.m > 1 && p.m as usize <= MAX_M && p.n > 1 && p.k > 1
}

/// Computes C.
pub(super) fn product(p: &GemmParams, a: &[f32], b: &[f32], c: &mut [f32]) {
    let [m, n, k, lda, ldb] = [p.m, p.n, p.k, p.lda, p.ldb].map(|size| size as usize);
    let panels = Panels::new(m);
    with_scratch(panels.packed_len(k) + n * m, |scratch| {
        let (packed, transposed) = scratch.split_at_mut(panels.packed_len(k));
        pack(panels, k, packed, |depth, panel, packed| {
            packed.fill(0.0);
            for (packed, row) in packed
                .iter_mut()
                .zip(panel.start..panel.start + panel.columns)
            {
                *packed = a[row * lda + depth];
            }
        });
        let tiles_a_task = (TASK_LEN / (k * tile_shape().rows)).clamp(1, 16);
        let rows_a_task = tiles_a_task * tile_shape().rows;
        transposed
            .par_chunks_mut(rows_a_task * m)
            .enumerate()
            .for_each(|(task, output)| {
                with_tiles(|tiles| {
                    tiles.clear();
                    tiles.push_rows(output.len() / m, ldb, m);
                    pulp::Arch::new().dispatch(RowTiles {
                        tiles,
                        run_len: k,
                        n_runs: 1,
                        source: &b[task * rows_a_task * ldb..],
                        // Every row of the last tile that has no source of its own reads the first one's.
                        zeros: &b[..k],
                        panels,
                        packed,
                        output,
                        epilogue: Epilogue::default(),
                    });
                });
            });
        store(p, transposed, c);
    });
}

/// `C = alpha * transposed + beta * C`; transposed: `[n, m]`.
fn store(p: &GemmParams, transposed: &[f32], c: &mut [f32]) {
    let [m, n, ldc] = [p.m, p.n, p.ldc].map(|size| size as usize);
    let len = (m - 1) * ldc + n;
    let tasks = c[..len].par_chunks_mut(TRANSPOSED_SIDE * ldc);
    tasks.enumerate().for_each(|(task, rows)| {
        for first in (0..n).step_by(TRANSPOSED_SIDE) {
            let last = (first + TRANSPOSED_SIDE).min(n);
            for (idx, row) in rows.chunks_mut(ldc).enumerate() {
                let column = transposed[first * m + task * TRANSPOSED_SIDE + idx..]
                    .iter()
                    .step_by(m);
                for (c, product) in row[first..last].iter_mut().zip(column) {
                    let old = if p.beta == 0.0 { 0.0 } else { p.beta * *c };
                    *c = p.alpha * product + old;
                }
            }
        }
    });
}
