//! A GPU through wgpu: memory, transfers, and dispatches that are recorded and submitted together.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use shaders::Variant;

use crate::buffer::{Buffer, Memory, Pool, lock};
use crate::device::{Common, Options};
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel, Params};
use crate::pipeline::{self, Pipeline};
use crate::recorder::{Dispatch, Recording, Steps};
use crate::selection::{Adapter, AdapterKind};

/// Distance between parameter structs in a parameter buffer: WebGPU's largest offset alignment.
const PARAMS_STRIDE: usize = 256;
/// Parameter structs in one buffer, and so dispatches in one submission outside of a capture.
const PARAMS_SLOTS: usize = 256;

/// The state of a GPU device. Used through [`crate::Device`].
#[derive(Debug)]
pub struct GpuDevice {
    pub(crate) common: Common,
    device: wgpu::Device,
    queue: wgpu::Queue,
    kind: AdapterKind,
    limits: wgpu::Limits,
    pipelines: Mutex<HashMap<Variant, Pipeline>>,
    pool: Arc<Pool>,
    recorder: Mutex<Recorder>,
    /// Set once, by wgpu's callback, when the device is gone.
    lost: Arc<OnceLock<String>>,
    /// The first error that no scope caught.
    fault: Arc<OnceLock<String>>,
}

/// Dispatches on their way to a submission, or to a recording.
#[derive(Debug)]
struct Recorder {
    pending: Vec<Dispatch>,
    params: wgpu::Buffer,
    params_bytes: Vec<u8>,
    capture: Option<Capture>,
}

#[derive(Debug, Default)]
struct Capture {
    full_params: Vec<wgpu::Buffer>,
    pool: Arc<Pool>,
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
        let recorder = Mutex::new(Recorder {
            pending: Vec::new(),
            params: params_buffer(&device),
            params_bytes: Vec::new(),
            capture: None,
        });
        Ok(Self {
            common,
            device,
            queue,
            kind: adapter.kind,
            limits,
            pipelines: Mutex::default(),
            pool: Arc::default(),
            recorder,
            lost,
            fault,
        })
    }

    pub(crate) fn is_software(&self) -> bool {
        self.kind == AdapterKind::Software
    }

    pub(crate) fn max_binding_bytes(&self) -> u64 {
        self.limits.max_storage_buffer_binding_size
    }

    pub(crate) fn pool(&self) -> Arc<Pool> {
        match &lock(&self.recorder).capture {
            Some(capture) => Arc::clone(&capture.pool),
            None => Arc::clone(&self.pool),
        }
    }

    pub(crate) fn is_capturing(&self) -> bool {
        lock(&self.recorder).capture.is_some()
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
        if !self.is_capturing() {
            self.flush()?;
        }
        let (whole, tail) = bytes.split_at(bytes.len() / 4 * 4);
        let offset = 4 * buffer.offset as u64;
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

    pub(crate) fn start_read(&self, buffer: &Buffer) -> Result<Readback> {
        self.flush()?;
        let size = 4 * buffer.len() as u64;
        let arrived = Arc::new(AtomicBool::new(false));
        if size == 0 {
            return Ok(Readback {
                staging: None,
                arrived,
            });
        }
        let staging = self.guarded("reading", || {
            let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
            let staging = create_buffer(&self.device, size, usage);
            let mut encoder = self
                .device
                .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            encoder.copy_buffer_to_buffer(
                gpu_buffer(buffer),
                4 * buffer.offset as u64,
                &staging,
                0,
                Some(size),
            );
            self.queue.submit([encoder.finish()]);
            let flag = Arc::clone(&arrived);
            staging.map_async(wgpu::MapMode::Read, .., move |result| {
                flag.store(result.is_ok(), Ordering::Release);
            });
            staging
        })?;
        Ok(Readback {
            staging: Some(staging),
            arrived,
        })
    }

    pub(crate) fn synchronize(&self) -> Result<()> {
        self.flush()?;
        self.wait()
    }

    fn wait(&self) -> Result<()> {
        // A device that is known to be lost must not be polled: wgpu panics there.
        self.check("waiting")?;
        let polled = self.device.poll(wgpu::PollType::wait_indefinitely());
        polled.map_err(|error| self.error("waiting", error.to_string()))?;
        self.check("waiting")
    }

    pub(crate) fn launch<P: Params>(
        &self,
        kernel: &Kernel<P>,
        params: &P,
        reads: &[&Buffer],
        writes: &[&Buffer],
        grid: Grid,
    ) -> Result<()> {
        let entry = kernel.variant.entry;
        let pipeline = self.pipeline::<P>(&kernel.variant)?;
        let mut recorder = lock(&self.recorder);
        if recorder.params_bytes.len() == PARAMS_SLOTS * PARAMS_STRIDE {
            self.finish_params(&mut recorder)?;
        }
        let offset = recorder.params_bytes.len();
        recorder
            .params_bytes
            .extend_from_slice(bytemuck::bytes_of(params));
        recorder.params_bytes.resize(offset + PARAMS_STRIDE, 0);
        let uniform = wgpu::BindGroupEntry {
            binding: 0,
            resource: binding(
                &recorder.params,
                offset,
                size_of::<P>().next_multiple_of(16),
            ),
        };
        let storages =
            reads
                .iter()
                .chain(writes)
                .zip(1..)
                .map(|(buffer, index)| wgpu::BindGroupEntry {
                    binding: index,
                    resource: binding(
                        gpu_buffer(buffer),
                        4 * buffer.offset,
                        4 * buffer.len().next_multiple_of(4),
                    ),
                });
        let entries: Vec<_> = std::iter::once(uniform).chain(storages).collect();
        let bind_group = self.guarded(entry, || {
            self.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(entry),
                layout: &pipeline.layout,
                entries: &entries,
            })
        })?;
        recorder.pending.push(Dispatch {
            entry,
            pipeline: pipeline.compute,
            bind_group,
            groups: grid.groups,
            _buffers: reads
                .iter()
                .chain(writes)
                .map(|&buffer| buffer.clone())
                .collect(),
        });
        Ok(())
    }

    fn pipeline<P: Params>(&self, variant: &Variant) -> Result<Pipeline> {
        let mut pipelines = lock(&self.pipelines);
        if let Some(pipeline) = pipelines.get(variant) {
            return Ok(pipeline.clone());
        }
        let compiled = self.guarded(variant.entry, || {
            pipeline::compile(&self.device, variant, P::FIELDS)
        })??;
        pipelines.insert(*variant, compiled.clone());
        Ok(compiled)
    }

    /// Submits what was launched and not yet submitted.
    fn flush(&self) -> Result<()> {
        let mut recorder = lock(&self.recorder);
        if recorder.capture.is_none() && !recorder.pending.is_empty() {
            self.finish_params(&mut recorder)?;
        }
        Ok(())
    }

    /// Makes room in the parameter buffer: by a submission, or while capturing by a further buffer.
    fn finish_params(&self, recorder: &mut Recorder) -> Result<()> {
        let bytes = std::mem::take(&mut recorder.params_bytes);
        self.guarded("parameters", || {
            self.queue.write_buffer(&recorder.params, 0, &bytes);
        })?;
        match &mut recorder.capture {
            Some(capture) => {
                let next = params_buffer(&self.device);
                capture
                    .full_params
                    .push(std::mem::replace(&mut recorder.params, next));
                Ok(())
            }
            None => self.replay(&std::mem::take(&mut recorder.pending)),
        }
    }

    /// Encodes and submits dispatches.
    pub(crate) fn replay(&self, dispatches: &[Dispatch]) -> Result<()> {
        self.guarded("submitting", || {
            let mut encoder = self
                .device
                .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            for dispatch in dispatches {
                let [x, y, z] = dispatch.groups;
                pass.set_pipeline(&dispatch.pipeline);
                pass.set_bind_group(0, &dispatch.bind_group, &[]);
                pass.dispatch_workgroups(x, y, z);
            }
            drop(pass);
            self.queue.submit([encoder.finish()]);
        })
    }

    pub(crate) fn begin_capture(&self) -> Result<()> {
        self.flush()?;
        let mut recorder = lock(&self.recorder);
        if recorder.capture.is_some() {
            return Err(Error::Capturing {
                action: "a second capture",
            });
        }
        recorder.capture = Some(Capture::default());
        Ok(())
    }

    pub(crate) fn end_capture(&self) -> Result<Recording> {
        let mut recorder = lock(&self.recorder);
        let finished = self.finish_params(&mut recorder);
        let dispatches = std::mem::take(&mut recorder.pending);
        let Capture { full_params, pool } = recorder.capture.take().unwrap_or_default();
        finished.map(|()| {
            let steps = Steps::Gpu {
                dispatches,
                _params: full_params,
            };
            Recording::new(steps, pool)
        })
    }
}

/// A copy on its way to the host.
#[derive(Debug)]
pub(crate) struct Readback {
    staging: Option<wgpu::Buffer>,
    arrived: Arc<AtomicBool>,
}

impl Readback {
    pub(crate) fn is_ready(&self, gpu: &GpuDevice) -> bool {
        let polled = gpu
            .lost
            .get()
            .is_none()
            .then(|| gpu.device.poll(wgpu::PollType::Poll));
        !matches!(polled, Some(Ok(_)))
            || self.staging.is_none()
            || self.arrived.load(Ordering::Acquire)
    }

    pub(crate) fn wait(self, gpu: &GpuDevice) -> Result<Vec<u8>> {
        let Some(staging) = self.staging else {
            return Ok(Vec::new());
        };
        if !self.arrived.load(Ordering::Acquire) {
            gpu.wait()?;
        }
        let range = staging
            .get_mapped_range(..)
            .map_err(|error| gpu.error("reading", error.to_string()))?;
        Ok(range.to_vec())
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

fn params_buffer(device: &wgpu::Device) -> wgpu::Buffer {
    let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
    create_buffer(device, (PARAMS_SLOTS * PARAMS_STRIDE) as u64, usage)
}

fn binding(buffer: &wgpu::Buffer, offset: usize, bytes: usize) -> wgpu::BindingResource<'_> {
    wgpu::BindingResource::Buffer(wgpu::BufferBinding {
        buffer,
        offset: offset as u64,
        size: NonZeroU64::new(bytes as u64),
    })
}

fn gpu_buffer(buffer: &Buffer) -> &wgpu::Buffer {
    match buffer.storage.memory() {
        Memory::Gpu(gpu) => gpu,
        Memory::Cpu(_) => unreachable!("launches and transfers refuse another device's buffers"),
    }
}
