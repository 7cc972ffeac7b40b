//! A device that computes nothing and has no memory: it stands for a card that need not be there, and notes what is launched, so
//! that what the product would do on any card can be known anywhere.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use shaders::Variant;

use crate::buffer::{Buffer, Pool, Width, lock};
use crate::device::{Common, Device, Options};
use crate::error::{Error, Result};
use crate::profile::Cost;
use crate::recorder::{CpuStep, Recording, Steps};
use crate::tile::{Card, CardSpec};

/// The state of a dry device. Used through [`crate::Device`].
#[derive(Debug)]
pub struct DryDevice {
    pub(crate) common: Common,
    spec: Mutex<CardSpec>,
    launched: Mutex<HashSet<Variant>>,
    pool: Arc<Pool>,
    /// What was launched in the steps that threads are capturing.
    captures: Mutex<HashMap<ThreadId, Vec<CpuStep>>>,
}

impl Device {
    /// A device that stands for a card, there or not: it has no memory and computes nothing, reads zeros, and notes which shader
    /// variants a program launches on such a card; see [`Device::compiled`].
    ///
    /// ```
    /// use kernels::ops::gemm::{self, Gemm};
    /// use kernels::{AdapterKind, CardSpec, Device};
    ///
    /// let device = Device::dry(CardSpec::new("Apple M1", 0x106b, AdapterKind::Integrated));
    /// let [a, b] = [device.alloc(64 * 32)?, device.alloc(32 * 64)?];
    /// gemm::product(&device, &Gemm::new(64, 64, 32), &a, &b)?;
    /// assert_eq!(device.compiled().len(), 1);
    /// # Ok::<(), kernels::Error>(())
    /// ```
    #[must_use]
    pub fn dry(card: CardSpec) -> Self {
        Self::Dry(Arc::new(DryDevice::new(card)))
    }

    /// Lets a dry device stand for another card, on which nothing has been launched. Other devices are what they are.
    pub fn stand_for(&self, card: CardSpec) {
        if let Self::Dry(dry) = self {
            dry.set_spec(card);
        }
    }
}

impl DryDevice {
    pub(crate) fn new(spec: CardSpec) -> Self {
        Self {
            common: Common::new("dry run".to_owned(), Options::default(), None),
            spec: Mutex::new(spec),
            launched: Mutex::default(),
            pool: Arc::default(),
            captures: Mutex::default(),
        }
    }

    /// Stands for another card from now on, of which nothing has been launched.
    pub(crate) fn set_spec(&self, spec: CardSpec) {
        *lock(&self.spec) = spec;
        lock(&self.launched).clear();
    }

    pub(crate) fn spec(&self) -> CardSpec {
        lock(&self.spec).clone()
    }

    pub(crate) fn card(&self) -> Card {
        Card::of(&lock(&self.spec))
    }

    pub(crate) fn launched(&self) -> Vec<Variant> {
        lock(&self.launched).iter().copied().collect()
    }

    pub(crate) fn pool(&self) -> Arc<Pool> {
        Arc::clone(&self.pool)
    }

    pub(crate) fn is_capturing(&self) -> bool {
        lock(&self.captures).contains_key(&thread::current().id())
    }

    pub(crate) fn begin_capture(&self) -> Result<()> {
        let action = "a second capture";
        if self.is_capturing() {
            return Err(Error::Capturing { action });
        }
        lock(&self.captures).insert(thread::current().id(), Vec::new());
        Ok(())
    }

    pub(crate) fn end_capture(&self) -> Recording {
        let steps = lock(&self.captures).remove(&thread::current().id());
        Recording::new(Steps::Cpu(steps.unwrap_or_default()), self.pool())
    }

    /// Notes the variant that a GPU would launch for these operands.
    pub(crate) fn launch(&self, variant: Variant, [reads, writes]: [&[&Buffer]; 2], cost: Cost) {
        let is_f16 = |buffer: &&Buffer| buffer.width() == Width::F16;
        let has_f16 = reads.iter().chain(writes).any(is_f16);
        lock(&self.launched).insert(variant.f16(has_f16));
        if let Some(steps) = lock(&self.captures).get_mut(&thread::current().id()) {
            steps.push(CpuStep::new(cost, || ()));
        }
    }
}
