//! The walk over destination pixels that the forward pass and the data gradient share: each is a product of gathered
//! source pixels with packed filters, and they differ in the tables that say which pixel a tap reads.

use std::ops::Range;

use rayon::prelude::*;

use super::geometry::Geometry;
use crate::cpu::shared::axis::{Axis, NONE};
use crate::cpu::shared::scratch::with_scratch;
use crate::cpu::shared::tile::{
    Epilogue, MAX_ROWS, Panels, RowTiles, TileList, tile_shape, with_tiles,
};

/// Tiles whose addresses are worked out at once: enough to use a packed panel many times while it is in the cache, few
/// enough that their sources stay there too.
const TILES_AT_ONCE: usize = 64;

/// Destination pixels of a task when it is made of rows of images.
const PIXELS_A_TASK: usize = 256;

/// Images that make tiles across images worth it: fewer would leave cores without a task.
const MIN_IMAGES: usize = 32;

/// A destination pixel.
#[derive(Clone, Copy, Debug)]
struct Pixel {
    image: usize,
    y: usize,
    x: usize,
}

/// A product of gathered pixels.
pub(crate) struct Gather {
    pub(crate) images: usize,
    pub(crate) rows: Axis,
    pub(crate) columns: Axis,
    pub(crate) source_size: (usize, usize),
    /// Channels of a pixel, over all groups.
    pub(crate) source_channels: usize,
    pub(crate) channels: usize,
    pub(crate) groups: usize,
    run_len: usize,
}

impl Gather {
    pub(crate) fn forward(geometry: &Geometry) -> Self {
        let (rows, columns) = geometry.forward_axes();
        Self {
            images: geometry.images,
            rows,
            columns,
            source_size: geometry.input_size(),
            source_channels: geometry.c_in,
            channels: geometry.c_out,
            groups: geometry.groups,
            run_len: geometry.run_len,
        }
    }

    pub(crate) fn data_gradient(geometry: &Geometry) -> Self {
        let (rows, columns) = geometry.backward_axes();
        Self {
            images: geometry.images,
            rows,
            columns,
            source_size: geometry.output_size(),
            source_channels: geometry.c_out,
            channels: geometry.c_in,
            groups: geometry.groups,
            run_len: geometry.group_out,
        }
    }

    /// Computes every destination pixel; `packed` holds each group's panels in turn.
    pub(crate) fn run(
        &self,
        source: &[f32],
        packed: &[f32],
        epilogue: Epilogue<'_>,
        output: &mut [f32],
    ) {
        let (height, width) = (self.rows.len(), self.columns.len());
        let row_len = width * self.channels;
        if output.is_empty() {
            return;
        }
        let blocked = self.across_images();
        let rows_a_task = if blocked {
            tile_shape().rows * height
        } else {
            PIXELS_A_TASK.div_ceil(width)
        };
        let zeros_len = self.run_len;
        output
            .par_chunks_mut(rows_a_task * row_len)
            .enumerate()
            .for_each(|(task, chunk)| {
                let rows = task * rows_a_task..task * rows_a_task + chunk.len() / row_len;
                let blocked = blocked && rows.len() == rows_a_task;
                with_scratch(zeros_len, |zeros| {
                    zeros.fill(0.0);
                    let operands = Operands {
                        source,
                        zeros,
                        packed,
                        epilogue,
                    };
                    with_tiles(|tiles| self.task(&operands, rows, blocked, tiles, chunk));
                });
            });
    }

    /// Whether a tile holds the same pixel of neighbouring images: then a tap falls on padding for all of its rows or
    /// for none, and is skipped. It pays as soon as there is padding to skip (or a stride to invert).
    fn across_images(&self) -> bool {
        let inside = |axis: &Axis| axis.hits() == axis.len() * axis.taps;
        self.images >= MIN_IMAGES && !(inside(&self.rows) && inside(&self.columns))
    }

    fn task(
        &self,
        operands: &Operands<'_>,
        rows: Range<usize>,
        blocked: bool,
        tiles: &mut TileList,
        chunk: &mut [f32],
    ) {
        let first_row = rows.start;
        let mut pending = [Pixel {
            image: 0,
            y: 0,
            x: 0,
        }; MAX_ROWS];
        let mut count = 0;
        tiles.clear();
        let mut push = |pixel: Option<Pixel>| {
            if let Some(pixel) = pixel {
                pending[count] = pixel;
                count += 1;
            }
            if count == tile_shape().rows || (pixel.is_none() && count > 0) {
                self.push_tile(&pending[..count], first_row, blocked, tiles);
                count = 0;
            }
            if tiles.len() == TILES_AT_ONCE || pixel.is_none() {
                self.flush(operands, tiles, chunk);
                tiles.clear();
            }
        };
        if blocked {
            self.by_pixel(rows, |pixel| push(Some(pixel)));
        } else {
            self.by_row(rows, |pixel| push(Some(pixel)));
        }
        push(None);
    }

    /// The pixels of whole images, the same pixel of all of them in turn.
    fn by_pixel(&self, rows: Range<usize>, mut visit: impl FnMut(Pixel)) {
        let height = self.rows.len();
        for y in 0..height {
            for x in 0..self.columns.len() {
                for image in rows.start / height..rows.end / height {
                    visit(Pixel { image, y, x });
                }
            }
        }
    }

    /// The pixels of rows of images (counted over all images), those that use the same taps together.
    fn by_row(&self, rows: Range<usize>, mut visit: impl FnMut(Pixel)) {
        let height = self.rows.len();
        for phase_y in 0..self.rows.phases {
            for phase_x in 0..self.columns.phases {
                for row in rows
                    .clone()
                    .filter(|row| row % height % self.rows.phases == phase_y)
                {
                    for x in (phase_x..self.columns.len()).step_by(self.columns.phases) {
                        visit(Pixel {
                            image: row / height,
                            y: row % height,
                            x,
                        });
                    }
                }
            }
        }
    }

    /// Works out where the pixels of a tile are written, counted from `first_row`, and what their taps read.
    fn push_tile(&self, pixels: &[Pixel], first_row: usize, blocked: bool, tiles: &mut TileList) {
        let (height, width) = (self.rows.len(), self.columns.len());
        let mut sources = [NONE; MAX_ROWS];
        let image_len = self.source_size.0 * self.source_size.1 * self.source_channels;
        for tap_y in 0..self.rows.taps {
            for tap_x in 0..self.columns.taps {
                if blocked {
                    let first = self.source(&pixels[0], tap_y, tap_x);
                    if first == NONE {
                        continue;
                    }
                    for (idx, source) in sources.iter_mut().enumerate() {
                        *source = first + idx * image_len;
                    }
                } else {
                    for (source, pixel) in sources.iter_mut().zip(pixels) {
                        *source = self.source(pixel, tap_y, tap_x);
                    }
                }
                tiles.push_step(tap_y * self.columns.taps + tap_x, &sources[..pixels.len()]);
            }
        }
        let mut outputs = [NONE; MAX_ROWS];
        for (output, pixel) in outputs.iter_mut().zip(pixels) {
            *output =
                ((pixel.image * height + pixel.y - first_row) * width + pixel.x) * self.channels;
        }
        tiles.finish_tile(&outputs[..pixels.len()]);
    }

    #[inline(always)]
    fn source(&self, pixel: &Pixel, tap_y: usize, tap_x: usize) -> usize {
        let (y, x) = (
            self.rows.source(pixel.y, tap_y),
            self.columns.source(pixel.x, tap_x),
        );
        if y == NONE || x == NONE {
            return NONE;
        }
        ((pixel.image * self.source_size.0 + y) * self.source_size.1 + x) * self.source_channels
    }

    fn flush(&self, operands: &Operands<'_>, tiles: &TileList, chunk: &mut [f32]) {
        if tiles.len() == 0 {
            return;
        }
        let columns = self.channels / self.groups;
        let group_len = operands.packed.len() / self.groups;
        for group in 0..self.groups {
            let bias = operands
                .epilogue
                .bias
                .map(|bias| &bias[group * columns..][..columns]);
            pulp::Arch::new().dispatch(RowTiles {
                tiles,
                run_len: self.run_len,
                n_runs: self.rows.taps * self.columns.taps,
                source: &operands.source[group * (self.source_channels / self.groups)..],
                zeros: operands.zeros,
                panels: Panels::new(columns),
                packed: &operands.packed[group * group_len..][..group_len],
                output: &mut chunk[group * columns..],
                epilogue: Epilogue {
                    bias,
                    ..operands.epilogue
                },
            });
        }
    }
}

/// What every task of a product reads.
struct Operands<'a> {
    source: &'a [f32],
    zeros: &'a [f32],
    packed: &'a [f32],
    epilogue: Epilogue<'a>,
}
