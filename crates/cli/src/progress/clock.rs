//! Where the time of a command went, as its events tell: each ends what began with the one before.

use std::time::{Duration, Instant};

/// What a run spends time on, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Starting,
    Training,
    Evaluating,
    Saving,
    Drawing,
}

const NAMES: [&str; 5] = [
    "starting",
    "training",
    "evaluating",
    "saving",
    "drawing plots and the report",
];

/// All the time since it was made, by stage.
#[derive(Debug)]
pub(super) struct Clock {
    last: Instant,
    spent: [Duration; NAMES.len()],
}

impl Clock {
    pub(super) fn new() -> Self {
        Self {
            last: Instant::now(),
            spent: [Duration::ZERO; NAMES.len()],
        }
    }

    /// A part of a stage is done.
    pub(super) fn done(&mut self, stage: Stage) {
        let now = Instant::now();
        self.spent[stage as usize] += now - self.last;
        self.last = now;
    }

    /// The time in all and by stage, in seconds.
    pub(super) fn line(&self) -> String {
        told(self.spent)
    }
}

fn told(spent: [Duration; NAMES.len()]) -> String {
    let parts = spent.iter().zip(NAMES).filter(|(time, _)| !time.is_zero());
    let parts: Vec<_> = parts
        .map(|(time, name)| format!("{:.1} {name}", time.as_secs_f64()))
        .collect();
    let all: Duration = spent.iter().sum();
    format!("{:.1} s in all: {}", all.as_secs_f64(), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_all_of_the_time() {
        let spent = [500, 9250, 2000, 0, 3250].map(Duration::from_millis);
        assert_eq!(
            told(spent),
            "15.0 s in all: 0.5 starting, 9.2 training, 2.0 evaluating, 3.2 drawing plots and the report"
        );
        let mut clock = Clock::new();
        let begun = clock.last;
        for stage in [Stage::Starting, Stage::Training, Stage::Training] {
            clock.done(stage);
        }
        assert_eq!(clock.spent.iter().sum::<Duration>(), clock.last - begun);
    }
}
