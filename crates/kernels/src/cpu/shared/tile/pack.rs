//! Packing of a right-hand side into panels.

use rayon::prelude::*;

use super::{Panel, Panels};

/// Rows that one task packs: a few tens of KiB read and written.
const PACK_ROWS: usize = 128;

/// Fills the packed panels of a right-hand side; `row(depth_idx, panel, packed)` writes one row of one panel.
pub(crate) fn pack(
    panels: Panels,
    depth: usize,
    packed: &mut [f32],
    row: impl Fn(usize, &Panel, &mut [f32]) + Sync,
) {
    let mut rest = packed;
    for panel in panels.iter() {
        let row_len = panels.row_len(&panel);
        let (this, next) = rest.split_at_mut(row_len * depth);
        this.par_chunks_mut(row_len * PACK_ROWS)
            .enumerate()
            .for_each(|(task, rows)| {
                for (idx, packed) in rows.chunks_mut(row_len).enumerate() {
                    row(task * PACK_ROWS + idx, &panel, packed);
                }
            });
        rest = next;
    }
}

/// Copies a row of a panel and fills what the last vector has beyond it with zeros.
pub(crate) fn copy_padded(row: &[f32], packed: &mut [f32]) {
    let (head, tail) = packed.split_at_mut(row.len());
    head.copy_from_slice(row);
    tail.fill(0.0);
}
