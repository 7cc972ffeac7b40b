//! Dispatches: bound to their buffers, kept until a submission or a recording, and submitted together.

use std::num::NonZeroU64;
use std::thread;

use shaders::Variant;

use super::{GpuDevice, Recorder, gpu_buffer, pace};
use crate::buffer::{Buffer, Width, lock};
use crate::error::Result;
use crate::faults::Faults;
use crate::kernel::{Kernel, Params};
use crate::pipeline::{self, Pipeline};
use crate::profile::Cost;
use crate::recorder::Dispatch;

/// Distance between parameter structs in a parameter buffer: WebGPU's largest offset alignment.
const PARAMS_STRIDE: usize = 256;
/// Parameter structs in one buffer, and so dispatches in one submission outside of a capture.
const PARAMS_SLOTS: usize = 256;

/// Dispatches with the buffer that their parameters will be written to.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) pending: Vec<Dispatch>,
    pub(super) params: wgpu::Buffer,
    params_bytes: Vec<u8>,
}

impl Batch {
    /// An empty one, whose parameters go into a [`GpuDevice::params_buffer`].
    pub(super) fn new(params: wgpu::Buffer) -> Self {
        Self {
            pending: Vec::new(),
            params,
            params_bytes: Vec::new(),
        }
    }

    fn is_full(&self) -> bool {
        self.params_bytes.len() == PARAMS_SLOTS * PARAMS_STRIDE
    }

    /// Keeps `params` for the next write and returns the binding of the place they will have.
    fn push_params<P: Params>(&mut self, params: &P) -> wgpu::BindingResource<'_> {
        let offset = self.params_bytes.len();
        self.params_bytes
            .extend_from_slice(bytemuck::bytes_of(params));
        self.params_bytes.resize(offset + PARAMS_STRIDE, 0);
        let bytes = size_of::<P>().next_multiple_of(16);
        binding(&self.params, offset as u64, bytes as u64)
    }
}

impl GpuDevice {
    pub(crate) fn launch<P: Params>(
        &self,
        kernel: &Kernel<P>,
        params: &P,
        [reads, writes]: [&[&Buffer]; 2],
        groups: [u32; 3],
        cost: Cost,
    ) -> Result<()> {
        let entry = kernel.variant.entry;
        let widths: Vec<Width> = reads.iter().chain(writes).map(|b| b.width()).collect();
        let variant = kernel.variant.f16(widths.contains(&Width::F16));
        let pipeline = self.pipeline::<P>(&variant)?;
        pipeline.check_widths(entry, &widths)?;
        let mut recorder = lock(&self.recorder);
        let Recorder { eager, captures } = &mut *recorder;
        let batch = match captures.get_mut(&thread::current().id()) {
            Some(capture) if capture.batch.is_full() => {
                self.keep_params(capture)?;
                &mut capture.batch
            }
            Some(capture) => &mut capture.batch,
            None => {
                if eager.is_none() {
                    *eager = Some(Batch::new(self.params_buffer()?));
                }
                let eager = eager.as_mut().expect("it is there by now");
                if eager.is_full() {
                    self.submit_batch(eager)?;
                }
                eager
            }
        };
        let uniform = wgpu::BindGroupEntry {
            binding: 0,
            resource: batch.push_params(params),
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
                        buffer.start_bytes(),
                        buffer.bytes().next_multiple_of(16),
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
        let scale = self.common.faults.as_ref().map_or(1, Faults::scale);
        batch.pending.push(Dispatch {
            cost: cost.times(scale),
            pipeline: pipeline.compute,
            bind_group,
            groups,
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

    pub(crate) fn compiled(&self) -> Vec<Variant> {
        lock(&self.pipelines).keys().copied().collect()
    }

    /// Submits what was launched and not yet submitted.
    pub(super) fn flush(&self) -> Result<()> {
        match &mut lock(&self.recorder).eager {
            Some(eager) => self.submit_batch(eager),
            None => Ok(()),
        }
    }

    fn submit_batch(&self, batch: &mut Batch) -> Result<()> {
        if batch.pending.is_empty() {
            return Ok(());
        }
        self.write_params(batch)?;
        self.run(&std::mem::take(&mut batch.pending))
    }

    pub(super) fn write_params(&self, batch: &mut Batch) -> Result<()> {
        let bytes = std::mem::take(&mut batch.params_bytes);
        self.stage(&batch.params, 0, &bytes, true)
    }

    pub(super) fn params_buffer(&self) -> Result<wgpu::Buffer> {
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        self.transfer_buffer((PARAMS_SLOTS * PARAMS_STRIDE) as u64, usage)
    }

    /// Runs a recorded step, after what was launched before.
    pub(crate) fn replay(&self, dispatches: &[Dispatch]) -> Result<()> {
        self.flush()?;
        self.run(dispatches)
    }

    /// Whether these dispatches take over 50 ms, by the speed that the device has shown.
    pub(crate) fn is_long(&self, dispatches: &[Dispatch]) -> bool {
        self.pace.is_long(pace::work(dispatches))
    }

    /// Encodes and submits dispatches, in pieces that the device finishes soon.
    fn run(&self, dispatches: &[Dispatch]) -> Result<()> {
        if self.common.profiler.is_on()
            && self
                .device
                .features()
                .contains(wgpu::Features::TIMESTAMP_QUERY)
        {
            return self.replay_profiled(dispatches);
        }
        for piece in pace::pieces(dispatches, self.pace.most()) {
            let work = pace::work(piece);
            if self.pace.wants(work) {
                self.wait()?;
                let start = self.now();
                self.submit_piece(piece, work)?;
                self.wait()?;
                self.pace.learn(work, self.now().saturating_sub(start));
            } else {
                self.submit_piece(piece, work)?;
            }
        }
        Ok(())
    }

    fn submit_piece(&self, dispatches: &[Dispatch], work: u64) -> Result<()> {
        let record = |encoder: &mut wgpu::CommandEncoder| {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            for dispatch in dispatches {
                encode(&mut pass, dispatch);
            }
        };
        self.submit(work, record).map(drop)
    }
}

pub(super) fn encode(pass: &mut wgpu::ComputePass<'_>, dispatch: &Dispatch) {
    let [x, y, z] = dispatch.groups;
    pass.set_pipeline(&dispatch.pipeline);
    pass.set_bind_group(0, &dispatch.bind_group, &[]);
    pass.dispatch_workgroups(x, y, z);
}

fn binding(buffer: &wgpu::Buffer, offset: u64, bytes: u64) -> wgpu::BindingResource<'_> {
    wgpu::BindingResource::Buffer(wgpu::BufferBinding {
        buffer,
        offset,
        size: NonZeroU64::new(bytes),
    })
}
