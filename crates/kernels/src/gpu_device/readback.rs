//! Copies from the device to the host.

use std::sync::{Arc, OnceLock};

use super::{GpuDevice, gpu_buffer};
use crate::buffer::Buffer;
use crate::error::Result;
use crate::faults::Fault;

/// A copy on its way to the host.
#[derive(Debug)]
pub(crate) struct Readback(Option<OnItsWay>);

#[derive(Debug)]
struct OnItsWay {
    staging: wgpu::Buffer,
    /// The submission that it is part of.
    submission: u64,
    mapped: Arc<OnceLock<std::result::Result<(), wgpu::BufferAsyncError>>>,
}

impl Readback {
    pub(crate) fn is_ready(&self, gpu: &GpuDevice) -> bool {
        let Self(Some(copy)) = self else { return true };
        let is_lost = gpu.lost.get().is_some();
        is_lost
            || gpu.poll(wgpu::PollType::Poll).is_err()
            || (copy.mapped.get().is_some() && gpu.has_passed(copy.submission))
    }

    /// The bytes, once the submission that copies them is done; later ones are not waited for.
    pub(crate) fn wait(self, gpu: &GpuDevice) -> Result<Vec<u8>> {
        let Self(Some(copy)) = self else {
            return Ok(Vec::new());
        };
        gpu.wait_for(copy.submission)?;
        if copy.mapped.get().is_none() {
            // Another thread has waited for it, before this one asked for the map.
            gpu.poll(wgpu::PollType::Poll)?;
        }
        match copy.mapped.get() {
            Some(Ok(())) => {}
            Some(Err(error)) => return Err(gpu.failure("reading", error.to_string())),
            None => return Err(gpu.failure("reading", "the copy did not arrive".to_owned())),
        }
        let range = copy.staging.get_mapped_range(..);
        let range = range.map_err(|error| gpu.failure("reading", error.to_string()))?;
        Ok(range.to_vec())
    }
}

impl GpuDevice {
    /// Starts to copy `buffer`, after what was launched before.
    pub(crate) fn start_read(&self, buffer: &Buffer) -> Result<Readback> {
        self.flush()?;
        if buffer.is_empty() {
            return Ok(Readback(None));
        }
        let (offset, bytes) = (buffer.start_bytes(), buffer.bytes().next_multiple_of(4));
        self.copy_back(0, |_| {}, gpu_buffer(buffer), offset..offset + bytes)
    }

    /// Submits what `encode` says and then a copy of this range of bytes to the host.
    pub(super) fn copy_back(
        &self,
        work: u64,
        encode: impl FnOnce(&mut wgpu::CommandEncoder),
        source: &wgpu::Buffer,
        range: std::ops::Range<u64>,
    ) -> Result<Readback> {
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let bytes = range.end - range.start;
        let staging = self.transfer_buffer(bytes, usage)?;
        let submission = self.submit(work, |encoder| {
            encode(encoder);
            encoder.copy_buffer_to_buffer(source, range.start, &staging, 0, Some(bytes));
        })?;
        let mapped = Arc::<OnceLock<_>>::default();
        let arrived = Arc::clone(&mapped);
        let fails = self.common.strikes(Fault::Reading);
        self.guarded("reading", || {
            if fails {
                staging.destroy();
            }
            staging.map_async(wgpu::MapMode::Read, .., move |result| {
                arrived.get_or_init(|| result);
            });
        })?;
        Ok(Readback(Some(OnItsWay {
            staging,
            submission,
            mapped,
        })))
    }
}
