//! A device that computes nothing and has no memory: it stands for a card that need not be there, and notes what is launched, so
//! that what the product would do on any card can be known anywhere.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use shaders::Variant;

use crate::buffer::{Buffer, Pool, Width, lock};
use crate::device::{Common, Device, Options};
use crate::error::{Error, Result};
use crate::profile::{Cost, Launch};
use crate::recorder::{CpuStep, Recording, Steps};
use crate::tile::{Card, CardSpec, launch_seconds};

/// The state of a dry device. Used through [`crate::Device`].
#[derive(Debug)]
pub struct DryDevice {
    pub(crate) common: Common,
    spec: Mutex<CardSpec>,
    /// How long the card would have been busy with what was launched while profiling was on.
    busy_s: Mutex<f64>,
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
    ///
    /// While it is profiled ([`Device::start_profile`]) it gathers the times that launches are predicted to take on the card: of a
    /// product by how it is cut up, of all else by the traffic of its bindings.
    #[must_use]
    pub fn dry(card: CardSpec) -> Self {
        Self::dry_with(card, Options::default())
    }

    /// The same, opened with `options`.
    #[must_use]
    pub fn dry_with(card: CardSpec, options: Options) -> Self {
        Self::Dry(Arc::new(DryDevice::new(card, options)))
    }

    /// Lets a dry device stand for another card, on which nothing has been launched. Other devices are what they are.
    pub fn stand_for(&self, card: CardSpec) {
        if let Self::Dry(dry) = self {
            dry.set_spec(card);
        }
    }
}

impl DryDevice {
    pub(crate) fn new(spec: CardSpec, options: Options) -> Self {
        Self {
            common: Common::new("dry run".to_owned(), options, None),
            busy_s: Mutex::default(),
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
        if self.common.profiler.is_on() {
            self.time(&cost);
        }
        if let Some(steps) = lock(&self.captures).get_mut(&thread::current().id()) {
            steps.push(CpuStep::new(cost, || ()));
        }
    }

    /// Adds a launch to the profile, with the time that it is predicted to take.
    fn time(&self, cost: &Cost) {
        let seconds = launch_seconds(&self.card(), cost);
        let mut busy_s = lock(&self.busy_s);
        self.common.profiler.add(Launch {
            kernel: cost.kernel,
            start_s: *busy_s,
            seconds,
            flops: cost.flops,
            bytes: cost.bytes,
            product: cost.product,
        });
        *busy_s += seconds;
    }
}
