//! How a matrix product, or a convolution as an implicit one, is cut into workgroups on a device.

mod card;
mod predict;

pub(crate) use predict::{DISPATCH, launch_seconds};

pub use card::{Card, CardSpec};

use shaders::variants::Tile;

use crate::device::Device;
use crate::error::{Result, size};
use crate::kernel::{CpuArgs, Grid};

/// WebGPU's limit on workgroups in one dimension.
const MAX_GROUPS: u32 = 65_535;

/// The tiles that matrix products and convolutions can be cut into; see [`crate::Options::tile`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TileKind {
    /// 128 x 128 in 32 KiB of workgroup memory, 64 sums an invocation.
    Large,
    /// 64 x 64 in workgroup memory, 64 sums an invocation.
    Medium,
    /// 64 x 64 in workgroup memory, 16 sums an invocation.
    Compact,
    /// 64 x 96 in workgroup memory, 32 sums an invocation.
    Wide,
    /// 32 x 32 in workgroup memory, 16 sums an invocation.
    Small,
    /// In registers alone, for software rasterisers.
    Register,
    /// In the registers of a subgroup of 8, for software rasterisers that have such.
    Subgroup,
}

impl TileKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Large,
        Self::Medium,
        Self::Compact,
        Self::Wide,
        Self::Small,
        Self::Register,
        Self::Subgroup,
    ];

    /// Its name, in one word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Large => "large",
            Self::Medium => "medium",
            Self::Compact => "compact",
            Self::Wide => "wide",
            Self::Small => "small",
            Self::Register => "register",
            Self::Subgroup => "subgroup",
        }
    }

    pub(crate) const fn tile(self) -> Tile {
        match self {
            Self::Large => Tile::LARGE,
            Self::Medium => Tile::MEDIUM,
            Self::Compact => Tile::COMPACT,
            Self::Wide => Tile::WIDE,
            Self::Small => Tile::SMALL,
            Self::Register => Tile::REGISTER,
            Self::Subgroup => Tile::SUBGROUP_8,
        }
    }
}

/// A matrix product as far as its plan depends on it: `layers` results of `[m, n]` with sums of `k` terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Product {
    /// The kernel's entry point.
    pub kernel: &'static str,
    /// Rows of a result.
    pub m: u32,
    /// Columns of a result.
    pub n: u32,
    /// Terms of a sum.
    pub k: u32,
    /// Results: groups of channels.
    pub layers: u32,
}

impl Product {
    pub(crate) fn new(kernel: &'static str, [m, n, k]: [usize; 3], layers: usize) -> Result<Self> {
        Ok(Self {
            kernel,
            m: size(kernel, "m", m)?,
            n: size(kernel, "n", n)?,
            k: size(kernel, "k", k)?,
            layers: size(kernel, "groups", layers)?,
        })
    }
}

/// The tile of a product's workgroups, and into how many stretches its sums are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TilePlan {
    /// The tile.
    pub tile: TileKind,
    /// Stretches of K, which a second kernel adds up where there are several.
    pub splits: u32,
}

/// A product, cut up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) tile: Tile,
    pub(crate) splits: u32,
    pub(crate) k_per_split: u32,
    groups: [u32; 3],
    label: (Product, TilePlan),
}

impl Plan {
    /// The plan for a product; `result_len` is the length of what a split would write once for each stretch.
    pub(crate) fn new(device: &Device, product: Product, result_len: usize) -> Self {
        let most_bytes = device.max_binding_words() / result_len.max(1);
        let most = u32::try_from(most_bytes)
            .unwrap_or(u32::MAX)
            .min(MAX_GROUPS / product.layers.max(1))
            .max(1);
        let TilePlan { tile: kind, splits } = choose(device, &product, most);
        let tile = kind.tile();
        let [x, y] = tile.grid(product.m, product.n);
        let stretch = product.k.div_ceil(splits.clamp(1, most));
        let k_per_split = stretch.next_multiple_of(tile.k()).max(1);
        let splits = product.k.div_ceil(k_per_split).max(1);
        Self {
            tile,
            splits,
            k_per_split,
            groups: [x, y, product.layers * splits],
            label: (product, TilePlan { tile: kind, splits }),
        }
    }

    pub(crate) fn grid(&self) -> Grid {
        let [x, y, z] = self.groups.map(|count| count as usize);
        Grid {
            product: Some(self.label),
            ..Grid::groups(x, y, z)
        }
    }
}

/// The most rows of a product for which a grid has enough workgroups, whatever the tile.
pub(crate) fn most_rows(device: &Device) -> usize {
    let Some(card) = device.card() else {
        return usize::MAX;
    };
    let rows = card.tiles.iter().map(|kind| kind.tile().m).min();
    MAX_GROUPS as usize * rows.unwrap_or(1) as usize
}

/// How long a product is expected to take on a GPU, cut up as it would be; no time on the CPU device, which has no card.
pub(crate) fn predicted_seconds(device: &Device, product: &Product) -> f64 {
    let plan = choose(device, product, MAX_GROUPS / product.layers.max(1));
    device
        .card()
        .map_or(0.0, |card| predict::seconds(&card, product, plan))
}

/// How long a GPU takes to read or write as many bytes.
pub(crate) fn traffic_seconds(device: &Device, bytes: usize) -> f64 {
    device.card().map_or(0.0, |card| {
        bytes as f64 / (predict::REACHED * card.bandwidth)
    })
}

/// The tile and the splits of a product, of which there may be `most`.
fn choose(device: &Device, product: &Product, most: u32) -> TilePlan {
    let Some(card) = device.card() else {
        // The CPU device has no workgroups to fill.
        let (tile, splits) = (TileKind::Register, 1);
        return TilePlan { tile, splits };
    };
    if let Some(plan) = device.common().plan() {
        return plan;
    }
    match device.common().options.tile {
        // Cut as on a large GPU, so that tests reach all there is.
        Some(tile) => predict::best(&Card::H100, product, &[tile], most),
        None => {
            let suit: Vec<TileKind> = card.tiles_for(product.kernel).collect();
            predict::best(&card, product, &usable(device, &suit), most)
        }
    }
}

/// The tiles that `suit` the device without those that a probe found it to get wrong; if that leaves none, others.
fn usable(device: &Device, suit: &[TileKind]) -> Vec<TileKind> {
    let right = device.common().without_avoided(suit);
    let others = || device.common().without_avoided(&device.fitting_tiles());
    match right.is_empty().then(others) {
        None => right,
        // A device without a right tile is refused by whoever probed it; who goes on all the same gets what suits it.
        Some(others) if others.is_empty() => suit.to_vec(),
        Some(others) => others,
    }
}

/// The twin of kernels that only a GPU launches: partial sums and f16, which the CPU device never makes.
pub(crate) fn no_twin<P>(_: &P, _: CpuArgs<'_>) {
    unreachable!("the CPU device neither splits sums nor has f16")
}
