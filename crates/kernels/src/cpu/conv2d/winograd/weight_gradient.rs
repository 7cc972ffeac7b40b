//! The gradient of the filters: `dg = G^T [sum over tiles of (B^T d B) (A dy A^T)] G`.
//!
//! Some tiles at a time are transformed, in blocks, and each plane's product of them is added to its sum, which stays one chain over
//! all tiles in order.

use std::ops::Range;

use rayon::prelude::*;

use super::transforms::{FilterFromPlanes, INPUTS, Part, Planes, TILE, ToPlanes};
use super::{Images, Shape};
use crate::cpu::conv2d::Conv2dParams;
use crate::cpu::shared::scratch::with_scratch;
use crate::cpu::shared::tile::{OuterTile, Panel, Panels};
use crate::kernel::CpuArgs;

const N_PLANES: usize = INPUTS * INPUTS;

/// Tiles of a block: its rows of a plane stay in the first or second cache while all sums of the plane meet them.
const BLOCK: usize = 32;

/// Floats that are transformed at a time: 16 MiB, so that they stay in the last cache, and sums are read and written seldom.
const LEN_AT_ONCE: usize = 1 << 22;

/// Twin of the weight gradient: x and dy are read, dw is written.
pub(crate) fn weight_gradient(p: &Conv2dParams, args: CpuArgs<'_>) {
    let ([x, dy], [dw]) = args.split();
    let shape = Shape::new(p);
    for group in 0..shape.groups {
        let sums = Sums {
            shape: &shape,
            group,
            inputs: Planes::new(BLOCK * shape.group_in),
            gradients: Planes::new(BLOCK * shape.group_out),
            panels: Panels::new(shape.group_out),
        };
        with_scratch(N_PLANES * sums.panels.count() * sums.region_len(), |du| {
            sums.add_up(x, dy, du);
            sums.finish(du, dw);
        });
    }
}

/// The sums of a group: a region `[group_in, columns of the panel]` for each panel of each plane.
struct Sums<'a> {
    shape: &'a Shape,
    group: usize,
    inputs: Planes,
    gradients: Planes,
    panels: Panels,
}

impl Sums<'_> {
    fn region_len(&self) -> usize {
        self.shape.group_in * self.panels.widest()
    }

    fn add_up(&self, x: &[f32], dy: &[f32], du: &mut [f32]) {
        let shape = self.shape;
        let tiles = shape.n * shape.outputs.tiles().iter().product::<usize>();
        let block_len = self.inputs.len() + self.gradients.len();
        let blocks = tiles.div_ceil(BLOCK).min(LEN_AT_ONCE / block_len).max(1);
        du.fill(0.0);
        with_scratch(blocks * block_len, |planes| {
            for first in (0..tiles).step_by(blocks * BLOCK) {
                let last = tiles.min(first + blocks * BLOCK);
                let n_blocks = (last - first).div_ceil(BLOCK);
                let planes = &mut planes[..n_blocks * block_len];
                planes
                    .par_chunks_mut(block_len)
                    .enumerate()
                    .for_each(|(block, planes)| {
                        let first = first + block * BLOCK;
                        self.transform([x, dy], first..last.min(first + BLOCK), planes);
                    });
                let planes = &*planes;
                du.par_chunks_mut(self.region_len())
                    .enumerate()
                    .for_each(|(task, region)| {
                        let panel = self.panels.panel(task % self.panels.count());
                        let plane = task / self.panels.count();
                        for (block, planes) in planes.chunks(block_len).enumerate() {
                            let tiles = BLOCK.min(last - first - block * BLOCK);
                            self.add(&panel, plane, tiles, planes, region);
                        }
                    });
            }
        });
    }

    /// Transforms some tiles of the images and of the gradients.
    fn transform(&self, [x, dy]: [&[f32]; 2], tiles: Range<usize>, planes: &mut [f32]) {
        let (shape, group) = (self.shape, self.group);
        let (v, dm) = planes.split_at_mut(self.inputs.len());
        let parts: Vec<Part> = self
            .panels
            .iter()
            .map(|panel| Part {
                start: panel.start,
                columns: panel.columns,
                offset: BLOCK * panel.start,
            })
            .collect();
        pulp::Arch::new().dispatch(ToPlanes::<INPUTS> {
            x: &x[group * shape.group_in..],
            images: &shape.inputs,
            tiles_of: &shape.outputs,
            tiles: tiles.clone(),
            parts: &[Part::all(shape.group_in)],
            planes: self.inputs,
            v,
        });
        let unpadded = Images {
            padding: [0; 2],
            ..shape.outputs
        };
        pulp::Arch::new().dispatch(ToPlanes::<TILE> {
            x: &dy[group * shape.group_out..],
            images: &unpadded,
            tiles_of: &shape.outputs,
            tiles,
            parts: &parts,
            planes: self.gradients,
            v: dm,
        });
    }

    /// Adds the product of a block's tiles to a region.
    fn add(&self, panel: &Panel, plane: usize, tiles: usize, planes: &[f32], region: &mut [f32]) {
        let (v, dm) = planes.split_at(self.inputs.len());
        let group_in = self.shape.group_in;
        let mut steps = [(0, 0); BLOCK];
        for (tile, step) in steps.iter_mut().enumerate() {
            *step = (tile * group_in, tile);
        }
        pulp::Arch::new().dispatch(OuterTile {
            steps: &steps[..tiles],
            source: self.inputs.get(v, plane),
            packed: &self.gradients.get(dm, plane)[BLOCK * panel.start..][..BLOCK * panel.columns],
            vectors: panel.vectors,
            n_rows: group_in,
            output: &mut region[..group_in * panel.columns],
        });
    }

    /// Transforms the sums back.
    fn finish(&self, du: &[f32], dw: &mut [f32]) {
        let (shape, region_len) = (self.shape, self.region_len());
        let c_out = shape.outputs.channels;
        let mut taps: Vec<_> = dw
            .chunks_mut(shape.group_in * c_out)
            .map(|tap| tap.chunks_mut(c_out))
            .collect();
        let mut rows: Vec<Vec<&mut [f32]>> = (0..shape.group_in)
            .map(|_| taps.iter_mut().filter_map(Iterator::next).collect())
            .collect();
        rows.par_iter_mut().enumerate().for_each(|(row, dw)| {
            for (idx, panel) in self.panels.iter().enumerate() {
                let mut planes = [&du[..0]; N_PLANES];
                for (plane, values) in planes.iter_mut().enumerate() {
                    let region = (plane * self.panels.count() + idx) * region_len;
                    *values = &du[region + row * panel.columns..][..panel.columns];
                }
                let first = self.group * shape.group_out + panel.start;
                pulp::Arch::new().dispatch(FilterFromPlanes {
                    du: planes,
                    dw,
                    columns: first..first + panel.columns,
                });
            }
        });
    }
}
