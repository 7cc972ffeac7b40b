//! Copies from the device to the host.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{GpuDevice, create_buffer, gpu_buffer};
use crate::buffer::Buffer;
use crate::error::Result;

/// A copy on its way to the host.
#[derive(Debug)]
pub(crate) struct Readback {
    staging: Option<wgpu::Buffer>,
    arrived: Arc<AtomicBool>,
}

impl Readback {
    pub(crate) fn is_ready(&self, gpu: &GpuDevice) -> bool {
        let is_lost = gpu.lost.get().is_some();
        is_lost
            || gpu.poll(wgpu::PollType::Poll).is_err()
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

impl GpuDevice {
    /// Starts to copy `buffer`, after what was launched before.
    pub(crate) fn start_read(&self, buffer: &Buffer) -> Result<Readback> {
        self.flush()?;
        if buffer.is_empty() {
            return Ok(Readback {
                staging: None,
                arrived: Arc::default(),
            });
        }
        self.guarded("reading", || {
            let encoder = self
                .device
                .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            let (offset, bytes) = (buffer.start_bytes(), buffer.bytes().next_multiple_of(4));
            self.copy_back(encoder, gpu_buffer(buffer), offset, bytes)
        })
    }

    /// Ends `encoder` with a copy to the host and submits it.
    pub(super) fn copy_back(
        &self,
        mut encoder: wgpu::CommandEncoder,
        source: &wgpu::Buffer,
        offset: u64,
        bytes: u64,
    ) -> Readback {
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let staging = create_buffer(&self.device, bytes, usage);
        encoder.copy_buffer_to_buffer(source, offset, &staging, 0, Some(bytes));
        self.queue.submit([encoder.finish()]);
        let arrived = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&arrived);
        staging.map_async(wgpu::MapMode::Read, .., move |result| {
            flag.store(result.is_ok(), Ordering::Release);
        });
        Readback {
            staging: Some(staging),
            arrived,
        }
    }
}
