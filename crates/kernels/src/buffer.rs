//! Device memory: buffers, and the pool that hands them out again.
//!
//! A [`Buffer`] is a counted reference to a storage, or to a window of one. When the last reference goes, the storage
//! returns to its pool, so that a training step allocates nothing after its first time. Buffers have no shape, and of
//! their elements only the width: operators check lengths, `tensor` keeps shapes and types.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};

use crate::error::{Error, Result};

/// Windows start at multiples of this many 32-bit words, or of twice as many elements of 16 bits: 256 bytes, the strictest
/// offset alignment WebGPU allows a device.
pub const WINDOW_ALIGNMENT: usize = 64;

/// How wide a buffer's elements are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Width {
    /// 32 bits: floats, words, and bytes by fours.
    #[default]
    Word,
    /// 16 bits: floats, on a GPU whose shaders take them (see [`crate::Device::has_f16`]).
    F16,
}

impl Width {
    /// Bytes of an element.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Word => 4,
            Self::F16 => 2,
        }
    }

    /// Windows start at multiples of this many elements.
    pub(crate) const fn alignment(self) -> usize {
        4 * WINDOW_ALIGNMENT / self.bytes()
    }

    /// 32-bit words that hold `len` elements.
    pub(crate) const fn words(self, len: usize) -> usize {
        len.div_ceil(4 / self.bytes())
    }
}

impl std::fmt::Display for Width {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-bit elements", 8 * self.bytes())
    }
}

/// Words are kept in cache lines, so that every storage starts at a 64-byte boundary.
#[repr(C, align(64))]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(crate) struct Line([f32; 16]);

/// Where the words are.
#[derive(Debug)]
pub(crate) enum Memory {
    Cpu(RwLock<Vec<Line>>),
    Gpu(wgpu::Buffer),
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Bytes that a device's buffers hold, those in its pools included.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    pub(crate) held: AtomicU64,
    pub(crate) peak: AtomicU64,
}

/// Memory that is counted while it exists.
#[derive(Debug)]
pub(crate) struct Allocation {
    memory: Memory,
    bytes: u64,
    usage: Arc<Usage>,
}

impl Allocation {
    pub(crate) fn new(memory: Memory, bytes: u64, usage: &Arc<Usage>) -> Self {
        let held = usage.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        usage.peak.fetch_max(held, Ordering::Relaxed);
        Self {
            memory,
            bytes,
            usage: Arc::clone(usage),
        }
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        self.usage.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// One allocation in use. Returns its memory to the pool when dropped.
#[derive(Debug)]
pub(crate) struct Storage {
    memory: Option<Allocation>,
    words: usize,
    pool: Weak<Pool>,
    /// Which device it belongs to.
    pub(crate) device: u64,
}

impl Storage {
    pub(crate) fn memory(&self) -> &Memory {
        let allocation = self.memory.as_ref().expect("memory leaves only in drop");
        &allocation.memory
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        if let (Some(memory), Some(pool)) = (self.memory.take(), self.pool.upgrade()) {
            lock(&pool.free).entry(self.words).or_default().push(memory);
        }
    }
}

/// A counted reference to device memory: `len` elements of 32 bits, or of 16.
#[derive(Clone, Debug)]
pub struct Buffer {
    pub(crate) storage: Arc<Storage>,
    /// Where it starts, in elements.
    pub(crate) offset: usize,
    len: usize,
    width: Width,
}

impl Buffer {
    pub(crate) fn new(storage: Storage, len: usize, width: Width) -> Self {
        Self {
            storage: Arc::new(storage),
            offset: 0,
            len,
            width,
        }
    }

    /// Length in elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// How wide its elements are.
    #[must_use]
    pub fn width(&self) -> Width {
        self.width
    }

    /// Length in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.len as u64 * self.width.bytes() as u64
    }

    /// Where it starts in its storage, in bytes.
    pub(crate) fn start_bytes(&self) -> u64 {
        self.offset as u64 * self.width.bytes() as u64
    }

    /// Whether it has no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The window `range` (in elements) of this buffer, sharing its memory.
    ///
    /// # Errors
    /// If the range lies outside of the buffer or does not start where windows may ([`WINDOW_ALIGNMENT`]).
    pub fn slice(&self, range: Range<usize>) -> Result<Self> {
        if range.start > range.end
            || range.end > self.len
            || !range.start.is_multiple_of(self.width.alignment())
        {
            let expected = format!(
                "within 0..{} from a multiple of {}",
                self.len,
                self.width.alignment()
            );
            return Err(Error::argument(
                "slice",
                "range",
                expected,
                format!("{range:?}"),
            ));
        }
        Ok(Self {
            storage: Arc::clone(&self.storage),
            offset: self.offset + range.start,
            len: range.len(),
            width: self.width,
        })
    }

    /// Whether both lie in one allocation (which one dispatch can't read and write).
    #[must_use]
    pub fn shares_storage(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.storage, &other.storage)
    }
}

/// Memory that was freed, by size class, and what is held in all.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    free: Mutex<BTreeMap<usize, Vec<Allocation>>>,
}

impl Pool {
    /// A storage of at least `words` words: a freed one of that class, or a new one from `create`.
    pub(crate) fn take(
        self: &Arc<Self>,
        words: usize,
        device: u64,
        create: impl FnOnce(usize) -> Result<Allocation>,
    ) -> Result<Storage> {
        let words = size_class(words);
        let freed = lock(&self.free).get_mut(&words).and_then(Vec::pop);
        let memory = match freed {
            Some(memory) => memory,
            None => create(words)?,
        };
        Ok(Storage {
            memory: Some(memory),
            words,
            pool: Arc::downgrade(self),
            device,
        })
    }

    /// Gives back what is free.
    pub(crate) fn trim(&self) {
        lock(&self.free).clear();
    }
}

/// New, zeroed memory on the CPU; `None` if there is none left.
pub(crate) fn cpu_memory(words: usize) -> Option<Memory> {
    let (mut lines, n) = (Vec::new(), words.div_ceil(16));
    lines.try_reserve_exact(n).ok()?;
    lines.resize(n, Line([0.0; 16]));
    Some(Memory::Cpu(RwLock::new(lines)))
}

/// Bytes that a buffer of `words` words takes, rounding of the pool included.
#[must_use]
pub fn allocated_bytes(words: usize) -> u64 {
    4 * size_class(words) as u64
}

/// Rounds up to one of eight sizes per power of two, so that near sizes share memory and at most an eighth is wasted.
pub(crate) fn size_class(words: usize) -> usize {
    let words = words.max(WINDOW_ALIGNMENT);
    let step = (words.next_power_of_two() / 16).max(WINDOW_ALIGNMENT);
    words.next_multiple_of(step)
}

/// Locks, whoever panicked while holding it: what these locks guard is valid between statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes_hold_the_request_and_waste_an_eighth_at_most() {
        for words in [
            0,
            1,
            63,
            64,
            65,
            1000,
            4097,
            1 << 20,
            (1 << 20) + 1,
            37_748_736,
        ] {
            let class = size_class(words);
            assert!(
                class >= words && class.is_multiple_of(WINDOW_ALIGNMENT),
                "{words} -> {class}"
            );
            assert!(
                class <= words.max(64) + (words / 8).max(64),
                "{words} -> {class}"
            );
        }
    }

    #[test]
    fn freed_memory_is_handed_out_again_until_trimmed() {
        let (pool, usage) = (Arc::new(Pool::default()), Arc::new(Usage::default()));
        let memory = |words| cpu_memory(words).unwrap();
        let create = |words| Ok(Allocation::new(memory(words), 4 * words as u64, &usage));
        drop(pool.take(1000, 0, create).unwrap());
        let again = pool
            .take(1001, 0, |_| panic!("the freed one fits"))
            .unwrap();
        drop(again);
        assert_eq!(
            usage.held.load(Ordering::Relaxed),
            4 * 1024,
            "the class of 1000 words"
        );
        pool.trim();
        assert_eq!(
            usage.held.load(Ordering::Relaxed),
            0,
            "nothing is held after a trim"
        );
    }
}
