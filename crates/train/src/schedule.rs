//! Learning rates over a run. The formulas are PyTorch's, in f64; what a step is (an optimizer step or an epoch) is the
//! caller's choice. Not for applying them: the trainer writes a rate into the step's scalars.

mod recipe;
#[cfg(test)]
mod tests;

use std::f64::consts::PI;

pub use recipe::{ScheduleKind, ScheduleRecipe, ThresholdMode, WarmupKind};
use serde::{Deserialize, Serialize};

/// How the learning rate follows from the step `t = 0, 1, …` alone.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Schedule {
    /// The base rate, always.
    #[default]
    Constant,
    /// Times `gamma` every `every` steps.
    Step {
        /// Steps between two reductions.
        every: usize,
        /// Factor of each.
        gamma: f64,
    },
    /// Times `gamma` at each milestone; one that is listed twice counts twice.
    MultiStep {
        /// The steps at which the rate falls.
        milestones: Vec<usize>,
        /// Factor of each.
        gamma: f64,
    },
    /// Times `gamma` at every step.
    Exponential {
        /// Factor of each.
        gamma: f64,
    },
    /// Falls to 0 in `steps` steps as `(1 - t / steps)^power`.
    Polynomial {
        /// Steps until 0.
        steps: usize,
        /// The exponent; 1 is a straight line.
        power: f64,
    },
    /// Half a cosine from the base rate down to `minimum` in `steps` steps, and up again after them (Loshchilov 2017,
    /// without restarts).
    Cosine {
        /// Steps until the minimum.
        steps: usize,
        /// The least rate.
        minimum: f64,
    },
    /// The base rate divided by `1 + decay t`: Keras' `InverseTimeDecay` with one decay step, and what the `decay` of its old
    /// optimizers does.
    InverseTime {
        /// How fast it falls.
        decay: f64,
    },
    /// Half a cosine from the base rate down to `minimum`, over and over: the first in `period` steps, each one after it in
    /// `factor` times as many as the one before (Loshchilov and Hutter 2017, equation 5; PyTorch's
    /// `CosineAnnealingWarmRestarts`).
    CosineRestarts {
        /// Steps until the first restart.
        period: usize,
        /// The growth of a period to the next.
        factor: usize,
        /// The least rate.
        minimum: f64,
    },
    /// Up to a maximum and far down again within the run (Smith and Topin 2017). The base rate plays no part.
    OneCycle(OneCycle),
    /// From `start` to `end` times the base rate on a straight line over `steps` steps, then `end` times it.
    Linear {
        /// Factor at step 0.
        start: f64,
        /// Factor from step `steps` on.
        end: f64,
        /// Steps in between.
        steps: usize,
    },
    /// `factor` times the base rate before step `steps`, then the base rate.
    Until {
        /// The factor.
        factor: f64,
        /// Steps that have it.
        steps: usize,
    },
    /// `warmup` steps on a straight line from `start` times the rate to the whole rate of another schedule, which runs
    /// from the first step on (PyTorch's `ChainedScheduler` of `LinearLR` and the other). What falls due during the warm-up
    /// falls then and not before.
    Chained {
        /// Factor at step 0.
        start: f64,
        /// Steps until the full rate.
        warmup: usize,
        /// The other schedule.
        with: Box<Self>,
    },
    /// `warmup` steps on a straight line from `start` times the rate that `then` begins with, then `then` from its
    /// own step 0 (PyTorch's `SequentialLR`).
    Warmup {
        /// Factor at step 0.
        start: f64,
        /// Steps until the full rate.
        warmup: usize,
        /// What follows.
        then: Box<Self>,
    },
}

/// The shape of [`Schedule::OneCycle`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycle {
    /// The highest rate.
    pub max_rate: f64,
    /// Steps in the run.
    pub steps: usize,
    /// Share of the steps in which the rate rises.
    pub rising_share: f64,
    /// The run starts at `max_rate / start_divisor`.
    pub start_divisor: f64,
    /// It ends at the start's rate divided by this.
    pub end_divisor: f64,
    /// Whether the ways are half cosines rather than straight lines.
    pub is_cosine: bool,
    /// Whether the rate first falls as it rose, and only then to its end.
    pub has_three_phases: bool,
}

impl Schedule {
    /// The rate of step `t`, counted from 0.
    ///
    /// ```
    /// use train::schedule::Schedule;
    ///
    /// let cosine = Schedule::Cosine { steps: 100, minimum: 0.0 };
    /// let schedule = Schedule::Warmup { start: 0.1, warmup: 10, then: Box::new(cosine) };
    /// let rates = [0, 10, 60].map(|step| schedule.rate(0.5, step));
    /// assert!(rates.iter().zip([0.05, 0.5, 0.25]).all(|(rate, expected)| (rate - expected).abs() < 1e-9));
    /// ```
    #[must_use]
    pub fn rate(&self, base: f64, t: usize) -> f64 {
        match self {
            Self::Constant => base,
            Self::Step { every, gamma } => base * power(*gamma, t / (*every).max(1)),
            Self::MultiStep { milestones, gamma } => {
                let passed = milestones.iter().filter(|&&at| at <= t).count();
                base * power(*gamma, passed)
            }
            Self::Exponential { gamma } => base * power(*gamma, t),
            Self::Polynomial { steps, power } => base * libm::pow(1.0 - share(t, *steps), *power),
            Self::Cosine { steps, minimum } => {
                let turn = t as f64 / (*steps).max(1) as f64;
                minimum + (base - minimum) * (1.0 + libm::cos(PI * turn)) / 2.0
            }
            Self::InverseTime { decay } => base / (1.0 + decay * t as f64),
            Self::CosineRestarts {
                period,
                factor,
                minimum,
            } => {
                let (since, length) = since_restart(t, (*period).max(1), (*factor).max(1));
                let turn = since as f64 / length as f64;
                minimum + (base - minimum) * (1.0 + libm::cos(PI * turn)) / 2.0
            }
            Self::OneCycle(cycle) => cycle.rate(t),
            Self::Linear { start, end, steps } => base * (start + (end - start) * share(t, *steps)),
            Self::Until { factor, steps } => base * if t < *steps { *factor } else { 1.0 },
            Self::Chained {
                start,
                warmup,
                with,
            } => {
                let rate = with.rate(base, t);
                if t < *warmup {
                    rate * (start + (1.0 - start) * share(t, *warmup))
                } else {
                    rate
                }
            }
            Self::Warmup {
                start,
                warmup,
                then,
            } => {
                if t < *warmup {
                    then.rate(base, 0) * (start + (1.0 - start) * share(t, *warmup))
                } else {
                    then.rate(base, t - warmup)
                }
            }
        }
    }
}

impl OneCycle {
    fn rate(&self, t: usize) -> f64 {
        let start = self.max_rate / self.start_divisor;
        let end = start / self.end_divisor;
        let steps = self.steps as f64;
        let peak = self.rising_share * steps - 1.0;
        let two = [
            (peak, start, self.max_rate),
            (steps - 1.0, self.max_rate, end),
        ];
        let three = [
            (peak, start, self.max_rate),
            (2.0 * self.rising_share * steps - 2.0, self.max_rate, start),
            (steps - 1.0, start, end),
        ];
        let phases = if self.has_three_phases {
            &three[..]
        } else {
            &two[..]
        };
        let (t, mut begin) = (t as f64, 0.0);
        for (i, &(until, from, to)) in phases.iter().enumerate() {
            if t <= until || i + 1 == phases.len() {
                let way = if until > begin {
                    (t - begin) / (until - begin)
                } else {
                    1.0
                };
                return if self.is_cosine {
                    to + (from - to) / 2.0 * (1.0 + libm::cos(PI * way))
                } else {
                    from + (to - from) * way
                };
            }
            begin = until;
        }
        end
    }
}

/// Steps since the last restart, and the steps of the period that it began.
fn since_restart(t: usize, period: usize, factor: usize) -> (usize, usize) {
    if factor == 1 {
        return (t % period, period);
    }
    let (mut since, mut length) = (t, period);
    while since >= length {
        since -= length;
        length = length.saturating_mul(factor);
    }
    (since, length)
}

/// `min(t / steps, 1)`.
fn share(t: usize, steps: usize) -> f64 {
    if t >= steps {
        1.0
    } else {
        t as f64 / steps as f64
    }
}

fn power(base: f64, exponent: usize) -> f64 {
    libm::pow(base, exponent as f64)
}

/// Reduces the rate when a metric has stopped improving.
///
/// ```
/// use train::schedule::Plateau;
///
/// let plateau = Plateau { patience: 1, factor: 0.5, ..Plateau::default() };
/// let mut state = plateau.start(0.1);
/// let reduced = [0.9, 0.8, 0.85, 0.81].map(|loss| plateau.observe(&mut state, loss));
/// assert_eq!((reduced, state.rate), ([false, false, false, true], 0.05));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Plateau {
    /// Whether a larger metric is better (accuracy) rather than a smaller one (loss).
    pub is_larger_better: bool,
    /// Factor of each reduction.
    pub factor: f64,
    /// Observations without an improvement that are let pass.
    pub patience: usize,
    /// By how much the metric must be better than the best to count.
    pub threshold: f64,
    /// Whether the threshold is a share of the best rather than a difference.
    pub is_threshold_relative: bool,
    /// Observations after a reduction in which none is counted.
    pub cooldown: usize,
    /// The least rate.
    pub minimum: f64,
    /// A reduction by less than this is not made.
    pub epsilon: f64,
}

impl Default for Plateau {
    /// PyTorch's defaults, for a loss.
    fn default() -> Self {
        Self {
            is_larger_better: false,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            is_threshold_relative: true,
            cooldown: 0,
            minimum: 0.0,
            epsilon: 1e-8,
        }
    }
}

/// Where a [`Plateau`] is: kept in checkpoints, with its numbers as texts, as JSON has no infinity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlateauState {
    /// The current rate.
    #[serde(with = "crate::exact")]
    pub rate: f64,
    /// The best metric so far; an infinity before the first.
    #[serde(with = "crate::exact")]
    pub best: f64,
    /// Observations in a row without an improvement.
    pub bad: usize,
    /// Observations that are left of a cooldown.
    pub cooling: usize,
}

impl Plateau {
    /// The state before the first observation.
    #[must_use]
    pub fn start(&self, rate: f64) -> PlateauState {
        let worst = if self.is_larger_better {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
        PlateauState {
            rate,
            best: worst,
            bad: 0,
            cooling: 0,
        }
    }

    /// Whether `metric` counts as better than `best`.
    #[must_use]
    pub fn is_better(&self, metric: f64, best: f64) -> bool {
        // Minus infinity is not a loss, and would stay the best forever.
        if !metric.is_finite() {
            return false;
        }
        match (self.is_larger_better, self.is_threshold_relative) {
            (false, true) => metric < best * (1.0 - self.threshold),
            (false, false) => metric < best - self.threshold,
            (true, true) => metric > best * (1.0 + self.threshold),
            (true, false) => metric > best + self.threshold,
        }
    }

    /// Takes a new metric into account; returns whether the rate was reduced.
    pub fn observe(&self, state: &mut PlateauState, metric: f64) -> bool {
        if self.is_better(metric, state.best) {
            (state.best, state.bad) = (metric, 0);
        } else {
            state.bad += 1;
        }
        if state.cooling > 0 {
            (state.cooling, state.bad) = (state.cooling - 1, 0);
        }
        if state.bad <= self.patience {
            return false;
        }
        (state.cooling, state.bad) = (self.cooldown, 0);
        let reduced = (state.rate * self.factor).max(self.minimum);
        let is_reduced = state.rate - reduced > self.epsilon;
        if is_reduced {
            state.rate = reduced;
        }
        is_reduced
    }
}
