//! Convolution of 3 x 3 filters with stride 1 by Winograd's `F(4 x 4, 3 x 3)` (Lavin and Gray 2015, section 4): a quarter of the
//! multiplications, with a rounding of its own.
//!
//! `y = A^T [(G g G^T) (B^T d B)] A` for each tile of 4 x 4 outputs from 6 x 6 inputs d, summed over channels before it is transformed
//! back. A task takes some tiles through all three steps while they are in its cache: nothing but images is written to memory. The
//! products run on the register tiles of the direct convolution ([`crate::cpu::shared::tile`]), and each sum is one chain over the
//! channels in order, so that the bits depend on neither threads nor caches.

mod filters;
mod matrices;
mod transforms;
mod weight_gradient;

use rayon::prelude::*;

use self::filters::Filters;
use self::transforms::{FromPlanes, INPUTS, Part, Planes, TILE, ToPlanes};
pub(crate) use self::weight_gradient::weight_gradient;
use super::Conv2dParams;
use crate::cpu::shared::scratch::with_scratch;
use crate::cpu::shared::tile::{Epilogue, Panels, RowTiles, with_tiles};
use crate::kernel::CpuArgs;

/// Rows and columns of the filters.
const FILTER: usize = 3;

/// Floats that the transformed tiles of a task take at most, so that they stay in the second cache: one MiB.
const TASK_LEN: usize = 1 << 18;

/// Fewest tiles of a task, which read all filters once, and most, so that there is a task for each of many cores.
const TILES_A_TASK: [usize; 2] = [32, 128];

/// Channels of a group, in and out, are multiples of this many: whole vectors on every processor.
pub(crate) const CHANNELS: usize = 16;

/// Twin of the forward variants: x, w and, if `BIAS`, the bias are read, y is written.
pub(crate) fn forward<const BIAS: bool>(p: &Conv2dParams, args: CpuArgs<'_>) {
    let relu = p.relu != 0;
    let ([x, w], bias, y) = if BIAS {
        let ([x, w, bias], [y]) = args.split();
        ([x, w], Some(bias), y)
    } else {
        let ([x, w], [y]) = args.split();
        ([x, w], None, y)
    };
    let shape = Shape::new(p);
    let convolution = Convolution {
        from: shape.inputs,
        to: shape.outputs,
        groups: shape.groups,
    };
    Filters::forward(&shape, w, |filters| {
        convolution.run(x, filters, Epilogue { bias, relu }, y);
    });
}

/// Twin of the data gradient: dy and w are read, dx is written. It is the convolution of dy with the filters turned by 180 degrees.
pub(crate) fn data_gradient(p: &Conv2dParams, args: CpuArgs<'_>) {
    let ([dy, w], [dx]) = args.split();
    let shape = Shape::new(p);
    let convolution = Convolution {
        from: Images {
            padding: shape.inputs.padding.map(|before| FILTER - 1 - before),
            ..shape.outputs
        },
        to: Images {
            padding: [0; 2],
            ..shape.inputs
        },
        groups: shape.groups,
    };
    Filters::turned(&shape, w, |filters| {
        convolution.run(dy, filters, Epilogue::default(), dx);
    });
}

/// Images `[n, rows, columns, channels]`.
#[derive(Clone, Copy, Debug)]
struct Images {
    size: [usize; 2],
    channels: usize,
    /// Rows and columns of zeros before the first, where the first tile begins.
    padding: [usize; 2],
}

impl Images {
    fn len(&self) -> usize {
        self.size[0] * self.size[1] * self.channels
    }

    /// Tiles of outputs that cover an image: rows and columns of them.
    fn tiles(&self) -> [usize; 2] {
        self.size.map(|size| size.div_ceil(TILE))
    }
}

/// A convolution's sizes.
#[derive(Clone, Copy, Debug)]
struct Shape {
    n: usize,
    inputs: Images,
    outputs: Images,
    groups: usize,
    /// Input and output channels of a group.
    group_in: usize,
    group_out: usize,
}

impl Shape {
    fn new(p: &Conv2dParams) -> Self {
        let images = |[rows, columns, channels, top, left]: [u32; 5]| Images {
            size: [rows, columns].map(|size| size as usize),
            channels: channels as usize,
            padding: [top, left].map(|size| size as usize),
        };
        let groups = p.groups as usize;
        Self {
            n: p.n as usize,
            inputs: images([p.h, p.w, p.c_in, p.pad_top, p.pad_left]),
            outputs: images([p.out_h, p.out_w, p.c_out, 0, 0]),
            groups,
            group_in: p.c_in as usize / groups,
            group_out: p.c_out as usize / groups,
        }
    }
}

/// Images that are read and written, tile by tile.
struct Convolution {
    from: Images,
    to: Images,
    groups: usize,
}

impl Convolution {
    /// Computes every image of `y`; a task takes some rows of tiles, over all images.
    fn run(&self, x: &[f32], filters: &Filters<'_>, epilogue: Epilogue<'_>, y: &mut [f32]) {
        if y.is_empty() {
            return;
        }
        let [_, columns] = self.to.tiles();
        let [least, most] = TILES_A_TASK;
        let tiles = (TASK_LEN / (INPUTS * INPUTS * filters.depth)).clamp(least, most);
        // The last row of tiles of an image may be a short one.
        let mut rows: Vec<&mut [f32]> = y
            .chunks_mut(self.to.len())
            .flat_map(|image| image.chunks_mut(TILE * self.to.size[1] * self.to.channels))
            .collect();
        let rows_a_task = (tiles / columns).max(1);
        rows.par_chunks_mut(rows_a_task)
            .enumerate()
            .for_each(|(task, rows)| {
                let first = task * rows_a_task * columns;
                for group in 0..self.groups {
                    self.task([group, first], x, filters, epilogue, rows);
                }
            });
    }

    /// Computes a group's channels of some rows of tiles, of which the first tile has number `first`.
    fn task(
        &self,
        [group, first]: [usize; 2],
        x: &[f32],
        filters: &Filters<'_>,
        epilogue: Epilogue<'_>,
        rows: &mut [&mut [f32]],
    ) {
        let tiles = rows.len() * self.to.tiles()[1];
        let (depth, panels) = (filters.depth, filters.panels);
        let (inputs, sums) = (
            Planes::new(tiles * depth),
            Planes::new(tiles * panels.widest()),
        );
        with_scratch(inputs.len() + sums.len(), |scratch| {
            let (v, m) = scratch.split_at_mut(inputs.len());
            pulp::Arch::new().dispatch(ToPlanes::<INPUTS> {
                images: &self.from,
                tiles_of: &self.to,
                tiles: first..first + tiles,
                x: &x[group * depth..],
                parts: &[Part::all(depth)],
                planes: inputs,
                v,
            });
            with_tiles(|list| {
                list.clear();
                list.push_rows(tiles, depth, panels.widest());
                for panel in panels.iter() {
                    for plane in 0..INPUTS * INPUTS {
                        pulp::Arch::new().dispatch(RowTiles {
                            tiles: list,
                            run_len: depth,
                            n_runs: 1,
                            source: inputs.get(v, plane),
                            // Rows of the last tile that are none read anything.
                            zeros: &v[..depth],
                            panels: Panels::new(panel.columns),
                            packed: filters.plane(group, &panel, plane),
                            output: sums.get_mut(m, plane),
                            epilogue: Epilogue::default(),
                        });
                    }
                    let channel = group * panels.columns() + panel.start;
                    pulp::Arch::new().dispatch(FromPlanes {
                        images: &self.to,
                        row_len: panels.widest(),
                        planes: sums,
                        m,
                        channels: channel..channel + panel.columns,
                        epilogue,
                        first,
                        rows,
                    });
                }
            });
        });
    }
}
