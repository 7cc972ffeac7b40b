//! A GPU through wgpu: the device itself, its memory, its errors and what it waits for.

mod capture;
mod dispatch;
mod pace;
mod readback;
mod timing;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, ThreadId};

use shaders::Variant;

pub(crate) use self::readback::Readback;

use crate::adapters::{Adapter, AdapterKind};
use crate::buffer::{Buffer, Memory, Pool, lock};
use crate::device::{Common, Options};
use crate::error::{Error, Result};
use crate::pipeline::Pipeline;
use crate::tile::{Card, TileKind};

use capture::Capture;
use dispatch::Batch;
use pace::Pace;

/// The most bytes of a binding: drivers differ in whether sizes are signed, and Metal reports no limit of its own.
pub(crate) const MOST_BINDING: u64 = (1 << 31) - 16;

/// The state of a GPU device. Used through [`crate::Device`].
#[derive(Debug)]
pub struct GpuDevice {
    pub(crate) common: Common,
    device: wgpu::Device,
    queue: wgpu::Queue,
    kind: AdapterKind,
    driver: String,
    pub(crate) card: Card,
    limits: wgpu::Limits,
    pipelines: Mutex<HashMap<Variant, Pipeline>>,
    pool: Arc<Pool>,
    recorder: Mutex<Recorder>,
    pace: Pace,
    /// Set once, by wgpu's callback, when the device is gone.
    lost: Arc<OnceLock<String>>,
    /// The first error that no scope caught.
    fault: Arc<OnceLock<String>>,
}

/// Dispatches on their way to a submission or to a recording.
#[derive(Debug)]
struct Recorder {
    eager: Batch,
    /// The step that a thread is capturing.
    captures: HashMap<ThreadId, Capture>,
}

impl GpuDevice {
    pub(crate) fn open(adapter: &Adapter, options: Options) -> Result<Self> {
        let common = Common::new(adapter.name.clone(), options);
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
            on_lost.get_or_init(|| format!("{reason:?}: {message}"));
        });
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            on_fault.get_or_init(|| error.to_string());
        }));
        let pace = options
            .submission_work
            .map_or_else(Pace::default, Pace::fixed);
        let recorder = Mutex::new(Recorder {
            eager: Batch::new(&device),
            captures: HashMap::new(),
        });
        Ok(Self {
            common,
            device,
            queue,
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
        let scopes = [
            wgpu::ErrorFilter::Validation,
            wgpu::ErrorFilter::Internal,
            wgpu::ErrorFilter::OutOfMemory,
        ]
        .map(|filter| self.device.push_error_scope(filter));
        let value = call();
        let mut first = None;
        for scope in scopes.into_iter().rev() {
            first = pollster::block_on(scope.pop()).or(first);
        }
        match first {
            None => self.check(context).map(|()| value),
            Some(wgpu::Error::OutOfMemory { .. }) => {
                Err(self.common.out_of_memory(0, "the driver".to_owned()))
            }
            Some(error) => Err(self.error(context, error.to_string())),
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

    fn error(&self, context: &'static str, message: String) -> Error {
        Error::Gpu {
            device: self.common.name.clone(),
            context,
            message,
        }
    }

    pub(crate) fn create_memory(&self, words: usize) -> Result<Memory> {
        let size = 4 * words as u64;
        if size > self.limits.max_buffer_size {
            let budget = format!(
                "the device's largest buffer is {}",
                self.limits.max_buffer_size
            );
            return Err(self.common.out_of_memory(size, budget));
        }
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        let created = self.guarded("allocating", || create_buffer(&self.device, size, usage));
        created.map(Memory::Gpu).map_err(|error| match error {
            Error::OutOfMemory { budget, .. } => self.common.out_of_memory(size, budget),
            other => other,
        })
    }

    /// Overwrites the start of `buffer`, after what was launched before.
    pub(crate) fn write(&self, buffer: &Buffer, bytes: &[u8]) -> Result<()> {
        self.flush()?;
        let (whole, tail) = bytes.split_at(bytes.len() / 4 * 4);
        let offset = buffer.start_bytes();
        self.guarded("writing", || {
            self.queue.write_buffer(gpu_buffer(buffer), offset, whole);
            if !tail.is_empty() {
                let mut word = [0; 4];
                word[..tail.len()].copy_from_slice(tail);
                self.queue
                    .write_buffer(gpu_buffer(buffer), offset + whole.len() as u64, &word);
            }
        })
    }

    pub(crate) fn synchronize(&self) -> Result<()> {
        self.flush()?;
        // What was only written is on its way with this.
        self.guarded("waiting", || self.queue.submit([]))?;
        self.wait()
    }

    fn wait(&self) -> Result<()> {
        // A device that is known to be lost must not be polled: wgpu panics there.
        self.check("waiting")?;
        self.poll(wgpu::PollType::wait_indefinitely())?;
        self.check("waiting")
    }

    /// Polls the device. A device that goes in the meantime makes wgpu panic, which becomes an error here.
    fn poll(&self, how: wgpu::PollType) -> Result<()> {
        let polled = catch_unwind(AssertUnwindSafe(|| self.device.poll(how)));
        match polled {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.error("waiting", error.to_string())),
            Err(_) => {
                let message = "it went while being waited for".to_owned();
                let message = self.lost.get_or_init(|| message).clone();
                Err(Error::DeviceLost {
                    device: self.common.name.clone(),
                    message,
                })
            }
        }
    }
}

fn create_buffer(device: &wgpu::Device, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size,
        usage,
        mapped_at_creation: false,
    })
}

fn gpu_buffer(buffer: &Buffer) -> &wgpu::Buffer {
    match buffer.storage.memory() {
        Memory::Gpu(gpu) => gpu,
        Memory::Cpu(_) => unreachable!("launches and transfers refuse another device's buffers"),
    }
}
