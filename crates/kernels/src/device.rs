//! Devices: which there are, which to take, their memory, and the launch of a kernel.
//!
//! The one `match` between the native CPU device and a GPU is here and in [`crate::recorder`]; operators are written
//! once for both.

mod common;
mod transfer;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use shaders::Variant;

use crate::adapters::{self, Adapter};
use crate::buffer::{Allocation, Buffer, Pool, Width, cpu_memory};
use crate::cpu_device::CpuDevice;
use crate::dry_device::DryDevice;
use crate::error::{Error, Result};
use crate::faults::Faults;
use crate::gpu_device::GpuDevice;
use crate::kernel::{Grid, Kernel, Params};
use crate::probe::Avoided;
use crate::profile::Cost;
use crate::recorder::Recording;
use crate::tile::{Card, TileKind, TilePlan};

pub(crate) use self::common::Common;
pub use self::common::{Options, Winograd};
pub use self::transfer::PendingRead;

/// More 32-bit words than any device has: 256 TiB.
const MOST_WORDS: u64 = 1 << 46;

/// Something that runs kernels. Cheap to clone: clones are the same device.
#[derive(Clone, Debug)]
pub enum Device {
    /// The host's own cores, through rayon.
    Cpu(Arc<CpuDevice>),
    /// A GPU, or a software rasteriser, through wgpu.
    Gpu(Arc<GpuDevice>),
    /// A card that is not there: nothing is computed, what is launched is noted.
    Dry(Arc<DryDevice>),
}

impl Device {
    /// The native CPU device.
    #[must_use]
    pub fn cpu() -> Self {
        Self::Cpu(Arc::new(CpuDevice::new(Options::default(), None)))
    }

    /// The device that `selector` names: `auto`, `cpu`, `gpu`, `gpu:N` or a part of an adapter's name.
    ///
    /// `auto` takes the best discrete GPU, then an integrated one, then the CPU. `gpu` takes the best adapter there is,
    /// a software rasteriser if there is nothing else; see [`Device::is_software`].
    ///
    /// # Errors
    /// [`Error::NoDevice`] if nothing answers to the selector, with what there is.
    pub fn open(selector: &str) -> Result<Self> {
        Self::open_with(selector, Options::default())
    }

    /// As [`Device::open`], with bounds of the caller's own.
    ///
    /// # Errors
    /// As [`Device::open`].
    pub fn open_with(selector: &str, options: Options) -> Result<Self> {
        Self::open_faulty(selector, options, Faults::of_environment()?)
    }

    /// As [`Device::open_with`], for tests: a device with these faults.
    ///
    /// # Errors
    /// As [`Device::open`].
    #[doc(hidden)]
    pub fn open_with_faults(selector: &str, options: Options, faults: &Faults) -> Result<Self> {
        Self::open_faulty(selector, options, Some(faults.clone()))
    }

    fn open_faulty(selector: &str, options: Options, faults: Option<Faults>) -> Result<Self> {
        Ok(match adapters::select(selector)? {
            None => Self::Cpu(Arc::new(CpuDevice::new(options, faults))),
            Some(adapter) => Self::Gpu(Arc::new(GpuDevice::open(&adapter, options, faults)?)),
        })
    }

    /// The adapters that `gpu:N` counts, best first.
    #[must_use]
    pub fn adapters() -> Vec<Adapter> {
        adapters::adapters()
    }

    /// Which of [`Device::adapters`] a selector names, by number; `None` for the CPU device.
    ///
    /// # Errors
    /// As [`Device::open`].
    pub fn find(selector: &str) -> Result<Option<usize>> {
        adapters::find(selector)
    }

    pub(crate) fn common(&self) -> &Common {
        match self {
            Self::Cpu(cpu) => &cpu.common,
            Self::Gpu(gpu) => &gpu.common,
            Self::Dry(dry) => &dry.common,
        }
    }

    /// The device's name: `cpu (N threads)` or the adapter's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.common().name
    }

    /// The interface, the driver and its version, as it gives them: what a probe's result is true of. Empty for the CPU device.
    #[must_use]
    pub fn driver(&self) -> &str {
        match self {
            Self::Cpu(_) | Self::Dry(_) => "",
            Self::Gpu(gpu) => gpu.driver(),
        }
    }

    /// Whether this is the native CPU device.
    #[must_use]
    pub fn is_cpu(&self) -> bool {
        matches!(self, Self::Cpu(_))
    }

    /// Whether this is a Vulkan implementation in software (lavapipe and the like), which is slow.
    #[must_use]
    pub fn is_software(&self) -> bool {
        match self {
            Self::Cpu(_) | Self::Dry(_) => false,
            Self::Gpu(gpu) => gpu.is_software(),
        }
    }

    /// The shader variants that were launched or recorded so far, in no order; none on the CPU device.
    #[must_use]
    pub fn compiled(&self) -> Vec<Variant> {
        match self {
            Self::Cpu(_) => Vec::new(),
            Self::Gpu(gpu) => gpu.compiled(),
            Self::Dry(dry) => dry.launched(),
        }
    }

    /// Uses `plan` for every matrix product from now on, captured steps aside, in place of what is predicted.
    pub fn set_plan(&self, plan: Option<TilePlan>) {
        self.common().set_plan(plan);
    }

    /// The tiles that can be tried on the device: those in workgroup memory, as far as it has so much, or what suits a software rasteriser.
    #[must_use]
    pub fn tiles(&self) -> Vec<TileKind> {
        match self {
            Self::Gpu(gpu) if gpu.is_software() => gpu.card.tiles.to_vec(),
            _ => self.fitting_tiles(),
        }
    }

    /// The tiles in workgroup memory that fit there, whether they suit the device or not.
    pub(crate) fn fitting_tiles(&self) -> Vec<TileKind> {
        match self {
            Self::Cpu(_) => Vec::new(),
            Self::Dry(dry) => dry.card().tiles.to_vec(),
            Self::Gpu(gpu) => gpu.fitting_tiles(),
        }
    }

    /// What the choice of tiles knows of the device; nothing of the CPU device, which has none.
    #[must_use]
    pub fn card(&self) -> Option<Card> {
        match self {
            Self::Cpu(_) => None,
            Self::Gpu(gpu) => Some(gpu.card),
            Self::Dry(dry) => Some(dry.card()),
        }
    }

    /// Whether both handles are the same device, so that buffers of one work on the other.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.common().id == other.common().id
    }

    /// The longest binding the device allows, in words. Longer operands are bound in windows.
    #[must_use]
    pub fn max_binding_words(&self) -> usize {
        let most = match self {
            Self::Cpu(_) => return usize::MAX,
            Self::Gpu(gpu) => gpu.max_binding_bytes(),
            Self::Dry(dry) => dry.spec().max_binding_bytes,
        };
        let asked = self.common().options.max_binding_bytes;
        let bytes = most.min(asked.unwrap_or(u64::MAX));
        usize::try_from(bytes / 4).unwrap_or(usize::MAX)
    }

    /// Bytes that the device's buffers hold now, free ones in pools included, and the most they ever held. What a GPU copies by is
    /// not among them: at most 64 MiB, or what two copies to it take.
    #[must_use]
    pub fn memory(&self) -> (u64, u64) {
        let usage = &self.common().usage;
        (
            usage.held.load(Ordering::Relaxed),
            usage.peak.load(Ordering::Relaxed),
        )
    }

    /// Whether kernels may use f16. The CPU device's twins never do.
    #[must_use]
    pub fn has_f16(&self) -> bool {
        match self {
            Self::Cpu(_) => false,
            Self::Gpu(gpu) => gpu.has_f16() && !gpu.common.avoids_f16(),
            Self::Dry(dry) => dry.spec().has_f16,
        }
    }

    /// Does from now on without what a [`Probe`](crate::Probe) of this adapter and driver found wrong: f16, tiles.
    pub fn avoid(&self, avoided: Avoided) {
        self.common().avoid(avoided);
    }

    /// A buffer of `words` 32-bit words with unspecified contents.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the device, its budget or its largest buffer can't hold it.
    pub fn alloc(&self, words: usize) -> Result<Buffer> {
        self.alloc_as(Width::Word, words)
    }

    /// A buffer of `len` elements of a width, with unspecified contents.
    ///
    /// # Errors
    /// As [`Device::alloc`]; [`Error::NoF16`] if the device can't use such elements.
    pub fn alloc_as(&self, width: Width, len: usize) -> Result<Buffer> {
        if width == Width::F16 && !self.has_f16() {
            let device = self.name().to_owned();
            return Err(Error::NoF16 { device });
        }
        let (words, id) = (width.words(len), self.common().id);
        // Nothing has so much, and its size class might not be a number.
        if words as u64 > MOST_WORDS {
            let bytes = (words as u64).saturating_mul(4);
            let budget = "more than can be addressed".to_owned();
            return Err(self.common().out_of_memory(bytes, budget));
        }
        let storage = self.pool().take(words, id, |class| self.create(class))?;
        Ok(Buffer::new(storage, len, width))
    }

    fn create(&self, words: usize) -> Result<Allocation> {
        match self {
            Self::Cpu(cpu) => cpu.common.allocate(words, || {
                let bytes = 4 * words as u64;
                let full = || cpu.common.out_of_memory(bytes, "the system".to_owned());
                cpu_memory(words).ok_or_else(full)
            }),
            Self::Gpu(gpu) => gpu.common.allocate(words, || gpu.create_memory(words)),
            Self::Dry(dry) => dry.common.allocate(words, || {
                let none = || dry.common.out_of_memory(0, "the system".to_owned());
                cpu_memory(0).ok_or_else(none)
            }),
        }
    }

    /// The pool in force: the device's own, or that of the step being captured.
    fn pool(&self) -> Arc<Pool> {
        match self {
            Self::Cpu(cpu) => cpu.pool(),
            Self::Gpu(gpu) => gpu.pool(),
            Self::Dry(dry) => dry.pool(),
        }
    }

    /// Gives back memory that no buffer uses.
    pub fn trim(&self) {
        self.pool().trim();
        if let Self::Gpu(gpu) = self {
            gpu.trim();
        }
    }

    /// Waits until all that was launched is done.
    ///
    /// # Errors
    /// If the device is lost or refused what was launched.
    pub fn synchronize(&self) -> Result<()> {
        match self {
            Self::Cpu(_) | Self::Dry(_) => Ok(()),
            Self::Gpu(gpu) => gpu.synchronize(),
        }
    }

    pub(crate) fn is_capturing(&self) -> bool {
        match self {
            Self::Cpu(cpu) => cpu.is_capturing(),
            Self::Gpu(gpu) => gpu.is_capturing(),
            Self::Dry(dry) => dry.is_capturing(),
        }
    }

    /// Runs `record`, whose launches are kept instead of run, and returns its value and the step for [`Recording::replay`].
    ///
    /// Buffers that `record` allocates belong to the recording: no other buffer ever shares their memory. Only what
    /// this thread launches becomes part of the step; other threads use the device as ever.
    ///
    /// # Errors
    /// Those of `record`; or [`Error::Capturing`] if a step is being captured already.
    pub fn capture<T, E: From<Error>>(
        &self,
        record: impl FnOnce() -> Result<T, E>,
    ) -> Result<(T, Recording), E> {
        self.begin_capture()?;
        let value = record();
        let recording = self.end_capture();
        Ok((value?, recording?))
    }

    fn begin_capture(&self) -> Result<()> {
        match self {
            Self::Cpu(cpu) => cpu.begin_capture(),
            Self::Gpu(gpu) => gpu.begin_capture(),
            Self::Dry(dry) => dry.begin_capture(),
        }
    }

    fn end_capture(&self) -> Result<Recording> {
        match self {
            Self::Cpu(cpu) => Ok(cpu.end_capture()),
            Self::Gpu(gpu) => gpu.end_capture(),
            Self::Dry(dry) => Ok(dry.end_capture()),
        }
    }

    /// Launches `kernel`: its shader on a GPU, its twin on the CPU; or records it, while a step is captured.
    pub(crate) fn launch<P: Params>(
        &self,
        kernel: &Kernel<P>,
        params: &P,
        reads: &[&Buffer],
        writes: &[&Buffer],
        grid: Grid,
    ) -> Result<()> {
        self.check_bindings(kernel.variant.entry, reads, writes)?;
        let cost = Cost::new(kernel.variant.entry, &grid, reads, writes);
        match self {
            Self::Cpu(cpu) => {
                cpu.launch(kernel, params, [reads, writes], cost);
                Ok(())
            }
            Self::Gpu(gpu) => gpu.launch(kernel, params, [reads, writes], grid.groups, cost),
            Self::Dry(dry) => {
                dry.launch(kernel.variant, [reads, writes], cost);
                Ok(())
            }
        }
    }

    fn check_bindings(
        &self,
        kernel: &'static str,
        reads: &[&Buffer],
        writes: &[&Buffer],
    ) -> Result<()> {
        let limit = (self.max_binding_words() as u64).saturating_mul(4);
        for (i, buffer) in reads.iter().chain(writes).enumerate() {
            if buffer.storage.device != self.common().id {
                return Err(Error::ForeignBuffer { kernel });
            }
            let bytes = buffer.bytes();
            if bytes > limit {
                return Err(Error::BindingTooLarge {
                    kernel,
                    bytes,
                    limit,
                });
            }
            let later_writes = writes.iter().skip((i + 1).saturating_sub(reads.len()));
            if later_writes
                .into_iter()
                .any(|write| write.shares_storage(buffer))
            {
                return Err(Error::Aliased { kernel });
            }
        }
        Ok(())
    }
}
