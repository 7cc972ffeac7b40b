//! How a matrix product, or a convolution as an implicit one, is cut into workgroups on a device.

use shaders::variants::Tile;

use crate::device::Device;
use crate::kernel::{CpuArgs, Grid};

/// Workgroups that fill a large GPU: two for each of an H100's 132 multiprocessors.
const FULL_GPU: u32 = 264;
/// Steps of K that are worth a workgroup of their own: below, the second dispatch costs more than it gains.
const LEAST_STRETCH: u32 = 256;
/// Turns of the loop over K that one dispatch may take: llvmpipe silently ends all loops of an invocation after 65,535
/// turns in sum (`LP_MAX_TGSI_LOOP_ITERATIONS`), so a longer K is split there too.
const MOST_TURNS: u32 = 32_768;
/// WebGPU's limit on workgroups in one dimension.
const MAX_GROUPS: u32 = 65_535;

/// The tiles that matrix products and convolutions can be cut into; see [`crate::Options::tile`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TileKind {
    /// 128 x 128 in workgroup memory.
    Large,
    /// 64 x 64 in workgroup memory.
    Medium,
    /// 32 x 32 in workgroup memory.
    Small,
    /// In registers alone, for software rasterisers.
    Register,
    /// In the registers of a subgroup of 8, for software rasterisers that have such.
    Subgroup,
}

impl TileKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Large,
        Self::Medium,
        Self::Small,
        Self::Register,
        Self::Subgroup,
    ];

    const fn tile(self) -> Tile {
        match self {
            Self::Large => Tile::LARGE,
            Self::Medium => Tile::MEDIUM,
            Self::Small => Tile::SMALL,
            Self::Register => Tile::REGISTER,
            Self::Subgroup => Tile::SUBGROUP_8,
        }
    }
}

/// The tile, and how many stretches K is cut into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) tile: Tile,
    pub(crate) splits: u32,
    pub(crate) k_per_split: u32,
    groups: [u32; 3],
}

impl Plan {
    /// The plan for `layers` results of `[m, n]` with sums of `k` terms; `result_len` is the length of what a split
    /// would write once for each stretch.
    pub(crate) fn new(
        device: &Device,
        [m, n, k]: [u32; 3],
        layers: u32,
        result_len: usize,
    ) -> Self {
        let tile = choose_tile(device, m, n, layers);
        let [x, y] = tile.grid(m, n);
        let filled = x.saturating_mul(y).saturating_mul(layers).max(1);
        let most_bytes = device.max_binding_words() / result_len.max(1);
        let wanted = (FULL_GPU / filled)
            .min(k / LEAST_STRETCH)
            .min(u32::try_from(most_bytes).unwrap_or(u32::MAX))
            .min(MAX_GROUPS / layers.max(1));
        // The CPU device has no workgroups to fill, and a software rasteriser few.
        let splits = if device.is_cpu() {
            1
        } else if tile.uses_workgroup_memory() {
            wanted.max(1)
        } else {
            k.div_ceil(MOST_TURNS * tile.k()).max(1)
        };
        let k_per_split = k.div_ceil(splits).next_multiple_of(tile.k()).max(1);
        let splits = k.div_ceil(k_per_split).max(1);
        Self {
            tile,
            splits,
            k_per_split,
            groups: [x, y, layers * splits],
        }
    }

    pub(crate) fn grid(&self) -> Grid {
        let [x, y, z] = self.groups.map(|count| count as usize);
        Grid::groups(x, y, z)
    }
}

/// The tile for a result of `m` rows and `n` columns: the largest that still gives most of a GPU something to do.
fn choose_tile(device: &Device, m: u32, n: u32, layers: u32) -> Tile {
    if let Some(kind) = device.common().options.tile {
        return kind.tile();
    }
    // Barriers and workgroup memory cost a software rasteriser more than they save (FACTS, lavapipe).
    if device.is_software() {
        let has_subgroups = device.subgroup_size() == Some(8);
        return if has_subgroups {
            Tile::SUBGROUP_8
        } else {
            Tile::REGISTER
        };
    }
    let fills = |tile: Tile| {
        let [x, y] = tile.grid(m, n);
        x.saturating_mul(y).saturating_mul(layers) >= FULL_GPU / 2
    };
    let is_wide = |tile: Tile| n >= tile.n && m >= tile.m;
    [Tile::LARGE, Tile::MEDIUM]
        .into_iter()
        .find(|&tile| fills(tile) && is_wide(tile) || tile.grid(m, n)[1] > MAX_GROUPS / 4)
        .unwrap_or(if n >= 48 && m >= 48 {
            Tile::MEDIUM
        } else {
            Tile::SMALL
        })
}

/// The twin of kernels that only a GPU launches: partial sums and 16-bit floats, which the CPU device never makes.
pub(crate) fn no_twin<P>(_: &P, _: CpuArgs<'_>) {
    unreachable!("the CPU device neither splits sums nor has 16-bit floats")
}
