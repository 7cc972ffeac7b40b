//! Recordings: a step's dispatches, kept so that training replays them without allocating or binding anything.

use std::fmt;
use std::sync::Arc;

use crate::buffer::{Buffer, Pool};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::profile::Cost;

/// A captured step: pipelines, bind groups and buffers in the order of launch. See [`Device::capture`].
#[derive(Debug)]
pub struct Recording {
    steps: Steps,
    /// The step's temporaries live in this pool; nobody else allocates from it.
    _pool: Arc<Pool>,
}

#[derive(Debug)]
pub(crate) enum Steps {
    Cpu(Vec<CpuStep>),
    Gpu {
        dispatches: Vec<Dispatch>,
        _params: Vec<wgpu::Buffer>,
    },
}

/// A twin with its parameters and buffers.
pub(crate) struct CpuStep {
    pub(crate) cost: Cost,
    pub(crate) run: Box<dyn Fn() + Send + Sync>,
}

impl CpuStep {
    pub(crate) fn new(cost: Cost, run: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            cost,
            run: Box::new(run),
        }
    }
}

impl fmt::Debug for CpuStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cost.kernel)
    }
}

/// A dispatch with all that it binds.
#[derive(Clone, Debug)]
pub(crate) struct Dispatch {
    pub(crate) cost: Cost,
    pub(crate) pipeline: wgpu::ComputePipeline,
    pub(crate) bind_group: wgpu::BindGroup,
    pub(crate) groups: [u32; 3],
    /// Keeps the memory from being handed out while the dispatch may still run.
    pub(crate) _buffers: Vec<Buffer>,
}

impl Recording {
    pub(crate) fn new(steps: Steps, pool: Arc<Pool>) -> Self {
        Self { steps, _pool: pool }
    }

    /// Runs the step again: on a GPU one submission, without waiting for it.
    ///
    /// # Errors
    /// If the recording is another device's, or the device is lost.
    pub fn replay(&self, device: &Device) -> Result<()> {
        match (&self.steps, device) {
            (Steps::Cpu(steps), Device::Cpu(cpu)) => {
                cpu.replay(steps);
                Ok(())
            }
            (Steps::Gpu { dispatches, .. }, Device::Gpu(gpu)) => gpu.replay(dispatches),
            (Steps::Cpu(_), Device::Dry(_)) => Ok(()),
            _ => Err(Error::ForeignBuffer { kernel: "replay" }),
        }
    }

    /// Whether a replay takes over 50 ms on a GPU, by the speed that it has shown; false until that is known, and on the CPU device.
    #[must_use]
    pub fn is_long(&self, device: &Device) -> bool {
        match (&self.steps, device) {
            (Steps::Gpu { dispatches, .. }, Device::Gpu(gpu)) => gpu.is_long(dispatches),
            _ => false,
        }
    }

    /// How many kernels a replay runs.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.steps {
            Steps::Cpu(steps) => steps.len(),
            Steps::Gpu { dispatches, .. } => dispatches.len(),
        }
    }

    /// Whether a replay does nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The kernels' entry points, in order.
    pub fn kernels(&self) -> impl Iterator<Item = &'static str> {
        let (cpu, gpu) = match &self.steps {
            Steps::Cpu(steps) => (steps.as_slice(), [].as_slice()),
            Steps::Gpu { dispatches, .. } => ([].as_slice(), dispatches.as_slice()),
        };
        cpu.iter()
            .map(|step| step.cost.kernel)
            .chain(gpu.iter().map(|dispatch| dispatch.cost.kernel))
    }
}
