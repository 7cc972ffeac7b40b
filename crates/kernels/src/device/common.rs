//! What the CPU device and a GPU have in common: options, identity, accounts of memory, and a plan that was set.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::buffer::{Allocation, Memory, Usage, lock};
use crate::cpu::winograd::Side;
use crate::error::{Error, Result};
use crate::faults::{Fault, Faults};
use crate::probe::Avoided;
use crate::profile::Profiler;
use crate::tile::{TileKind, TilePlan};

/// Bounds that a device is opened with, beyond its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Treats a GPU's storage bindings as limited to this many bytes, if its own limit is not lower.
    pub max_binding_bytes: Option<u64>,
    /// Refuses allocations beyond this many bytes in all.
    pub memory_budget_bytes: Option<u64>,
    /// Uses this tile for every matrix product and convolution on a GPU, so that tests and tuning reach them all. `None`
    /// chooses by adapter and shape.
    pub tile: Option<TileKind>,
    /// The most work of one submission to a GPU, in floating-point operations or what takes as long; one dispatch is never
    /// cut. `None` goes by the device's measured speed, so that a submission takes about 0.1 s.
    pub submission_work: Option<u64>,
    /// Treats a software rasteriser as a large GPU, so that tests without one take the paths of one: its tiles, its splits of sums, and
    /// readings that are not waited for.
    pub is_large_gpu: bool,
    /// Which 3 x 3 convolutions are computed by Winograd's transforms.
    pub winograd: Winograd,
}

/// Which convolutions of 3 x 3 filters with stride 1 are computed by Winograd's transforms ([`mod@crate::ops::winograd`]): faster for
/// most, with a rounding of its own. Those of f16 are computed directly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Winograd {
    /// None.
    #[default]
    Never,
    /// Those that are predicted to be faster so.
    Auto,
    /// All, with these tiles.
    Always(Side),
}

/// What all devices have: an identity, memory accounting and a pool.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) usage: Arc<Usage>,
    pub(crate) profiler: Profiler,
    pub(crate) options: Options,
    /// In tests, what goes wrong.
    pub(crate) faults: Option<Faults>,
    /// The plan of every product, where one was set.
    plan: Mutex<Option<TilePlan>>,
    /// What a probe has found wanting.
    avoided: Mutex<Avoided>,
}

impl Common {
    pub(crate) fn new(name: String, options: Options, faults: Option<Faults>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            name,
            usage: Arc::default(),
            profiler: Profiler::default(),
            options,
            faults,
            plan: Mutex::default(),
            avoided: Mutex::default(),
        }
    }

    /// See [`Device::set_plan`](super::Device::set_plan).
    pub(super) fn set_plan(&self, plan: Option<TilePlan>) {
        *lock(&self.plan) = plan;
    }

    /// The plan that was set.
    pub(crate) fn plan(&self) -> Option<TilePlan> {
        *lock(&self.plan)
    }

    /// See [`Device::avoid`](super::Device::avoid).
    pub(super) fn avoid(&self, avoided: Avoided) {
        *lock(&self.avoided) = avoided;
    }

    /// Whether f16 are avoided.
    pub(super) fn avoids_f16(&self) -> bool {
        lock(&self.avoided).f16
    }

    /// Those of `tiles` that are not avoided.
    pub(crate) fn without_avoided(&self, tiles: &[TileKind]) -> Vec<TileKind> {
        let avoided = lock(&self.avoided);
        let is_right = |tile: &&TileKind| !avoided.tiles.contains(tile);
        tiles.iter().filter(is_right).copied().collect()
    }

    /// Whether a test wants this occasion of a fault to be the one.
    pub(crate) fn strikes(&self, fault: Fault) -> bool {
        self.faults
            .as_ref()
            .is_some_and(|faults| faults.strikes(fault))
    }

    /// Makes room for `words` words with `create`, or says what is in the way.
    pub(crate) fn allocate(
        &self,
        words: usize,
        create: impl FnOnce() -> Result<Memory>,
    ) -> Result<Allocation> {
        let bytes = 4 * words as u64;
        let held = self.usage.held.load(Ordering::Relaxed);
        if let Some(budget) = self.options.memory_budget_bytes
            && held.saturating_add(bytes) > budget
        {
            return Err(self.out_of_memory(bytes, format!("budget {budget}")));
        }
        if self.strikes(Fault::Allocation) {
            return Err(self.out_of_memory(bytes, "the driver".to_owned()));
        }
        Ok(Allocation::new(create()?, bytes, &self.usage))
    }

    pub(crate) fn out_of_memory(&self, bytes: u64, budget: String) -> Error {
        Error::OutOfMemory {
            device: self.name.clone(),
            bytes,
            in_use: self.usage.held.load(Ordering::Relaxed),
            budget,
        }
    }
}
