//! The register tile under every convolution twin: a few rows by up to three vectors of columns, kept in registers
//! while one long sum of products runs through them.
//!
//! The right-hand side is packed into panels as wide as one tile, so that a step of the inner loop reads neighbouring
//! vectors; the left-hand side is read where it lies, through one slice a row ([`RowTiles`]) or one short slice a step
//! ([`OuterTile`]), so that no patch of an image is ever copied. Each element of the result is one chain of
//! multiply-adds in a fixed order, whoever computes it. The arithmetic is generic over `pulp::Simd`; nothing here
//! knows an image or a filter.

mod outer;
mod pack;
mod rows;

pub(crate) use outer::OuterTile;
pub(crate) use pack::{copy_padded, pack};
pub(crate) use rows::{Epilogue, RowTiles, TileList, with_tiles};

use std::sync::OnceLock;

use pulp::{Simd, WithSimd};

/// Widest panel, in vectors: with eight rows 24 accumulators, the most that 32 registers hold beside the operands.
const MAX_VECTORS: usize = 3;

/// Most rows of a tile on any processor.
pub(crate) const MAX_ROWS: usize = 8;

/// How many rows a tile has and how many floats a vector has on this processor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TileShape {
    pub(crate) rows: usize,
    pub(crate) lanes: usize,
}

struct AskShape;

impl WithSimd for AskShape {
    type Output = TileShape;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> TileShape {
        TileShape {
            rows: rows_of::<S>(),
            lanes: S::F32_LANES,
        }
    }
}

/// Eight rows by three vectors need 32 registers; with 16 there is room for four.
#[inline(always)]
const fn rows_of<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { MAX_ROWS } else { 4 }
}

/// The shape of a tile here, asked of the processor once.
pub(crate) fn tile_shape() -> TileShape {
    static SHAPE: OnceLock<TileShape> = OnceLock::new();
    *SHAPE.get_or_init(|| pulp::Arch::new().dispatch(AskShape))
}

/// How the columns of a right-hand side are cut into panels of nearly equal width.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panels {
    columns: usize,
    lanes: usize,
    vectors: usize,
    count: usize,
}

/// One panel: its columns, and how many vectors hold them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panel {
    pub(crate) start: usize,
    pub(crate) columns: usize,
    pub(crate) vectors: usize,
    /// Vectors in the panels before this one; times lanes and depth, where its packed floats begin.
    pub(crate) vectors_before: usize,
}

impl Panels {
    pub(crate) fn new(columns: usize) -> Self {
        let lanes = tile_shape().lanes;
        let vectors = columns.div_ceil(lanes);
        Self {
            columns,
            lanes,
            vectors,
            count: vectors.div_ceil(MAX_VECTORS),
        }
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Floats in a row of the widest panel.
    pub(crate) fn widest(&self) -> usize {
        self.vectors.div_ceil(self.count.max(1)) * self.lanes
    }

    /// Floats in a packed row of `panel`.
    pub(crate) fn row_len(&self, panel: &Panel) -> usize {
        panel.vectors * self.lanes
    }

    /// Floats that packing `depth` rows takes.
    pub(crate) fn packed_len(&self, depth: usize) -> usize {
        self.vectors * self.lanes * depth
    }

    pub(crate) fn panel(&self, idx: usize) -> Panel {
        let (base, wider) = (self.vectors / self.count, self.vectors % self.count);
        let vectors_before = idx * base + idx.min(wider);
        let vectors = base + usize::from(idx < wider);
        let start = vectors_before * self.lanes;
        let columns = (vectors * self.lanes).min(self.columns - start);
        Panel {
            start,
            columns,
            vectors,
            vectors_before,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Panel> + use<> {
        let panels = *self;
        (0..panels.count).map(move |idx| panels.panel(idx))
    }

    /// The packed floats of `panel` among those of all panels, `depth` rows each.
    pub(crate) fn packed<'a>(&self, panel: &Panel, depth: usize, packed: &'a [f32]) -> &'a [f32] {
        &packed[panel.vectors_before * self.lanes * depth..][..panel.vectors * self.lanes * depth]
    }
}
