//! Transformed filters, packed as the register tiles read them.

use rayon::prelude::*;

use super::transforms::{FilterToPlanes, INPUTS};
use super::{FILTER, Shape};
use crate::cpu::shared::scratch::with_scratch;
use crate::cpu::shared::tile::{Panel, Panels};

/// Side of the squares that are transposed, so that a cache line is used up while it is there.
const TRANSPOSED_SIDE: usize = 16;

/// `U = G g G^T`: `[groups, panels, planes, depth, columns of the panel]`.
pub(super) struct Filters<'a> {
    /// Channels that are summed over.
    pub(super) depth: usize,
    pub(super) panels: Panels,
    packed: &'a [f32],
}

impl Filters<'_> {
    /// Calls `work` with the filters of the forward pass.
    pub(super) fn forward<R>(shape: &Shape, w: &[f32], work: impl FnOnce(&Filters<'_>) -> R) -> R {
        let (depth, panels) = (shape.group_in, Panels::new(shape.group_out));
        let c_out = shape.outputs.channels;
        with_scratch(shape.groups * len(depth, panels), |packed| {
            for (group, packed) in packed.chunks_mut(len(depth, panels)).enumerate() {
                let w = &w[group * shape.group_out..];
                transform(w, [depth * c_out, c_out], false, depth, panels, packed);
            }
            work(&Filters {
                depth,
                panels,
                packed,
            })
        })
    }

    /// Calls `work` with the filters of the data gradient: turned by 180 degrees, and outputs are summed over.
    pub(super) fn turned<R>(shape: &Shape, w: &[f32], work: impl FnOnce(&Filters<'_>) -> R) -> R {
        let (depth, panels) = (shape.group_out, Panels::new(shape.group_in));
        let (c_out, columns) = (shape.outputs.channels, shape.group_in);
        with_scratch(shape.groups * len(depth, panels), |packed| {
            with_scratch(FILTER * FILTER * depth * columns, |transposed| {
                for (group, packed) in packed.chunks_mut(len(depth, panels)).enumerate() {
                    let square_rows = TRANSPOSED_SIDE * columns;
                    // Squares never reach over the end of a tap, as channels are multiples of their side.
                    transposed
                        .par_chunks_mut(square_rows)
                        .enumerate()
                        .for_each(|(task, rows)| {
                            let first = task * TRANSPOSED_SIDE;
                            let (tap, output) = (first / depth, first % depth);
                            let w = &w[tap * columns * c_out + group * depth + output..];
                            for (input, w) in w.chunks(c_out).take(columns).enumerate() {
                                for (row, &value) in rows.chunks_mut(columns).zip(w) {
                                    row[input] = value;
                                }
                            }
                        });
                    transform(
                        transposed,
                        [depth * columns, columns],
                        true,
                        depth,
                        panels,
                        packed,
                    );
                }
            });
            work(&Filters {
                depth,
                panels,
                packed,
            })
        })
    }

    /// A panel of a plane, packed.
    pub(super) fn plane(&self, group: usize, panel: &Panel, plane: usize) -> &[f32] {
        let before =
            group * len(self.depth, self.panels) + INPUTS * INPUTS * self.depth * panel.start;
        let plane_len = self.depth * panel.columns;
        &self.packed[before + plane * plane_len..][..plane_len]
    }
}

/// Floats of a group's filters.
fn len(depth: usize, panels: Panels) -> usize {
    INPUTS * INPUTS * depth * panels.columns()
}

/// Transforms a group's filters, panel by panel.
fn transform(
    w: &[f32],
    strides: [usize; 2],
    is_turned: bool,
    depth: usize,
    panels: Panels,
    packed: &mut [f32],
) {
    let mut rest = packed;
    let mut tasks = Vec::with_capacity(panels.count());
    for panel in panels.iter() {
        let (u, next) = rest.split_at_mut(len(depth, Panels::new(panel.columns)));
        tasks.push((panel, u));
        rest = next;
    }
    tasks.into_par_iter().for_each(|(panel, u)| {
        pulp::Arch::new().dispatch(FilterToPlanes {
            w: &w[panel.start..],
            strides,
            is_turned,
            rows: depth,
            columns: panel.columns,
            u,
        });
    });
}
