//! One budget of memory for all images that are decoded at the same time, on however many threads: each decode takes its
//! declared need from it first, and waits while others hold too much. Large images then go one after another, where small
//! ones go side by side.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes that all decodes together may take unless told otherwise: any image of at most 67 million pixels with alpha and
/// 16 bits a channel fits (8 bytes a pixel decoded, 4 and 3 more while it becomes 8 bits and RGB), one at a time.
pub const DECODE_BYTES: u64 = 1 << 30;

/// What is taken, in the order of asking.
struct Taken {
    bytes: u64,
    next_ticket: u64,
    serving: u64,
}

static TAKEN: Mutex<Taken> = Mutex::new(Taken {
    bytes: 0,
    next_ticket: 0,
    serving: 0,
});
static GIVEN_BACK: Condvar = Condvar::new();

fn taken() -> MutexGuard<'static, Taken> {
    // Numbers are whole whatever panicked beside them.
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of the budget, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    bytes: u64,
}

impl Reservation {
    /// Takes `bytes`, as soon as all that is taken stays within `budget`; waits for it, behind those who asked before.
    /// `None` for more than the whole budget. Who holds a reservation must not ask for another: two who do wait for ever.
    pub(crate) fn take(bytes: u64, budget: u64) -> Option<Self> {
        if bytes > budget {
            return None;
        }
        let mut taken = taken();
        let ticket = taken.next_ticket;
        taken.next_ticket += 1;
        while taken.serving != ticket || taken.bytes + bytes > budget {
            taken = GIVEN_BACK
                .wait(taken)
                .unwrap_or_else(PoisonError::into_inner);
        }
        taken.bytes += bytes;
        taken.serving += 1;
        drop(taken);
        // The next in line may fit as well.
        GIVEN_BACK.notify_all();
        Some(Self { bytes })
    }

    /// Makes it one of `bytes`, if that needs no waiting; says whether it did.
    pub(crate) fn grow(&mut self, bytes: u64, budget: u64) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let mut taken = taken();
        if taken.bytes + more > budget || taken.serving != taken.next_ticket {
            return false;
        }
        taken.bytes += more;
        self.bytes += more;
        true
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        taken().bytes -= self.bytes;
        GIVEN_BACK.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn all_threads_together_stay_within_the_budget() {
        // Far above what other tests of this process take meanwhile.
        let budget = 1 << 50;
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                let (now, most) = (&now, &most);
                scope.spawn(move || {
                    for turn in 0..50 {
                        let bytes = (budget / 8) * (1 + (thread + turn) % 6);
                        let held = Reservation::take(bytes, budget).unwrap();
                        let sum = now.fetch_add(bytes, Ordering::SeqCst) + bytes;
                        most.fetch_max(sum, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(bytes, Ordering::SeqCst);
                        drop(held);
                    }
                });
            }
        });
        assert!(most.into_inner() <= budget);
        assert!(Reservation::take(budget + 1, budget).is_none());
        let mut held = Reservation::take(1, budget).unwrap();
        assert!(!held.grow(budget + 1, budget), "refused, not waited for");
    }
}
