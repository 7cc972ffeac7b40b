//! What the choice of tiles knows of a card: drivers tell neither how many multiprocessors it has nor how fast its memory is.

use super::TileKind;
use crate::adapters::{Adapter, AdapterKind};
use crate::gpu_device::MOST_BINDING;
use crate::quirk::{AMD, NVIDIA};

/// What a driver tells of a card, as far as it decides what is launched there.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CardSpec {
    /// The adapter's name.
    pub name: String,
    /// PCI's number of its maker, or what the driver gives in its place.
    pub vendor: u32,
    /// How it computes.
    pub kind: AdapterKind,
    /// Workgroup memory of one workgroup.
    pub workgroup_bytes: u32,
    /// The subgroup's size (least, most), if kernels may use subgroup operations.
    pub subgroup: Option<(u32, u32)>,
    /// Whether shaders may use f16.
    pub has_f16: bool,
    /// The longest storage binding.
    pub max_binding_bytes: u64,
}

impl CardSpec {
    /// A card with 32 KiB of workgroup memory, subgroups of 32, f16 and bindings as long as the kernels take.
    #[must_use]
    pub fn new(name: &str, vendor: u32, kind: AdapterKind) -> Self {
        Self {
            name: name.to_owned(),
            vendor,
            kind,
            workgroup_bytes: 32 << 10,
            subgroup: Some((32, 32)),
            has_f16: true,
            max_binding_bytes: MOST_BINDING,
        }
    }
}

impl From<&Adapter> for CardSpec {
    fn from(adapter: &Adapter) -> Self {
        Self {
            name: adapter.name.clone(),
            vendor: adapter.wgpu.get_info().vendor,
            kind: adapter.kind,
            workgroup_bytes: adapter.workgroup_bytes,
            subgroup: adapter.subgroup,
            has_f16: adapter.has_f16,
            max_binding_bytes: adapter.max_binding_bytes,
        }
    }
}

/// A card, as far as the choice of tiles depends on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Card {
    /// Units that hold workgroups: multiprocessors, compute units, cores.
    pub multiprocessors: u32,
    /// Floating-point operations of one of them in a second, at best.
    pub flops: f64,
    /// Bytes of memory traffic in a second.
    pub bandwidth: f64,
    /// Tiles that suit it.
    pub tiles: &'static [TileKind],
    /// Kernels that do without one of these, which its compiler spills there.
    pub spills: &'static [(&'static str, TileKind)],
}

/// Where an invocation has 128 registers at least.
const MANY_REGISTERS: &[TileKind] = &[
    TileKind::Large,
    TileKind::Medium,
    TileKind::Wide,
    TileKind::Small,
];
/// The same with less than 32 KiB of workgroup memory.
const LITTLE_MEMORY: &[TileKind] = &[TileKind::Medium, TileKind::Wide, TileKind::Small];
/// Where 64 sums an invocation do not fit its registers: compilers for Intel's, Apple's and Qualcomm's GPUs spill them.
const FEW_REGISTERS: &[TileKind] = &[TileKind::Compact, TileKind::Small];

/// Mesa's compiler for AMD's RDNA 3 and 4 spills a scalar register where A is read number by number: `benches/shader-stats.md`.
const AMD_SPILLS: &[(&str, TileKind)] = &[("conv2d_weight_gradient", TileKind::Wide)];

/// Multiprocessors and GB/s of cards by a part of their names, from their makers' data sheets; the first that fits counts.
const CARDS: [(&str, u32, u32); 38] = [
    ("H200", 132, 4800),
    ("H100 PCIe", 114, 2000),
    ("H100", 132, 3350),
    ("GH200", 132, 4000),
    ("A100", 108, 1555),
    ("A10G", 80, 600),
    ("L40S", 142, 864),
    ("L4", 58, 300),
    ("V100", 80, 900),
    ("T4", 40, 320),
    ("RTX 5090", 170, 1792),
    ("RTX 5080", 84, 960),
    ("RTX 5070 Ti", 70, 896),
    ("RTX 5070", 48, 672),
    ("RTX 5060", 30, 448),
    ("RTX 4090", 128, 1008),
    ("RTX 4080", 76, 717),
    ("RTX 4070 Ti", 60, 504),
    ("RTX 4070", 46, 504),
    ("RTX 4060 Ti", 34, 288),
    ("RTX 4060", 24, 272),
    ("RTX 4050", 20, 192),
    ("RTX 3090", 82, 936),
    ("RTX 3080", 68, 760),
    ("RTX 3070", 46, 448),
    ("RTX 3060", 28, 360),
    ("RTX 3050", 20, 224),
    ("RTX 2080 Ti", 68, 616),
    ("RTX 2080", 46, 448),
    ("RTX 2070", 36, 448),
    ("RTX 2060", 30, 336),
    ("7900 XTX", 96, 960),
    ("7900 XT", 84, 800),
    ("7800 XT", 60, 624),
    ("7600", 32, 288),
    ("6900 XT", 80, 512),
    ("6800 XT", 72, 512),
    ("6700 XT", 40, 384),
];

/// Floating-point operations a second of an NVIDIA multiprocessor of 128 lanes at 1.9 GHz, or an AMD compute unit of as many.
const FLOPS: f64 = 0.5e12;

impl Card {
    /// An NVIDIA H100 with HBM3.
    pub const H100: Self = Self::new(132, 3350, MANY_REGISTERS);

    const fn new(multiprocessors: u32, gigabytes_per_s: u32, tiles: &'static [TileKind]) -> Self {
        Self {
            multiprocessors,
            flops: FLOPS,
            bandwidth: 1e9 * gigabytes_per_s as f64,
            tiles,
            spills: &[],
        }
    }

    /// The tiles that suit a kernel, by its entry point.
    pub fn tiles_for(&self, kernel: &str) -> impl Iterator<Item = TileKind> {
        let spills = move |tile: &TileKind| self.spills.contains(&(kernel, *tile));
        self.tiles.iter().copied().filter(move |tile| !spills(tile))
    }

    /// What is known of a card, or a guess by its kind.
    #[must_use]
    pub fn of(adapter: &CardSpec) -> Self {
        let has_eight = adapter.subgroup == Some((8, 8));
        let tiles = match (adapter.kind, adapter.vendor) {
            // Barriers and workgroup memory cost lavapipe more than they save.
            (AdapterKind::Software, _) if has_eight => &[TileKind::Subgroup],
            (AdapterKind::Software, _) if adapter.name.contains("llvmpipe") => {
                &[TileKind::Register]
            }
            // SwiftShader takes gigabytes and minutes to compile the unrolled tile of registers; WARP has not been tried.
            (AdapterKind::Software, _) => &[TileKind::Small],
            (_, NVIDIA | AMD)
                if adapter.workgroup_bytes >= TileKind::Large.tile().workgroup_bytes() =>
            {
                MANY_REGISTERS
            }
            (_, NVIDIA | AMD) => LITTLE_MEMORY,
            _ => FEW_REGISTERS,
        };
        let known = CARDS.iter().find(|(part, ..)| adapter.name.contains(part));
        let (multiprocessors, gigabytes_per_s) = match (known, adapter.kind) {
            (Some(&(_, multiprocessors, gigabytes_per_s)), _) => (multiprocessors, gigabytes_per_s),
            (None, AdapterKind::Software) => (1, 10),
            (None, AdapterKind::Integrated) => (10, 80),
            (None, _) => (40, 400),
        };
        let spills = if adapter.vendor == AMD {
            AMD_SPILLS
        } else {
            &[]
        };
        Self {
            spills,
            ..Self::new(multiprocessors, gigabytes_per_s, tiles)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spills_is_never_tried() {
        let of = |vendor| Card::of(&CardSpec::new("GPU", vendor, AdapterKind::Discrete));
        let tiles = |vendor, kernel| of(vendor).tiles_for(kernel).collect::<Vec<_>>();
        let (weights, forward) = ("conv2d_weight_gradient", "conv2d_forward");
        assert!(!tiles(AMD, weights).contains(&TileKind::Wide));
        assert_eq!(tiles(AMD, forward), MANY_REGISTERS);
        assert_eq!(tiles(NVIDIA, weights), MANY_REGISTERS);
        // Intel, Apple by either number, Qualcomm, and whoever is not known.
        for vendor in [0x8086, 0x106b, 0x1_0005, 0x5143, 0] {
            assert_eq!(tiles(vendor, weights), FEW_REGISTERS, "{vendor:x}");
        }
    }
}
