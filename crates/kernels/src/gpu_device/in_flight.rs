//! What was submitted and may not be done yet: few pieces, so that an interrupt is soon answered.

use std::collections::VecDeque;
use std::time::Duration;

/// Submissions that may be under way, however little work they hold.
const MOST: usize = 64;

/// Submissions in their order, each with its index in wgpu.
#[derive(Debug)]
pub(super) struct InFlight<Index> {
    submissions: VecDeque<Submission<Index>>,
    /// The number of the last one.
    last: u64,
}

#[derive(Debug)]
struct Submission<Index> {
    number: u64,
    index: Index,
    work: u64,
    /// When a simulated device is done with it.
    done: Duration,
}

impl<Index> Default for InFlight<Index> {
    fn default() -> Self {
        Self {
            submissions: VecDeque::new(),
            last: 0,
        }
    }
}

impl<Index: Clone> InFlight<Index> {
    /// Takes in a submission, and returns its number.
    pub(super) fn push(&mut self, index: Index, work: u64, done: Duration) -> u64 {
        self.last += 1;
        let number = self.last;
        self.submissions.push_back(Submission {
            number,
            index,
            work,
            done,
        });
        number
    }

    /// The submission to wait for before the next, if `most` is the work of the longest piece: one piece may always wait
    /// behind another, and more as long as all of them are shorter than that. So a step that takes more than half as long
    /// as a piece may is at most two steps ahead.
    pub(super) fn in_the_way(&self, most: u64) -> Option<u64> {
        let works = self.submissions.iter().map(|it| it.work);
        let work = works.fold(0, u64::saturating_add);
        let (n, first) = (self.submissions.len(), self.submissions.front()?);
        (n >= MOST || (n >= 2 && work >= most)).then_some(first.number)
    }

    /// The first that may not be done.
    pub(super) fn first(&self) -> Option<u64> {
        self.submissions.front().map(|first| first.number)
    }

    /// The last one's number; 0 before the first.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The index of a submission, and when a simulated device is done with it; `None` once it is known to be done.
    pub(super) fn find(&self, number: u64) -> Option<(Index, Duration)> {
        let found = self.submissions.iter().find(|it| it.number == number)?;
        Some((found.index.clone(), found.done))
    }

    /// Takes in that a submission is done, and so all before it.
    pub(super) fn finish(&mut self, number: u64) {
        while self.first().is_some_and(|first| first <= number) {
            self.submissions.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The most submissions of this much work each that are ever under way, where a piece holds at most 100.
    fn most_ahead(work: u64) -> usize {
        let mut under_way = InFlight::default();
        let mut most = 0;
        for _ in 0..1000 {
            while let Some(number) = under_way.in_the_way(100) {
                assert_eq!(under_way.first(), Some(number), "the oldest first");
                under_way.finish(number);
            }
            under_way.push((), work, Duration::ZERO);
            most = most.max(under_way.submissions.len());
        }
        most
    }

    #[test]
    fn two_long_steps_are_under_way_and_more_short_ones() {
        for (work, expected) in [
            (u64::MAX, 2),
            (100, 2),
            (51, 2),
            (50, 2),
            (49, 3),
            (10, 10),
            (1, MOST),
            (0, MOST),
        ] {
            assert_eq!(most_ahead(work), expected, "steps of {work}");
        }
    }

    #[test]
    fn what_is_done_is_found_no_more() {
        let mut under_way = InFlight::default();
        let numbers = ["a", "b", "c"].map(|index| under_way.push(index, 1, Duration::ZERO));
        under_way.finish(numbers[1]);
        assert_eq!(
            numbers.map(|n| under_way.find(n).map(|it| it.0)),
            [None, None, Some("c")]
        );
        assert_eq!((under_way.first(), under_way.last()), (Some(3), 3));
        under_way.finish(numbers[0]);
        assert_eq!(under_way.first(), Some(3), "done before");
    }
}
