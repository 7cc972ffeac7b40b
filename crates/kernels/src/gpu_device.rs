//! A GPU through wgpu: the device itself, its memory, its errors and what it waits for.

mod capture;
mod dispatch;
mod in_flight;
mod pace;
mod quiet;
mod readback;
mod staging;
mod submission;
mod timing;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use shaders::Variant;

pub(crate) use self::readback::Readback;

use crate::adapters::{Adapter, AdapterKind};
use crate::buffer::{Buffer, Memory, Pool, lock};
use crate::device::{Common, Options};
use crate::error::{Error, Result};
use crate::faults::{Fault, Faults};
use crate::pipeline::Pipeline;
use crate::tile::{Card, TileKind};

use capture::Capture;
use dispatch::Batch;
use in_flight::InFlight;
use pace::Pace;
use staging::Staging;

/// The most bytes of a binding: drivers differ in whether sizes are signed, and Metal reports no limit of its own.
pub(crate) const MOST_BINDING: u64 = (1 << 31) - 16;

/// The state of a GPU device. Used through [`crate::Device`].
#[derive(Debug)]
pub struct GpuDevice {
    pub(crate) common: Common,
    device: wgpu::Device,
    /// Absent only while it is dropped.
    queue: Option<wgpu::Queue>,
    kind: AdapterKind,
    driver: String,
    pub(crate) card: Card,
    limits: wgpu::Limits,
    pipelines: Mutex<HashMap<Variant, Pipeline>>,
    pool: Arc<Pool>,
    recorder: Mutex<Recorder>,
    pace: Pace,
    in_flight: Mutex<InFlight<wgpu::SubmissionIndex>>,
    staging: Mutex<Staging>,
    opened: Instant,
    /// Set once, by wgpu's callback, when the device is gone.
    lost: Arc<OnceLock<String>>,
    /// The first error that no scope caught.
    fault: Arc<OnceLock<String>>,
}

/// Dispatches on their way to a submission or to a recording.
#[derive(Debug)]
struct Recorder {
    /// Made with the first launch.
    eager: Option<Batch>,
    /// The step that a thread is capturing.
    captures: HashMap<ThreadId, Capture>,
}

impl GpuDevice {
    pub(crate) fn open(
        adapter: &Adapter,
        options: Options,
        faults: Option<Faults>,
    ) -> Result<Self> {
        quiet::prepare();
        let common = Common::new(adapter.name.clone(), options, faults);
        let limits = adapter.wgpu.limits();
        let wanted =
            wgpu::Features::SUBGROUP | wgpu::Features::TIMESTAMP_QUERY | wgpu::Features::SHADER_F16;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("kernels"),
            required_features: adapter.wgpu.features() & wanted,
            required_limits: limits.clone(),
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.wgpu.request_device(&descriptor))
            .map_err(|error| Error::Gpu {
                device: common.name.clone(),
                context: "opening the device",
                message: error.to_string(),
            })?;
        let (lost, fault) = (
            Arc::<OnceLock<String>>::default(),
            Arc::<OnceLock<String>>::default(),
        );
        let (on_lost, on_fault) = (Arc::clone(&lost), Arc::clone(&fault));
        device.set_device_lost_callback(move |reason, message| {
            on_lost.get_or_init(|| match message.as_str() {
                "" => format!("{reason:?}"),
                message => format!("{reason:?}: {message}"),
            });
        });
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            on_fault.get_or_init(|| error.to_string());
        }));
        let pace = options
            .submission_work
            .map_or_else(Pace::default, Pace::fixed);
        let recorder = Mutex::new(Recorder {
            eager: None,
            captures: HashMap::new(),
        });
        Ok(Self {
            common,
            device,
            queue: Some(queue),
            kind: adapter.kind,
            driver: format!("{} {}", adapter.backend, adapter.driver),
            card: if options.is_large_gpu {
                Card::H100
            } else {
                Card::of(&adapter.into())
            },
            limits,
            pipelines: Mutex::default(),
            pool: Arc::default(),
            recorder,
            pace,
            in_flight: Mutex::default(),
            staging: Mutex::default(),
            opened: Instant::now(),
            lost,
            fault,
        })
    }

    pub(crate) fn driver(&self) -> &str {
        &self.driver
    }

    pub(crate) fn is_software(&self) -> bool {
        self.kind == AdapterKind::Software && !self.common.options.is_large_gpu
    }

    /// The tiles in workgroup memory, as far as the device has so much.
    pub(crate) fn fitting_tiles(&self) -> Vec<TileKind> {
        let most_bytes = self.limits.max_compute_workgroup_storage_size;
        let fits = |kind: &TileKind| {
            let tile = kind.tile();
            tile.uses_workgroup_memory() && tile.workgroup_bytes() <= most_bytes
        };
        TileKind::ALL.into_iter().filter(fits).collect()
    }

    pub(crate) fn has_f16(&self) -> bool {
        self.device.features().contains(wgpu::Features::SHADER_F16)
    }

    pub(crate) fn max_binding_bytes(&self) -> u64 {
        self.limits
            .max_storage_buffer_binding_size
            .min(MOST_BINDING)
    }

    pub(crate) fn pool(&self) -> Arc<Pool> {
        match lock(&self.recorder).captures.get(&thread::current().id()) {
            Some(capture) => Arc::clone(&capture.pool),
            None => Arc::clone(&self.pool),
        }
    }

    /// Runs wgpu calls and returns the error they raised, if any, instead of a panic.
    fn guarded<T>(&self, context: &'static str, call: impl FnOnce() -> T) -> Result<T> {
        if self.common.strikes(Fault::Lost) {
            self.device.destroy();
        }
        let scopes = [
            wgpu::ErrorFilter::Validation,
            wgpu::ErrorFilter::Internal,
            wgpu::ErrorFilter::OutOfMemory,
        ]
        .map(|filter| self.device.push_error_scope(filter));
        let value = call();
        let mut first = None;
        for scope in scopes.into_iter().rev() {
            // What has no memory is invalid, and the calls that use it then fail too.
            first = first.or(pollster::block_on(scope.pop()));
        }
        match first {
            None => self.check(context).map(|()| value),
            Some(wgpu::Error::OutOfMemory { .. }) => {
                Err(self.common.out_of_memory(0, "the driver".to_owned()))
            }
            Some(error) => Err(self.failure(context, error.to_string())),
        }
    }

    /// An error if the device was lost or an error went by that no scope caught.
    fn check(&self, context: &'static str) -> Result<()> {
        if let Some(message) = self.lost.get() {
            return Err(Error::DeviceLost {
                device: self.common.name.clone(),
                message: message.clone(),
            });
        }
        self.fault
            .get()
            .map_or(Ok(()), |message| Err(self.error(context, message.clone())))
    }

    fn queue(&self) -> &wgpu::Queue {
        self.queue.as_ref().expect("it leaves only in drop")
    }

    /// What has gone wrong: the device itself, if it is lost, whatever wgpu says of the call that found out.
    fn failure(&self, context: &'static str, message: String) -> Error {
        // Only a wait tells that a device is lost.
        let waited = self.wait_once(wgpu::PollType::wait_indefinitely());
        match waited.map(|_| self.check(context)) {
            Some(Ok(())) => self.error(context, message),
            Some(Err(error)) => error,
            None => self.gone(),
        }
    }

    fn error(&self, context: &'static str, message: String) -> Error {
        // wgpu's own words are several lines.
        let lines = message.lines().map(str::trim);
        let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
        Error::Gpu {
            device: self.common.name.clone(),
            context,
            message: lines.join("; "),
        }
    }

    /// Time since the device was opened; of a simulated device, by its own clock.
    fn now(&self) -> Duration {
        let simulated = self.common.faults.as_ref().and_then(Faults::now);
        simulated.unwrap_or_else(|| self.opened.elapsed())
    }

    pub(crate) fn create_memory(&self, words: usize) -> Result<Memory> {
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        self.create_buffer(4 * words as u64, usage).map(Memory::Gpu)
    }

    /// A buffer that is no tensor's: for parameters, or to copy by. One that the host writes comes mapped.
    fn transfer_buffer(&self, bytes: u64, usage: wgpu::BufferUsages) -> Result<wgpu::Buffer> {
        if self.common.strikes(Fault::Allocation) {
            return Err(self.common.out_of_memory(bytes, "the driver".to_owned()));
        }
        self.create_buffer(bytes, usage)
    }

    fn create_buffer(&self, bytes: u64, usage: wgpu::BufferUsages) -> Result<wgpu::Buffer> {
        let most = self.limits.max_buffer_size;
        if bytes > most {
            let budget = format!("the device's largest buffer is {most}");
            return Err(self.common.out_of_memory(bytes, budget));
        }
        let created = self.guarded("allocating", || {
            self.device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: bytes,
                usage,
                mapped_at_creation: usage.contains(wgpu::BufferUsages::MAP_WRITE),
            })
        });
        created.map_err(|error| match error {
            Error::OutOfMemory { budget, .. } => self.common.out_of_memory(bytes, budget),
            other => other,
        })
    }

    /// Overwrites the start of `buffer`, after what was launched before. `is_kept` says that it will be written again.
    pub(crate) fn write(&self, buffer: &Buffer, bytes: &[u8], is_kept: bool) -> Result<()> {
        self.flush()?;
        self.stage(gpu_buffer(buffer), buffer.start_bytes(), bytes, is_kept)
    }

    /// Gives back memory that copies to the device have used.
    pub(crate) fn trim(&self) {
        lock(&self.staging).chunks.trim();
    }
}

impl Drop for GpuDevice {
    fn drop(&mut self) {
        // wgpu waits for what is under way, and panics where that fails.
        let queue = self.queue.take();
        quiet::caught(|| drop(queue));
    }
}

fn gpu_buffer(buffer: &Buffer) -> &wgpu::Buffer {
    match buffer.storage.memory() {
        Memory::Gpu(gpu) => gpu,
        Memory::Cpu(_) => unreachable!("launches and transfers refuse another device's buffers"),
    }
}
