//! Copies between the host and a device's buffers.

use std::sync::Arc;

use super::Device;
use crate::buffer::{Buffer, Width};
use crate::error::{Error, Result};
use crate::gpu_device::Readback;

impl Device {
    /// A new buffer with a copy of `data`, whose elements are 32 bits wide or narrower (the last word is zero-padded).
    ///
    /// While a step is captured the data become part of it: a constant of its every replay.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], or [`Error::DeviceLost`].
    pub fn upload<T: bytemuck::Pod>(&self, data: &[T]) -> Result<Buffer> {
        let bytes: &[u8] = bytemuck::cast_slice(data);
        let words = bytes.len().div_ceil(4);
        // Constants of a captured step get memory of their own, which no other buffer of the step may reuse.
        let pool = if self.is_capturing() {
            Arc::default()
        } else {
            self.pool()
        };
        let storage = pool.take(words, self.common().id, |class| self.create(class))?;
        let buffer = Buffer::new(storage, words, Width::Word);
        match self {
            Self::Cpu(cpu) => cpu.write(&buffer, bytes),
            Self::Gpu(gpu) => gpu.write(&buffer, bytes, false)?,
            Self::Dry(_) => {}
        }
        Ok(buffer)
    }

    /// Overwrites the start of `buffer` with `data`, after all that was launched before.
    ///
    /// # Errors
    /// If `data` is longer than the buffer, the buffer is another device's, or a step is being captured.
    pub fn write<T: bytemuck::Pod>(&self, buffer: &Buffer, data: &[T]) -> Result<()> {
        self.check_transfer(buffer, "write")?;
        let bytes: &[u8] = bytemuck::cast_slice(data);
        if bytes.len() as u64 > buffer.bytes() {
            let expected = format!("at most {} bytes", buffer.bytes());
            return Err(Error::argument(
                "write",
                "data",
                expected,
                bytes.len().to_string(),
            ));
        }
        match self {
            Self::Cpu(cpu) => cpu.write(buffer, bytes),
            Self::Gpu(gpu) => gpu.write(buffer, bytes, true)?,
            Self::Dry(_) => {}
        }
        Ok(())
    }

    /// The contents of `buffer` as `T` (32 bits wide or narrower), once all that was launched before is done.
    ///
    /// # Errors
    /// If the buffer is another device's, a step is being captured, or the device is lost.
    pub fn read<T: bytemuck::Pod>(&self, buffer: &Buffer) -> Result<Vec<T>> {
        self.read_later(buffer)?.wait(self)
    }

    /// Starts to copy `buffer` to the host without waiting for it.
    ///
    /// # Errors
    /// As [`Device::read`].
    pub fn read_later(&self, buffer: &Buffer) -> Result<PendingRead> {
        self.check_transfer(buffer, "read")?;
        match self {
            Self::Cpu(cpu) => Ok(PendingRead(Pending::Ready(cpu.read(buffer)))),
            Self::Gpu(gpu) => Ok(PendingRead(Pending::Mapped(gpu.start_read(buffer)?))),
            Self::Dry(_) => {
                let bytes = buffer.width().words(buffer.len()) * 4;
                Ok(PendingRead(Pending::Ready(vec![0; bytes])))
            }
        }
    }

    fn check_transfer(&self, buffer: &Buffer, action: &'static str) -> Result<()> {
        if self.is_capturing() {
            return Err(Error::Capturing { action });
        }
        if buffer.storage.device != self.common().id {
            return Err(Error::ForeignBuffer { kernel: action });
        }
        Ok(())
    }
}

/// A copy to the host that may not have arrived yet.
#[derive(Debug)]
pub struct PendingRead(Pending);

#[derive(Debug)]
enum Pending {
    Ready(Vec<u8>),
    Mapped(Readback),
}

impl PendingRead {
    /// Whether [`PendingRead::wait`] would return at once.
    #[must_use]
    pub fn is_ready(&self, device: &Device) -> bool {
        match (&self.0, device) {
            (Pending::Mapped(readback), Device::Gpu(gpu)) => readback.is_ready(gpu),
            _ => true,
        }
    }

    /// The words, once they are here.
    ///
    /// # Errors
    /// If the device is lost, or `T` does not divide the bytes.
    pub fn wait<T: bytemuck::Pod>(self, device: &Device) -> Result<Vec<T>> {
        let bytes = match (self.0, device) {
            (Pending::Ready(bytes), _) => bytes,
            (Pending::Mapped(readback), Device::Gpu(gpu)) => readback.wait(gpu)?,
            (Pending::Mapped(_), Device::Cpu(_) | Device::Dry(_)) => {
                return Err(Error::ForeignBuffer { kernel: "read" });
            }
        };
        if bytes.len() % size_of::<T>() != 0 {
            let expected = format!("a multiple of {} bytes", size_of::<T>());
            return Err(Error::argument(
                "read",
                "buffer",
                expected,
                bytes.len().to_string(),
            ));
        }
        Ok(bytemuck::pod_collect_to_vec(&bytes))
    }
}
