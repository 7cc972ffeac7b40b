//! Working memory that a thread keeps between calls, so that a training step allocates nothing and touches no fresh
//! pages. Not for results.

use std::cell::RefCell;

/// A cache line, in floats: panels that begin on one never split a vector load.
const ALIGNMENT: usize = 16;

thread_local! {
    /// A stack, because a thread that waits inside one operator may be given a piece of another.
    static FREE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Calls `work` with `len` floats of unspecified content, aligned to a cache line.
pub(crate) fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut buffer = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
    if buffer.len() < len + ALIGNMENT {
        buffer.resize(len + ALIGNMENT, 0.0);
    }
    let skip = buffer
        .as_ptr()
        .align_offset(ALIGNMENT * size_of::<f32>())
        .min(ALIGNMENT);
    let result = work(&mut buffer[skip..skip + len]);
    FREE.with_borrow_mut(|free| free.push(buffer));
    result
}
