//! How much processor other programs took while something was measured: on a busy machine no figure means much.

use std::fs;
use std::time::Instant;

/// Ticks of the processors' clocks in /proc: `USER_HZ`, 100 on every Linux.
const TICKS_PER_S: f64 = 100.0;

/// A moment, and what the processors had done by then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Processors {
    at: Instant,
    /// Seconds that all processors were busy, and of those the ones of this process and its finished children.
    /// `None` where the system does not tell.
    busy_and_own_s: Option<[f64; 2]>,
}

impl Processors {
    pub(super) fn now() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        Self {
            at: Instant::now(),
            busy_and_own_s: busy_s(&stat).and_then(|busy| Some([busy, own_s(&own)?])),
        }
    }

    /// Processors that other programs kept busy since then, on average.
    pub(super) fn taken_by_others(&self) -> Option<f64> {
        let now = Self::now();
        let ([busy, own], [busy_then, own_then]) = (now.busy_and_own_s?, self.busy_and_own_s?);
        let elapsed = (now.at - self.at).as_secs_f64().max(1e-9);
        Some((((busy - busy_then) - (own - own_then)) / elapsed).max(0.0))
    }
}

/// user, nice, system, irq and softirq of the first line, which is the sum of all processors.
fn busy_s(stat: &str) -> Option<f64> {
    let ticks = numbers(stat.lines().next()?.strip_prefix("cpu ")?);
    let busy = [0, 1, 2, 5, 6].map(|idx: usize| ticks.get(idx).copied());
    Some(busy.into_iter().sum::<Option<f64>>()? / TICKS_PER_S)
}

/// utime, stime, cutime and cstime, which follow the name in brackets and eleven fields more.
fn own_s(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let (_, fields) = fields.trim_start().split_once(' ')?; // the state, a letter
    let ticks = numbers(fields);
    Some(ticks.get(10..14)?.iter().sum::<f64>() / TICKS_PER_S)
}

fn numbers(text: &str) -> Vec<f64> {
    text.split_whitespace()
        .map_while(|word| word.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_proc_are_found() {
        let stat = "cpu  100 20 30 4000 7 5 6 9 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
        assert_eq!(busy_s(stat), Some(1.61), "100 + 20 + 30 + 5 + 6 ticks");
        let own = "42 (a (strange) name) R 1 2 3 4 5 6 7 8 9 10 100 20 3 4 20 0 1";
        assert_eq!(own_s(own), Some(1.27), "100 + 20 + 3 + 4 ticks");
        assert_eq!(busy_s(""), None);
        assert_eq!(own_s("42 (short) R 1 2"), None);
    }
}
