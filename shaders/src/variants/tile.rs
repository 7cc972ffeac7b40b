//! The tile sizes of the loop over K that GEMM and convolution share. Which one suits an adapter and a shape is for the launch to say.

use crate::Variant;

/// How a workgroup works on its tile of the result.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Style {
    /// Through workgroup memory, with barriers.
    Workgroup = 0,
    /// Each invocation alone.
    Register = 1,
    /// One subgroup, rows of A broadcast.
    Subgroup = 2,
}

/// The tile of the result that one workgroup computes, and how.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tile {
    style: Style,
    /// Rows of the result in a workgroup's tile.
    pub m: u32,
    /// Columns of the result in a workgroup's tile.
    pub n: u32,
    k: u32,
    thread_m: u32,
    thread_n: u32,
    subgroup: u32,
}

impl Tile {
    /// For large results on discrete GPUs: all 16 KiB of workgroup memory, 256 invocations with 64 sums each.
    pub const LARGE: Self = Self::workgroup(128, 128, 8, 8);
    /// For results with few large tiles: 128 invocations with 32 sums each.
    pub const MEDIUM: Self = Self::workgroup(64, 64, 8, 4);
    /// For small results: 64 invocations with 16 sums each.
    pub const SMALL: Self = Self::workgroup(32, 32, 4, 4);
    /// For software rasterisers: no workgroup memory, 64 invocations with 64 sums each.
    pub const REGISTER: Self = Self {
        style: Style::Register,
        m: 64,
        n: 64,
        k: 4,
        thread_m: 8,
        thread_n: 8,
        subgroup: 0,
    };
    /// For software rasterisers whose subgroups have exactly 8 lanes, about twice as fast there as [`Self::REGISTER`].
    pub const SUBGROUP_8: Self = Self {
        style: Style::Subgroup,
        m: 32,
        n: 32,
        k: 4,
        thread_m: 32,
        thread_n: 4,
        subgroup: 8,
    };
    /// Every tile there is.
    pub const ALL: [Self; 5] = [
        Self::LARGE,
        Self::MEDIUM,
        Self::SMALL,
        Self::REGISTER,
        Self::SUBGROUP_8,
    ];

    /// 16 steps of K a turn, so that each invocation reads one block of 4 x 4 of A or of B.
    const fn workgroup(m: u32, n: u32, thread_m: u32, thread_n: u32) -> Self {
        Self {
            style: Style::Workgroup,
            m,
            n,
            k: 16,
            thread_m,
            thread_n,
            subgroup: 0,
        }
    }

    /// Steps of K in one turn of the loop: a stretch of split K is a multiple of it.
    #[must_use]
    pub const fn k(&self) -> u32 {
        self.k
    }

    /// Whether the adapter must have subgroup operations and subgroups of this tile's size.
    #[must_use]
    pub const fn needs_subgroups(&self) -> bool {
        self.subgroup > 0
    }

    /// Whether workgroups share memory and wait at barriers, as suits real GPUs.
    #[must_use]
    pub const fn uses_workgroup_memory(&self) -> bool {
        matches!(self.style, Style::Workgroup)
    }

    /// Workgroups for a result of `m` rows and `n` columns: along n, then along m.
    #[must_use]
    pub const fn grid(&self, m: u32, n: u32) -> [u32; 2] {
        [n.div_ceil(self.n), m.div_ceil(self.m)]
    }

    /// Adds this tile's constants to a variant.
    pub(super) const fn add_to(self, variant: Variant) -> Variant {
        variant
            .with("style", self.style as u32)
            .with("tile_m", self.m)
            .with("tile_n", self.n)
            .with("tile_k", self.k)
            .with("thread_m", self.thread_m)
            .with("thread_n", self.thread_n)
            .with("subgroup", self.subgroup)
    }
}
