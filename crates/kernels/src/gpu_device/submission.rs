//! Submissions: what is sent to the device at once, and what is waited for.

use super::staging;
use super::{GpuDevice, quiet};
use crate::buffer::lock;
use crate::error::{Error, Result};
use crate::faults::{Fault, Faults};

impl GpuDevice {
    /// Submits the copies that wait, and what `encode` adds, once few enough others are under way. Returns its number.
    pub(super) fn submit(
        &self,
        work: u64,
        encode: impl FnOnce(&mut wgpu::CommandEncoder),
    ) -> Result<u64> {
        loop {
            let first = lock(&self.in_flight).in_the_way(self.pace.most());
            let Some(first) = first else { break };
            self.wait_for(first)?;
        }
        // Held until it is sent: no other thread's work may overtake a copy that was meant for it.
        let mut staging = lock(&self.staging);
        let (chunks, copies) = staging.take();
        let index = self.guarded("submitting", || {
            staging::unmap(&chunks);
            let mut encoder = self
                .device
                .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            staging::encode(&mut encoder, &chunks, &copies);
            encode(&mut encoder);
            let index = self.queue().submit([encoder.finish()]);
            for chunk in chunks {
                chunk.recall(&staging.chunks);
            }
            index
        })?;
        let done = self
            .common
            .faults
            .as_ref()
            .map(|faults| faults.submitted(work));
        Ok(lock(&self.in_flight).push(index, work, done.unwrap_or_default()))
    }

    /// Waits until all that was launched is done.
    pub(crate) fn synchronize(&self) -> Result<()> {
        self.flush()?;
        // What was only written is on its way with this.
        self.submit(0, |_| {})?;
        self.wait()
    }

    /// Waits until all that was submitted is done.
    pub(super) fn wait(&self) -> Result<()> {
        let last = lock(&self.in_flight).last();
        self.wait_for(last)
    }

    /// Waits until a submission is done, whatever was submitted after it.
    pub(super) fn wait_for(&self, number: u64) -> Result<()> {
        // A device that is known to be lost must not be polled: wgpu panics there.
        self.check("waiting")?;
        let found = lock(&self.in_flight).find(number);
        let Some((index, done)) = found else {
            return Ok(());
        };
        self.poll(wgpu::PollType::Wait {
            submission_index: Some(index),
            timeout: None,
        })?;
        lock(&self.in_flight).finish(number);
        if let Some(faults) = &self.common.faults {
            faults.waited(done);
        }
        self.check("waiting")
    }

    /// Whether a simulated device would be done with a submission by now; true of any other.
    pub(super) fn has_passed(&self, number: u64) -> bool {
        let Some(now) = self.common.faults.as_ref().and_then(Faults::now) else {
            return true;
        };
        let found = lock(&self.in_flight).find(number);
        found.is_none_or(|(_, done)| done <= now)
    }

    /// Polls the device. A device that goes in the meantime makes wgpu panic, which becomes an error here.
    pub(super) fn poll(&self, how: wgpu::PollType) -> Result<()> {
        match self.wait_once(how) {
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(self.failure("waiting", error.to_string())),
            None => Err(self.gone()),
        }
    }

    /// Polls the device; `None` if wgpu has panicked.
    pub(super) fn wait_once(
        &self,
        how: wgpu::PollType,
    ) -> Option<Result<wgpu::PollStatus, wgpu::PollError>> {
        quiet::caught(|| {
            #[expect(
                clippy::panic,
                reason = "a test asks for wgpu's own panic, which is caught"
            )]
            if self.common.strikes(Fault::Wait) {
                panic!("as wgpu does when the device goes");
            }
            self.device.poll(how)
        })
    }

    /// The error of a device that went while it was polled.
    pub(super) fn gone(&self) -> Error {
        let message = "it went while being waited for".to_owned();
        Error::DeviceLost {
            device: self.common.name.clone(),
            message: self.lost.get_or_init(|| message).clone(),
        }
    }
}
