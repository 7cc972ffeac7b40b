//! What is known of drivers and GPUs that the kernels and the way they are launched have to reckon with: one row each, with where it is
//! known from. `alexnet doctor` prints those that apply.

use crate::adapters::{Adapter, AdapterKind};

/// PCI's numbers of makers; Qualcomm's and Apple's are those that their Vulkan drivers tell. Metal tells none.
pub(crate) const NVIDIA: u32 = 0x10de;
pub(crate) const AMD: u32 = 0x1002;
const INTEL: u32 = 0x8086;
const QUALCOMM: u32 = 0x5143;
const APPLE: u32 = 0x106b;

/// Something that some adapters do, and what is done about it.
#[derive(Clone, Copy, Debug)]
pub struct Quirk {
    /// What they do.
    pub what: &'static str,
    /// What the library does about it.
    pub remedy: &'static str,
    /// Where it is known from.
    pub source: &'static str,
    applies: fn(&Adapter) -> bool,
}

impl Quirk {
    /// Whether it is known of this adapter.
    #[must_use]
    pub fn applies(&self, adapter: &Adapter) -> bool {
        (self.applies)(adapter)
    }
}

fn vendor(adapter: &Adapter) -> u32 {
    adapter.wgpu.get_info().vendor
}

fn is_real(adapter: &Adapter) -> bool {
    adapter.kind != AdapterKind::Software
}

/// Every quirk that is known.
pub const QUIRKS: [Quirk; 9] = [
    Quirk {
        what: "compilers spill registers where an invocation has 64 sums",
        remedy: "tiles of at most 16 sums an invocation",
        source: "static figures of Mesa's compilers (ANV, Honeykrisp, Turnip); ggml-vulkan leaves large tiles out there too",
        applies: |adapter| {
            let is_known = [INTEL, APPLE, QUALCOMM].contains(&vendor(adapter));
            is_real(adapter) && (is_known || adapter.name.contains("Apple"))
        },
    },
    Quirk {
        what: "LARGE tiles pay, MEDIUM where a product has few rows",
        remedy: "tile and splits by predicted time, with the multiprocessors and the bandwidth of the card's name",
        source: "measured on an H100: benches/README.md, On a real GPU",
        applies: |adapter| is_real(adapter) && [NVIDIA, AMD].contains(&vendor(adapter)),
    },
    Quirk {
        what: "workgroup memory and barriers cost more than they save",
        remedy: "sums stay in registers, shared by the 8 lanes of a subgroup",
        source: "measured on Mesa 22.3.6",
        applies: |adapter| adapter.name.contains("llvmpipe"),
    },
    Quirk {
        what: "takes gigabytes and minutes to compile unrolled tiles of registers",
        remedy: "the 32 x 32 tile in workgroup memory",
        source: "measured with Chromium's libvk_swiftshader.so",
        applies: |adapter| adapter.name.contains("SwiftShader"),
    },
    Quirk {
        what: "never reports that memory is full; the host's runs out instead",
        remedy: "the memory that a run takes is said before it begins",
        source: "measured on Mesa 22.3.6",
        applies: |adapter| adapter.kind == AdapterKind::Software,
    },
    Quirk {
        what: "resets a GPU whose submission takes over 2 seconds",
        remedy: "submissions of about 0.1 seconds",
        source: "Microsoft: Timeout Detection and Recovery, TdrDelay",
        applies: |adapter| is_real(adapter) && cfg!(windows) || adapter.backend == "dx12",
    },
    Quirk {
        what: "pages memory to the host instead of failing",
        remedy: "no resource is made beyond 90 % of the budget that the driver tells",
        source: "wgpu: MemoryBudgetThresholds",
        applies: |adapter| cfg!(windows) && is_real(adapter),
    },
    Quirk {
        what: "has no limit of its own on a binding's length, and signed sizes in places",
        remedy: "bindings of at most 2^31 - 16 bytes",
        source: "wgpu-hal: metal/adapter.rs",
        applies: |adapter| adapter.backend == "metal",
    },
    Quirk {
        what: "may compile loops within loops wrongly",
        remedy: "the probe multiplies whole numbers with every tile",
        source: "wgpu issue 5067",
        applies: |adapter| adapter.backend == "metal" || is_real(adapter) && vendor(adapter) == AMD,
    },
];
