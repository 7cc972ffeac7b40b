//! The gradient of the filters: for each tap, the product of the input's channels and the output's gradients summed
//! over all pixels.
//!
//! The result is cut into blocks (a panel of output channels by a few taps) that tasks compute on their own. Where it is
//! small the pixels are cut as well, into a number of parts that depends on the shapes only, and the parts' sums are
//! added in order: the bits are the same on any number of threads.

use std::cell::Cell;
use std::ops::Range;

use rayon::prelude::*;

use super::depthwise;
use super::geometry::Geometry;
use crate::cpu::conv2d::Conv2dParams;
use crate::cpu::shared::axis::{Axis, NONE};
use crate::cpu::shared::scratch::with_scratch;
use crate::cpu::shared::tile::{OuterTile, Panel, Panels, copy_padded};

/// Parts to cut the pixels into where there are enough of them.
const PARTS: usize = 32;

/// Tasks to aim at for each thread, so that none waits long for the last one.
const TASKS_A_THREAD: usize = 4;

/// Pixels whose gradients are packed at a time, so that they stay in the first or second cache while every tap meets
/// them.
const PIXELS_AT_ONCE: usize = 192;

/// A result of more floats than this is not cut into parts: adding them up would cost too much.
const MAX_PART_LEN: usize = 1 << 16;

/// Rows of the result that one task adds up.
const REDUCED_ROWS: usize = 16;

/// `dw = x * dy` summed over pixels; x: `[n, h, w, c_in]`, dy: `[n, out_h, out_w, c_out]`,
/// dw: `[kh, kw, c_in/groups, c_out]`.
pub(crate) fn differentiate_weights(p: &Conv2dParams, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let geometry = Geometry::new(p);
    if geometry.is_depthwise() {
        return depthwise::weight_gradient(&geometry, x, dy, dw);
    }
    if dw.is_empty() {
        return;
    }
    geometry.with_merged_taps(x, |geometry, x| {
        let plan = Plan::new(geometry);
        with_scratch(plan.n_tasks() * plan.region_len, |regions| {
            regions
                .par_chunks_mut(plan.region_len)
                .enumerate()
                .for_each(|(task, region)| {
                    plan.task(task, x, dy, region);
                });
            plan.reduce(regions, dw);
        });
    });
}

/// How the work is cut.
struct Plan<'a> {
    geometry: &'a Geometry,
    rows: Axis,
    /// Output pixels in a row.
    width: usize,
    /// For each horizontal tap, what it reads in a row: where the run begins, and for which output pixel.
    patterns: Vec<Vec<(usize, usize)>>,
    panels: Panels,
    runs_a_block: usize,
    blocks: usize,
    parts: usize,
    rows_a_part: usize,
    region_len: usize,
}

impl<'a> Plan<'a> {
    fn new(geometry: &'a Geometry) -> Self {
        let (rows, columns) = geometry.forward_axes();
        let pattern = |tap| {
            let sources = (0..columns.len()).map(|column| (columns.source(column, tap), column));
            let inside = sources.filter(|&(source, _)| source != NONE);
            inside
                .map(|(source, column)| (source * geometry.c_in, column))
                .collect()
        };
        let (width, patterns) = (columns.len(), (0..columns.taps).map(pattern).collect());
        let panels = Panels::new(geometry.group_out);
        let (n_runs, n_panels) = (geometry.n_runs(), panels.count() * geometry.groups);
        let n_rows = geometry.images * rows.len();
        let by_len = if n_runs * geometry.run_len * geometry.c_out <= MAX_PART_LEN {
            PARTS
        } else {
            1
        };
        let by_pixels = n_rows * width / (2 * PIXELS_AT_ONCE);
        let parts = PARTS
            .div_ceil(n_panels)
            .min(by_len)
            .min(by_pixels)
            .clamp(1, n_rows.max(1));
        let rows_a_part = n_rows.div_ceil(parts);
        // How many taps a task takes changes no sum, so it may follow the machine; each block reads dy again.
        let tasks = TASKS_A_THREAD * rayon::current_num_threads();
        let blocks = tasks.div_ceil(n_panels * parts).min(n_runs);
        let runs_a_block = n_runs.div_ceil(blocks);
        Self {
            geometry,
            rows,
            width,
            patterns,
            panels,
            runs_a_block,
            blocks: n_runs.div_ceil(runs_a_block),
            parts,
            rows_a_part,
            region_len: runs_a_block * geometry.run_len * panels.widest(),
        }
    }

    fn n_tasks(&self) -> usize {
        self.geometry.groups * self.panels.count() * self.blocks * self.parts
    }

    /// The place of a block's part among all tasks.
    fn task_idx(&self, group: usize, panel: usize, block: usize, part: usize) -> usize {
        ((group * self.panels.count() + panel) * self.blocks + block) * self.parts + part
    }

    /// Sums one block over one part of the pixels.
    fn task(&self, task: usize, x: &[f32], dy: &[f32], region: &mut [f32]) {
        let (part, rest) = (task % self.parts, task / self.parts);
        let (block, rest) = (rest % self.blocks, rest / self.blocks);
        let (panel, group) = (
            self.panels.panel(rest % self.panels.count()),
            rest / self.panels.count(),
        );
        let n_rows = self.geometry.images * self.rows.len();
        let part_rows =
            (part * self.rows_a_part).min(n_rows)..((part + 1) * self.rows_a_part).min(n_rows);
        let runs = block * self.runs_a_block
            ..((block + 1) * self.runs_a_block).min(self.geometry.n_runs());
        let (row_len, run_len) = (self.panels.row_len(&panel), self.geometry.run_len);
        let first_channel = group * self.geometry.group_out + panel.start;
        let rows_at_once = (PIXELS_AT_ONCE / self.width).max(1);
        region.fill(0.0);
        with_scratch(rows_at_once * self.width * row_len, |packed| {
            for start in part_rows.clone().step_by(rows_at_once) {
                let rows = start..(start + rows_at_once).min(part_rows.end);
                let pixels = rows.start * self.width..rows.end * self.width;
                let packed = self.pack_gradients(&panel, first_channel, dy, pixels, packed);
                for (run, output) in runs.clone().zip(region.chunks_mut(run_len * row_len)) {
                    with_steps(|steps| {
                        self.list_steps(run, rows.clone(), steps);
                        pulp::Arch::new().dispatch(OuterTile {
                            steps,
                            source: &x[group * self.geometry.group_in..],
                            packed,
                            vectors: panel.vectors,
                            n_rows: run_len,
                            output,
                        });
                    });
                }
            }
        });
    }

    /// The columns of a panel, of the gradients of some pixels: copied into `packed` unless they neighbour each other.
    fn pack_gradients<'b>(
        &self,
        panel: &Panel,
        first_channel: usize,
        dy: &'b [f32],
        pixels: Range<usize>,
        packed: &'b mut [f32],
    ) -> &'b [f32] {
        let (row_len, c_out) = (self.panels.row_len(panel), self.geometry.c_out);
        // A padded panel of a narrow group may be as wide as all groups together, so the columns count.
        if panel.columns == c_out && row_len == c_out {
            return &dy[pixels.start * c_out..pixels.end * c_out];
        }
        for (packed, pixel) in packed.chunks_exact_mut(row_len).zip(pixels) {
            let start = pixel * c_out + first_channel;
            copy_padded(&dy[start..][..panel.columns], packed);
        }
        packed
    }

    /// Lists, for the pixels of some output rows, where the run of one tap begins; those on padding are left out.
    fn list_steps(&self, run: usize, rows: Range<usize>, steps: &mut Vec<(usize, usize)>) {
        let taps = self.patterns.len();
        let (height, width) = self.geometry.input_size();
        steps.clear();
        for (idx, row) in rows.enumerate() {
            let y = self.rows.source(row % self.rows.len(), run / taps);
            if y == NONE {
                continue;
            }
            let source_row = (row / self.rows.len() * height + y) * width * self.geometry.c_in;
            let first = idx * self.width;
            let pattern = &self.patterns[run % taps];
            steps.extend(
                pattern
                    .iter()
                    .map(|(source, column)| (source_row + source, first + column)),
            );
        }
    }

    /// Adds up the parts, in order, into rows of the result.
    fn reduce(&self, regions: &[f32], dw: &mut [f32]) {
        let (c_out, run_len) = (self.geometry.c_out, self.geometry.run_len);
        dw.par_chunks_mut(c_out * REDUCED_ROWS)
            .enumerate()
            .for_each(|(task, rows)| {
                for (idx, row) in rows.chunks_exact_mut(c_out).enumerate() {
                    let depth = task * REDUCED_ROWS + idx;
                    let (run, within) = (depth / run_len, depth % run_len);
                    let (block, run) = (run / self.runs_a_block, run % self.runs_a_block);
                    for (group, columns) in
                        row.chunks_exact_mut(self.geometry.group_out).enumerate()
                    {
                        for (idx, panel) in self.panels.iter().enumerate() {
                            let width = self.panels.row_len(&panel);
                            let columns = &mut columns[panel.start..][..panel.columns];
                            for part in 0..self.parts {
                                let region =
                                    self.task_idx(group, idx, block, part) * self.region_len;
                                let sums = &regions[region + (run * run_len + within) * width..]
                                    [..panel.columns];
                                if part == 0 {
                                    columns.copy_from_slice(sums);
                                } else {
                                    columns
                                        .iter_mut()
                                        .zip(sums)
                                        .for_each(|(total, sum)| *total += sum);
                                }
                            }
                        }
                    }
                }
            });
    }
}

thread_local! {
    static STEPS: Cell<Vec<(usize, usize)>> = const { Cell::new(Vec::new()) };
}

/// Lends the list of steps that this thread keeps between tasks.
fn with_steps<R>(work: impl FnOnce(&mut Vec<(usize, usize)>) -> R) -> R {
    let mut steps = STEPS.take();
    let result = work(&mut steps);
    STEPS.set(steps);
    result
}
