//! How much work one submission may hold. An operating system resets a GPU that does not answer for a while (Windows: two
//! seconds) and a screen stands still meanwhile, so a long step goes to the device in pieces.
//!
//! Where a step is cut changes no bit of its result: dispatches run in the same order, and memory is whole between
//! submissions as it is between dispatches.

use std::sync::Mutex;
use std::time::Duration;

use crate::buffer::lock;
use crate::recorder::Dispatch;

/// How long a submission may take, a twentieth of what Windows allows.
const LONGEST_S: f64 = 0.1;
/// Work of one submission while the device's speed is not known: 0.1 s of a device of 0.2 TFLOP/s.
const FIRST_WORK: u64 = 20_000_000_000;
/// The least work of a submission: below, submitting costs more than it helps.
const LEAST_WORK: u64 = 500_000_000;
/// The least work that is timed: launching must not count.
const TIMED_WORK: u64 = FIRST_WORK / 4;
/// Floating-point operations that take as long as a byte of memory traffic: 10 to 20 on GPUs of all sizes (an H100: 67
/// TFLOP/s by 3.35 TB/s is 20, an integrated Iris Xe: 2.1 TFLOP/s by 68 GB/s is 31).
const WORK_PER_BYTE: u64 = 20;

/// What a device has shown of its speed.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<State>);

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// Nothing long has run: pipelines are compiled in the first pass, so its time says nothing.
    #[default]
    Cold,
    Warm,
    /// The work that one submission may hold.
    Known(u64),
}

impl Pace {
    /// A pace that allows exactly this work in a submission.
    pub(super) fn fixed(work: u64) -> Self {
        Self(Mutex::new(State::Known(work)))
    }

    /// The most work of a submission.
    pub(super) fn most(&self) -> u64 {
        match *lock(&self.0) {
            State::Known(most) => most,
            State::Cold | State::Warm => FIRST_WORK,
        }
    }

    /// Whether this much work takes more than half of what a submission may, as far as the speed is known.
    pub(super) fn is_long(&self, work: u64) -> bool {
        match *lock(&self.0) {
            State::Known(most) => work > most / 2,
            State::Cold | State::Warm => false,
        }
    }

    /// Whether the next submission of this much work should be timed.
    pub(super) fn wants(&self, work: u64) -> bool {
        if work < TIMED_WORK {
            return false;
        }
        let mut state = lock(&self.0);
        match *state {
            State::Known(_) => false,
            State::Warm => true,
            State::Cold => {
                *state = State::Warm;
                false
            }
        }
    }

    /// Takes in how long work that was submitted alone has taken.
    pub(super) fn learn(&self, work: u64, time: Duration) {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate of a positive number; the cast saturates"
        )]
        let most = (work as f64 * LONGEST_S / time.as_secs_f64().max(1e-9)) as u64;
        *lock(&self.0) = State::Known(most.max(LEAST_WORK));
    }
}

/// The work of a dispatch, in floating-point operations or what takes as long.
fn work_of(dispatch: &Dispatch) -> u64 {
    let traffic = dispatch.cost.bytes.saturating_mul(WORK_PER_BYTE);
    dispatch.cost.flops.max(traffic)
}

/// The work of these dispatches.
pub(super) fn work(dispatches: &[Dispatch]) -> u64 {
    dispatches.iter().map(work_of).fold(0, u64::saturating_add)
}

/// Dispatches in pieces of at most this work, or of one dispatch.
pub(super) fn pieces(dispatches: &[Dispatch], most: u64) -> Vec<&[Dispatch]> {
    let works: Vec<u64> = dispatches.iter().map(work_of).collect();
    let mut rest = dispatches;
    lengths(&works, most)
        .into_iter()
        .map(|length| {
            let (piece, others) = rest.split_at(length);
            rest = others;
            piece
        })
        .collect()
}

/// The lengths of the shortest row of pieces, none of which is over `most` unless it is a single item.
fn lengths(works: &[u64], most: u64) -> Vec<usize> {
    let (mut lengths, mut sum) = (Vec::new(), 0_u64);
    for &work in works {
        let next = sum.saturating_add(work);
        match lengths.last_mut() {
            Some(length) if next <= most => (*length, sum) = (*length + 1, next),
            _ => {
                lengths.push(1);
                sum = work;
            }
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hold_as_much_as_they_may_and_lose_nothing() {
        for (works, most, expected) in [
            (&[][..], 10, &[][..]),
            (&[1, 2, 3], 10, &[3]),
            (&[5, 5, 1], 10, &[2, 1]),
            (&[50, 1, 50], 10, &[1, 1, 1]),
            (&[0, 0, 11, 0], 10, &[2, 1, 1]),
            (&[1, 1], 0, &[1, 1]),
            (&[u64::MAX, u64::MAX], 10, &[1, 1]),
        ] {
            assert_eq!(lengths(works, most), expected, "{works:?} by {most}");
        }
    }

    #[test]
    fn the_second_long_piece_sets_the_pace() {
        let pace = Pace::default();
        assert!(!pace.is_long(u64::MAX), "nothing is known");
        assert!(!pace.wants(TIMED_WORK - 1), "too short to be timed");
        assert!(!pace.wants(TIMED_WORK), "pipelines are compiled");
        assert!(pace.wants(TIMED_WORK));
        // 20 GFLOP in two seconds: a tenth of a second is 1 GFLOP.
        pace.learn(20_000_000_000, Duration::from_secs(2));
        assert_eq!(pace.most(), 1_000_000_000);
        assert!(pace.is_long(500_000_001) && !pace.is_long(500_000_000));
        assert!(!pace.wants(u64::MAX), "once is enough");
        pace.learn(1_000_000, Duration::from_secs(2));
        assert_eq!(pace.most(), LEAST_WORK);
    }
}
