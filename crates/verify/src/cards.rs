//! What AlexNet's shapes ask for on cards of every maker: the shader variants that training and inference launch there, by the
//! product's own tables. `cargo xtask shaders stats` compiles these with the compilers that can be had without a card.

use std::collections::{BTreeMap, HashMap};

use kernels::{AdapterKind, Card, CardSpec, Device, TilePlan, Variant};
use model::{Architecture, Network};
use train::{DryRun, Error, OptimizerKind, Precision, Recipe};

/// What this module's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The networks.
pub const NETWORKS: [&str; 4] = [
    "alexnet",
    "alexnet-ungrouped",
    "alexnet-small",
    "alexnet-cifar",
];
/// Images in a batch.
pub const BATCHES: [usize; 3] = [32, 128, 256];
const PRECISIONS: [Precision; 2] = [Precision::F32, Precision::F16];
/// Runs whose launches count: each network with each batch in each precision.
pub const RUNS: usize = NETWORKS.len() * BATCHES.len() * PRECISIONS.len();

/// A compiler that works without its card, and the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compiler {
    /// The card's architecture, in one word.
    pub name: &'static str,
    /// The card, as its driver calls it.
    pub card: &'static str,
    vendor: u32,
    kind: AdapterKind,
    workgroup_kib: u32,
    max_binding_mib: u64,
}

const DISCRETE: AdapterKind = AdapterKind::Discrete;
const INTEGRATED: AdapterKind = AdapterKind::Integrated;

/// Mesa's compilers for cards of five makers, with what its drivers tell of those.
pub const COMPILERS: [Compiler; 7] = [
    Compiler::new("navi21", "AMD Radeon RX 6900 XT", 0x1002, DISCRETE, 64),
    Compiler::new("navi31", "AMD Radeon RX 7900 XTX", 0x1002, DISCRETE, 64),
    Compiler::new("gfx1201", "AMD Radeon RX 9070 XT", 0x1002, DISCRETE, 64),
    Compiler::new("ada", "NVIDIA GeForce RTX 4090", 0x10de, DISCRETE, 48),
    Compiler::new(
        "dg2",
        "Intel(R) Arc(tm) A770 Graphics",
        0x8086,
        DISCRETE,
        48,
    ),
    Compiler::new("m1", "Apple M1", 0x1_0005, INTEGRATED, 32),
    Compiler {
        max_binding_mib: 128,
        ..Compiler::new("a740", "Turnip Adreno (TM) 740", 0x5143, INTEGRATED, 32)
    },
];

impl Compiler {
    const fn new(
        name: &'static str,
        card: &'static str,
        vendor: u32,
        kind: AdapterKind,
        workgroup_kib: u32,
    ) -> Self {
        Self {
            name,
            card,
            vendor,
            kind,
            workgroup_kib,
            max_binding_mib: u64::MAX >> 20,
        }
    }

    /// The card, as the choice of tiles sees it.
    #[must_use]
    pub fn spec(&self) -> CardSpec {
        let mut spec = CardSpec::new(self.card, self.vendor, self.kind);
        spec.workgroup_bytes = self.workgroup_kib << 10;
        spec.max_binding_bytes = spec.max_binding_bytes.min(self.max_binding_mib << 20);
        spec
    }
}

/// A variant that a card's table can choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The variant.
    pub variant: Variant,
    /// In how many of the [`RUNS`] it is launched. None: the table has its tile, and other cards of the maker may want it.
    pub runs: usize,
}

/// Of each compiler, in the order of [`COMPILERS`]: by name, the variants that the runs launch with the tiles that are predicted to be the
/// fastest, and those that they would launch with the other tiles of the card's table.
///
/// # Errors
/// If a network can't be built, which is a bug.
pub fn choices() -> Result<[BTreeMap<String, Choice>; COMPILERS.len()]> {
    let mut all = COMPILERS.map(|_| BTreeMap::new());
    let device = Device::dry(COMPILERS[0].spec());
    for network in NETWORKS {
        let architecture = Architecture::new(network, None, None)?;
        let network = Network::new(architecture, 1, &device)?;
        for precision in PRECISIONS {
            let recipe = recipe(&network, precision)?;
            let run = DryRun::new(&network, &recipe)?;
            for (compiler, found) in COMPILERS.iter().zip(&mut all) {
                for n in BATCHES {
                    add(found, &run, &device, compiler, n)?;
                }
            }
        }
    }
    Ok(all)
}

/// What is launched on batches of `n`; nothing if they are too large for the card.
fn add(
    found: &mut BTreeMap<String, Choice>,
    run: &DryRun<'_>,
    device: &Device,
    compiler: &Compiler,
    n: usize,
) -> Result<()> {
    let card = Card::of(&compiler.spec());
    let tiles = card.tiles.iter();
    let plans = tiles.flat_map(|&tile| [1, 2].map(|splits| Some(TilePlan { tile, splits })));
    for plan in plans.chain([None]) {
        device.stand_for(compiler.spec());
        device.set_plan(plan);
        let captured = run.capture(n);
        device.set_plan(None);
        match captured {
            Err(Error::Tensor(tensor::Error::Kernel(kernels::Error::BindingTooLarge {
                ..
            }))) => {
                return Ok(());
            }
            captured => captured?,
        }
        for variant in device.compiled() {
            // A plan that is set is for all kernels, those included that do without its tile.
            if plan.is_some_and(|plan| !card.tiles_for(variant.entry).any(|t| t == plan.tile)) {
                continue;
            }
            let choice = found.entry(label(&variant));
            let choice = choice.or_insert(Choice { variant, runs: 0 });
            choice.runs += usize::from(plan.is_none());
        }
    }
    Ok(())
}

/// Adam for small images, SGD for large ones, as in `alexnet bench`.
fn recipe(network: &Network, precision: Precision) -> Result<Recipe> {
    let mut recipe = Recipe::for_dataset("shapes10")?;
    recipe.precision = precision;
    if network.architecture().input_size() > 64 {
        recipe.optimizer.kind = OptimizerKind::Sgd;
        recipe.optimizer.momentum = 0.9;
        recipe.optimizer.weight_decay = 5e-4;
    }
    Ok(recipe)
}

/// A variant's name in a table: entry point, tile (`64x64x16/8x8`: of a workgroup, of an invocation), f16, and the flags that are set.
#[must_use]
pub fn label(variant: &Variant) -> String {
    let constants: HashMap<_, _> = variant.constants().iter().copied().collect();
    let mut label = variant.entry.to_owned();
    let tile = ["tile_m", "tile_n", "tile_k", "thread_m", "thread_n"];
    if let [Some(m), Some(n), Some(k), Some(p), Some(q)] = tile.map(|name| constants.get(name)) {
        label += &format!(" {m}x{n}x{k}/{p}x{q}");
    }
    if variant.is_f16() {
        label += " f16";
    }
    for (name, value) in variant.constants() {
        match value {
            0 => {}
            _ if tile.contains(name) => {}
            1 => label += &format!(" {name}"),
            _ => label += &format!(" {name}={value}"),
        }
    }
    label
}
