//! Copies to the device: written into memory that both sides see, and made at the start of the next submission. That memory is
//! bounded and used again. wgpu's own (`Queue::write_buffer`) is neither, and loses the device where there is no room for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use super::GpuDevice;
use crate::buffer::{lock, size_class};
use crate::error::{Error, Result};

/// Bytes of a chunk that small copies share.
const SMALL_BYTES: u64 = 64 << 10;
/// Bytes of all chunks: two batches of 128 images of 256x256 and as many small copies as there are; more only where two
/// copies need more.
const MOST_BYTES: u64 = 64 << 20;
/// Copies begin at multiples of this many bytes, twice what mapping asks for.
const ALIGNMENT: u64 = 16;

/// Copies that wait for the next submission, and the memory of all.
#[derive(Debug, Default)]
pub(super) struct Staging {
    open: Vec<Chunk>,
    copies: Vec<Copy>,
    pub(super) chunks: Chunks,
}

/// The chunks that are mapped and free, and how many bytes all take. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunks {
    free: Arc<Mutex<Vec<Chunk>>>,
    held: Arc<AtomicU64>,
}

/// A buffer that is mapped, unless the device reads it.
#[derive(Debug)]
pub(super) struct Chunk {
    buffer: wgpu::Buffer,
    bytes: u64,
    used: u64,
    /// Whether another copy will be as long.
    is_kept: bool,
    held: Arc<AtomicU64>,
}

/// Bytes of the open chunk `chunk` on their way.
#[derive(Debug)]
pub(super) struct Copy {
    chunk: usize,
    from: u64,
    target: wgpu::Buffer,
    to: u64,
    bytes: u64,
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Chunk {
    fn has_room(&self, bytes: u64) -> bool {
        self.used + bytes <= self.bytes
    }

    /// Becomes free once the device has read it.
    pub(super) fn recall(mut self, chunks: &Chunks) {
        self.used = 0;
        let free = Arc::clone(&chunks.free);
        self.buffer
            .clone()
            .map_async(wgpu::MapMode::Write, .., move |mapped| {
                if mapped.is_ok() && self.is_kept {
                    lock(&free).push(self);
                }
            });
    }
}

impl Chunks {
    /// Bytes of all chunks.
    pub(super) fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Gives back those that are free.
    pub(super) fn trim(&self) {
        let free = std::mem::take(&mut *lock(&self.free));
        drop(free);
    }

    fn take(&self, bytes: u64) -> Option<Chunk> {
        let mut free = lock(&self.free);
        let at = free.iter().position(|chunk| chunk.bytes == bytes)?;
        Some(free.swap_remove(at))
    }
}

impl Staging {
    /// What is to be copied, and from where: the chunks are unmapped first and recalled after the submission.
    pub(super) fn take(&mut self) -> (Vec<Chunk>, Vec<Copy>) {
        let open = std::mem::take(&mut self.open);
        (open, std::mem::take(&mut self.copies))
    }

    /// The open chunk with room for this many bytes, if there is one or one is free.
    fn open_chunk(&mut self, bytes: u64, class: u64) -> Option<usize> {
        let open = self.open.iter().position(|chunk| chunk.has_room(bytes));
        open.or_else(|| {
            let chunk = self.chunks.take(class)?;
            self.open.push(chunk);
            Some(self.open.len() - 1)
        })
    }
}

/// Bytes of the chunk for a copy of this many.
fn chunk_bytes(bytes: u64) -> u64 {
    match usize::try_from(bytes / 4) {
        Ok(words) if bytes > SMALL_BYTES => 4 * size_class(words) as u64,
        _ => SMALL_BYTES,
    }
}

/// Whether another chunk may be made beside those that there are.
fn has_room(held: u64, chunk: u64) -> bool {
    held + chunk <= MOST_BYTES.max(2 * chunk)
}

/// The commands that make these copies.
pub(super) fn encode(encoder: &mut wgpu::CommandEncoder, chunks: &[Chunk], copies: &[Copy]) {
    for copy in copies {
        let source = &chunks[copy.chunk].buffer;
        encoder.copy_buffer_to_buffer(source, copy.from, &copy.target, copy.to, Some(copy.bytes));
    }
}

/// Ends the host's right to write into these chunks.
pub(super) fn unmap(chunks: &[Chunk]) {
    for chunk in chunks {
        chunk.buffer.unmap();
    }
}

impl GpuDevice {
    /// Copies `bytes`, padded with zeros to whole words, to `target` with the next submission. `is_kept` says that more
    /// copies as long as this one are to come.
    pub(super) fn stage(
        &self,
        target: &wgpu::Buffer,
        to: u64,
        bytes: &[u8],
        is_kept: bool,
    ) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let len = (bytes.len() as u64).next_multiple_of(4);
        let (mut staging, at) = self.open_chunk(len, is_kept)?;
        let chunk = &mut staging.open[at];
        let from = chunk.used;
        let view = chunk.buffer.get_mapped_range_mut(from..from + len);
        let mut view = view.map_err(|error| self.failure("writing", error.to_string()))?;
        view.slice(..bytes.len()).copy_from_slice(bytes);
        let pad = view.len() - bytes.len();
        view.slice(bytes.len()..).copy_from_slice(&[0; 3][..pad]);
        drop(view);
        chunk.used = (from + len).next_multiple_of(ALIGNMENT);
        staging.copies.push(Copy {
            chunk: at,
            from,
            target: target.clone(),
            to,
            bytes: len,
        });
        Ok(())
    }

    /// The copies that wait, and the open chunk that has room for one of `len` bytes. Waits for the device as long as
    /// others take too much.
    fn open_chunk(&self, len: u64, is_kept: bool) -> Result<(MutexGuard<'_, Staging>, usize)> {
        let class = chunk_bytes(len);
        let mut out_of_memory = None;
        loop {
            let mut staging = lock(&self.staging);
            if let Some(at) = staging.open_chunk(len, class) {
                return Ok((staging, at));
            }
            let is_over = |held| out_of_memory.is_some() || !has_room(held, class);
            if is_over(staging.chunks.held()) {
                staging.chunks.trim();
            }
            if is_over(staging.chunks.held()) {
                let waits = !staging.open.is_empty();
                let first = lock(&self.in_flight).first();
                if waits || first.is_some() {
                    drop(staging);
                    self.make_way(waits, first)?;
                    continue;
                }
            }
            let chunk = self.create_chunk(class, is_kept, &staging.chunks);
            match (chunk, out_of_memory.take()) {
                (Ok(chunk), _) => {
                    staging.open.push(chunk);
                    let at = staging.open.len() - 1;
                    return Ok((staging, at));
                }
                (Err(error @ Error::OutOfMemory { .. }), None) => out_of_memory = Some(error),
                (Err(error), _) => return Err(error),
            }
        }
    }

    /// Sends copies that wait, or waits for what was sent first.
    fn make_way(&self, waits: bool, first: Option<u64>) -> Result<()> {
        match first {
            Some(first) => self.wait_for(first),
            None if waits => self.submit(0, |_| {}).map(drop),
            None => Ok(()),
        }
    }

    fn create_chunk(&self, bytes: u64, is_kept: bool, chunks: &Chunks) -> Result<Chunk> {
        let usage = wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC;
        let buffer = self.transfer_buffer(bytes, usage)?;
        chunks.held.fetch_add(bytes, Ordering::Relaxed);
        Ok(Chunk {
            buffer,
            bytes,
            used: 0,
            is_kept: is_kept || bytes == SMALL_BYTES,
            held: Arc::clone(&chunks.held),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_batches_are_under_way_however_large_they_are() {
        let most = |chunk: u64| {
            let mut held = 0;
            while has_room(held, chunk) {
                held += chunk;
            }
            held / chunk
        };
        assert_eq!(chunk_bytes(128 * 256 * 256 * 3), 24 << 20, "128 photos");
        assert_eq!(most(24 << 20), 2);
        assert_eq!(most(1 << 30), 2, "however large");
        assert_eq!(most(SMALL_BYTES), 1024);
        for (bytes, chunk) in [
            (4, SMALL_BYTES),
            (SMALL_BYTES, SMALL_BYTES),
            (65_540, 73_728),
        ] {
            assert_eq!(chunk_bytes(bytes), chunk, "{bytes}");
        }
    }
}
