//! Faults for tests: a device that goes, an allocation, a read-back or a wait that fails, at the moment that a test names; and
//! a device whose speed is made up and whose time is counted instead of waited for. Nothing of it is at work unless a device is
//! opened by [`Device::open_with_faults`](crate::Device::open_with_faults).

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::buffer::lock;
use crate::error::{Error, Result};

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A GPU is destroyed before a call of the graphics interface: from then on nothing arrives, and no call says so.
    Lost,
    /// There is no room for a buffer, be it memory of a tensor, parameters, or a copy to or from the host.
    Allocation,
    /// A copy to the host can't be mapped.
    Reading,
    /// A wait ends in the panic that wgpu raises when a device goes meanwhile.
    Wait,
}

const KINDS: [(Fault, &str); 4] = [
    (Fault::Lost, "lost"),
    (Fault::Allocation, "allocation"),
    (Fault::Reading, "reading"),
    (Fault::Wait, "wait"),
];

/// What goes wrong with a device, and a count of the occasions. Clones are the same.
#[derive(Clone, Default)]
pub struct Faults(Arc<State>);

#[derive(Default)]
struct State {
    /// The fault, and the number, from 1, of the occasion that it takes.
    planned: Mutex<Option<(Fault, u64)>>,
    occasions: [AtomicU64; KINDS.len()],
    simulation: Option<Simulation>,
    on_submission: Option<OnSubmission>,
}

type OnSubmission = Box<dyn Fn(Duration) + Send + Sync>;

/// A device that takes as long for its work as is said, by a clock of its own.
struct Simulation {
    flops_per_s: f64,
    /// How much more work each launch is said to be.
    scale: u64,
    clock: Mutex<Clock>,
}

#[derive(Clone, Copy, Default)]
struct Clock {
    now: Duration,
    work: u64,
    /// When the device is done with all that was submitted.
    done: Duration,
}

impl Faults {
    /// One that strikes at occasion `number`, from 1, of its kind.
    #[must_use]
    pub fn at(fault: Fault, number: u64) -> Self {
        let faults = Self::default();
        faults.plan(fault, number);
        faults
    }

    /// Has a fault strike at occasion `number` of its kind from now on, from 1.
    pub fn plan(&self, fault: Fault, number: u64) {
        *lock(&self.0.planned) = Some((fault, self.occasions(fault) + number));
    }

    /// None, on a GPU that does `flops_per_s` by a clock of its own, and whose every launch counts for `scale` times its work.
    /// `on_submission` hears the time of each submission.
    #[must_use]
    pub fn simulated(
        flops_per_s: f64,
        scale: u64,
        on_submission: impl Fn(Duration) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(State {
            simulation: Some(Simulation {
                flops_per_s,
                scale,
                clock: Mutex::default(),
            }),
            on_submission: Some(Box::new(on_submission)),
            ..State::default()
        }))
    }

    /// What `ALEXNET_FAULT` asks for, in a program that was built with debug assertions: the tests' own.
    pub(crate) fn of_environment() -> Result<Option<Self>> {
        if !cfg!(debug_assertions) {
            return Ok(None);
        }
        let text = std::env::var("ALEXNET_FAULT").ok();
        text.map(|text| text.parse()).transpose()
    }

    /// Occasions of a fault so far.
    #[must_use]
    pub fn occasions(&self, fault: Fault) -> u64 {
        self.0.occasions[fault as usize].load(Ordering::Relaxed)
    }

    /// Counts an occasion, and says whether it is the one.
    pub(crate) fn strikes(&self, fault: Fault) -> bool {
        let number = 1 + self.0.occasions[fault as usize].fetch_add(1, Ordering::Relaxed);
        *lock(&self.0.planned) == Some((fault, number))
    }

    /// Work that was submitted to a simulated device, in floating-point operations or what takes as long.
    #[must_use]
    pub fn work(&self) -> Option<u64> {
        let simulation = self.0.simulation.as_ref()?;
        Some(lock(&simulation.clock).work)
    }

    /// How much more work than it is a launch is said to be.
    pub(crate) fn scale(&self) -> u64 {
        self.0.simulation.as_ref().map_or(1, |it| it.scale)
    }

    /// The time by a simulated device's clock.
    #[must_use]
    pub fn now(&self) -> Option<Duration> {
        let simulation = self.0.simulation.as_ref()?;
        Some(lock(&simulation.clock).now)
    }

    /// Takes in a submission of this much work, and says when a simulated device will be done with it.
    pub(crate) fn submitted(&self, work: u64) -> Duration {
        let (mut now, mut done) = (Duration::ZERO, Duration::ZERO);
        if let Some(simulation) = &self.0.simulation {
            let clock = &mut *lock(&simulation.clock);
            let seconds = work as f64 / simulation.flops_per_s;
            clock.done = clock.done.max(clock.now) + Duration::from_secs_f64(seconds);
            clock.work += work;
            (now, done) = (clock.now, clock.done);
        }
        if let Some(call) = &self.0.on_submission {
            call(now);
        }
        done
    }

    /// Takes in that the host has waited until then.
    pub(crate) fn waited(&self, until: Duration) {
        if let Some(simulation) = &self.0.simulation {
            let clock = &mut *lock(&simulation.clock);
            clock.now = clock.now.max(until);
        }
    }
}

impl FromStr for Faults {
    type Err = Error;

    /// `lost:17`, `allocation:3`, `reading:2` or `wait:5`.
    fn from_str(text: &str) -> Result<Self> {
        let parsed = text.split_once(':').and_then(|(kind, number)| {
            let (fault, _) = KINDS.into_iter().find(|(_, name)| *name == kind)?;
            Some(Self::at(fault, number.parse().ok()?))
        });
        parsed.ok_or_else(|| {
            let expected = "lost:N, allocation:N, reading:N or wait:N";
            Error::argument("device", "ALEXNET_FAULT", expected, text)
        })
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let occasions = KINDS.map(|(fault, name)| (name, self.occasions(fault)));
        f.debug_struct("Faults")
            .field("planned", &*lock(&self.0.planned))
            .field("occasions", &occasions)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_once_and_only_its_own_kind() {
        let faults: Faults = "reading:2".parse().unwrap();
        assert!(!faults.strikes(Fault::Wait) && !faults.strikes(Fault::Wait));
        let struck: Vec<_> = (0..4).map(|_| faults.strikes(Fault::Reading)).collect();
        assert_eq!(struck, [false, true, false, false]);
        assert_eq!(faults.occasions(Fault::Reading), 4);
        faults.plan(Fault::Reading, 1);
        assert!(faults.strikes(Fault::Reading) && !faults.strikes(Fault::Reading));
        for text in ["", "lost", "lost:", "lost:x", "other:1"] {
            let message = text.parse::<Faults>().unwrap_err().to_string();
            assert!(message.contains("ALEXNET_FAULT"), "{message}");
        }
    }

    #[test]
    fn a_simulated_device_does_one_submission_after_the_other() {
        let faults = Faults::simulated(1e9, 1, |_| {});
        let [first, second] = [
            faults.submitted(2_000_000_000),
            faults.submitted(1_000_000_000),
        ];
        assert_eq!([first, second], [2, 3].map(Duration::from_secs));
        faults.waited(first);
        assert_eq!(
            faults.now(),
            Some(first),
            "only what was waited for has passed"
        );
        faults.waited(second);
        faults.waited(first);
        assert_eq!(faults.now(), Some(second), "time does not go back");
    }
}
