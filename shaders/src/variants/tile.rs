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
    /// For large results: 32 KiB of workgroup memory, 256 invocations with 64 sums each.
    pub const LARGE: Self = Self::workgroup([128, 128, 32], [8, 8]);
    /// For most results: 64 invocations with 64 sums each.
    pub const MEDIUM: Self = Self::workgroup([64, 64, 16], [8, 8]);
    /// The same where an invocation has few registers: 256 with 16 sums each.
    pub const COMPACT: Self = Self::workgroup([64, 64, 16], [4, 4]);
    /// For results with 96 columns or an odd multiple of it: 192 invocations with 32 sums each.
    pub const WIDE: Self = Self::workgroup([64, 96, 16], [8, 4]);
    /// For small results: 64 invocations with 16 sums each.
    pub const SMALL: Self = Self::workgroup([32, 32, 16], [4, 4]);
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
    pub const ALL: [Self; 7] = [
        Self::LARGE,
        Self::MEDIUM,
        Self::COMPACT,
        Self::WIDE,
        Self::SMALL,
        Self::REGISTER,
        Self::SUBGROUP_8,
    ];

    /// A tile of `[m, n]` that takes `k` steps of K a turn, by invocations that have `[m, n]` sums each.
    const fn workgroup([m, n, k]: [u32; 3], [thread_m, thread_n]: [u32; 2]) -> Self {
        let (threads_m, threads_n) = (m / thread_m, n / thread_n);
        assert!(
            threads_m.is_multiple_of(4) && threads_n.is_multiple_of(8),
            "subgroups are 4 x 8"
        );
        let threads = threads_m * threads_n;
        assert!(
            m / 4 * (k / 4) <= threads && n / 4 * (k / 4) <= threads,
            "an invocation reads one block of 4 x 4 of A and one of B at most"
        );
        assert!(
            k / 2 <= threads_m && k / 2 <= threads_n,
            "blocks change places among 8 or 16 neighbours"
        );
        Self {
            style: Style::Workgroup,
            m,
            n,
            k,
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

    /// Bytes of workgroup memory.
    #[must_use]
    pub const fn workgroup_bytes(&self) -> u32 {
        match self.style {
            Style::Workgroup => 4 * (self.m + self.n) * self.k,
            Style::Register | Style::Subgroup => 0,
        }
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
