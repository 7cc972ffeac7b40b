//! The learning rate of a recipe: which [`Schedule`] it asks for, in a run of so many steps.

use serde::{Deserialize, Serialize};

use super::{OneCycle, Plateau, PlateauState, Schedule};
use crate::error::{Error, Result};
use crate::recipe::Metric;
use crate::run::rows::Row;

/// The learning rate schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleRecipe {
    /// The schedule after the warm-up.
    pub kind: ScheduleKind,
    /// Steps of linear warm-up from near zero.
    pub warmup_steps: usize,
    /// Whether the schedule runs during the warm-up; if absent, cosines and the cycle begin after it, the others run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<WarmupKind>,
    /// Step and multi-step: what the rate is multiplied by.
    pub gamma: f64,
    /// Step: epochs between two reductions.
    pub every_epochs: usize,
    /// Multi-step: the epochs, from 0, that begin with a reduction.
    pub milestones: Vec<usize>,
    /// Inverse-time: the rate is divided by 1 plus this times the step.
    pub decay: f64,
    /// Cosine with restarts: epochs until the first.
    pub period_epochs: usize,
    /// Cosine with restarts: a period's length in lengths of the one before.
    pub period_factor: usize,
    /// Cosine: the rate at the end. Plateau: the least rate.
    pub minimum: f64,
    /// Triangle: the share of the learning rate at the run's first step.
    pub start: f64,
    /// Triangle: the share of the run's steps after which the whole rate is reached.
    pub peak: f64,
    /// Triangle: the share of the rate that it falls to by the end of the run.
    pub end: f64,
    /// Plateau: what must improve.
    pub metric: Metric,
    /// Plateau: what the rate is multiplied by.
    pub factor: f64,
    /// Plateau: epochs without an improvement that are let pass; the one after them reduces the rate (as PyTorch counts:
    /// Keras' patience is larger by one).
    pub patience: usize,
    /// Plateau: by how much the metric must improve to count.
    pub threshold: f64,
    /// Plateau: whether that is a share of the best or a difference.
    pub threshold_mode: ThresholdMode,
    /// Plateau: epochs after a reduction in which none is counted.
    pub cooldown: usize,
}

/// A learning rate schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ScheduleKind {
    /// Always the same.
    #[default]
    Constant,
    /// Times gamma every so many epochs.
    Step,
    /// Times gamma at each milestone.
    MultiStep,
    /// Cosine annealing to the minimum at the end of the run.
    Cosine,
    /// Cosine annealing with warm restarts.
    CosineRestarts,
    /// Divided by what grows with each step.
    InverseTime,
    /// Up to the learning rate within the first third, far down by the end.
    OneCycle,
    /// Up to the learning rate on a straight line, and down on another.
    Triangle,
    /// Times the factor when a metric has stopped improving.
    Plateau,
}

/// What a schedule does during the warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WarmupKind {
    /// It runs from the run's first step, and the warm-up's factor is on top of it.
    Chained,
    /// It begins when the warm-up is over.
    Before,
}

/// What the threshold of a plateau is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ThresholdMode {
    /// A share of the best value, as PyTorch has it by default.
    #[default]
    Relative,
    /// A difference from the best value, as Keras' `min_delta`.
    Absolute,
}

impl Default for ScheduleRecipe {
    fn default() -> Self {
        Self {
            kind: ScheduleKind::Constant,
            warmup_steps: 0,
            warmup: None,
            decay: 0.0,
            period_epochs: 10,
            period_factor: 1,
            gamma: 0.1,
            every_epochs: 30,
            milestones: Vec::new(),
            minimum: 0.0,
            start: 0.0,
            peak: 0.5,
            end: 0.0,
            metric: Metric::ValLoss,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_mode: ThresholdMode::Relative,
            cooldown: 0,
        }
    }
}

impl ScheduleRecipe {
    /// The schedule of a run of `epochs` epochs of `steps` steps with the learning rate `base`.
    pub(crate) fn schedule(&self, base: f64, epochs: usize, steps: usize) -> Schedule {
        let (warmup, is_chained) = (self.warmup_steps, self.is_chained());
        let course = self.course(base, epochs, steps);
        if warmup == 0 {
            return course;
        }
        // The first step has a share of the rate too, not none.
        let (start, course) = (1.0 / ratio(warmup), Box::new(course));
        if is_chained {
            Schedule::Chained {
                start,
                warmup,
                with: course,
            }
        } else {
            Schedule::Warmup {
                start,
                warmup,
                then: course,
            }
        }
    }

    /// Whether the schedule runs during the warm-up.
    fn is_chained(&self) -> bool {
        let is_cosine = matches!(
            self.kind,
            ScheduleKind::Cosine
                | ScheduleKind::CosineRestarts
                | ScheduleKind::OneCycle
                | ScheduleKind::Triangle
        );
        match self.warmup {
            Some(kind) => kind == WarmupKind::Chained,
            None => !is_cosine,
        }
    }

    /// The schedule without its warm-up.
    fn course(&self, base: f64, epochs: usize, steps: usize) -> Schedule {
        let all = epochs.saturating_mul(steps);
        // What ends with the run ends with it, whether it begins with it or after the warm-up.
        let left = if self.is_chained() {
            all.max(1)
        } else {
            all.saturating_sub(self.warmup_steps).max(1)
        };
        // Milestones count from the schedule's first step.
        let at = |epoch: usize| epoch.saturating_mul(steps);
        match self.kind {
            ScheduleKind::Constant | ScheduleKind::Plateau => Schedule::Constant,
            ScheduleKind::Step => Schedule::MultiStep {
                milestones: (1..epochs)
                    .filter(|epoch| epoch.is_multiple_of(self.every_epochs.max(1)))
                    .map(at)
                    .collect(),
                gamma: self.gamma,
            },
            ScheduleKind::MultiStep => Schedule::MultiStep {
                milestones: self.milestones.iter().map(|&epoch| at(epoch)).collect(),
                gamma: self.gamma,
            },
            ScheduleKind::Cosine => Schedule::Cosine {
                steps: left,
                minimum: self.minimum,
            },
            ScheduleKind::CosineRestarts => Schedule::CosineRestarts {
                period: at(self.period_epochs),
                factor: self.period_factor,
                minimum: self.minimum,
            },
            ScheduleKind::InverseTime => Schedule::InverseTime { decay: self.decay },
            ScheduleKind::Triangle => self.triangle(left),
            ScheduleKind::OneCycle => Schedule::OneCycle(OneCycle {
                max_rate: base,
                steps: left,
                rising_share: 0.3,
                start_divisor: 25.0,
                end_divisor: 1e4,
                is_cosine: true,
                has_three_phases: false,
            }),
        }
    }

    /// The triangle over so many steps: its first step has the start's rate, and the one after its last would have the end's.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a number of steps"
    )]
    fn triangle(&self, steps: usize) -> Schedule {
        let rising = (self.peak * ratio(steps)) as usize;
        Schedule::Warmup {
            start: self.start,
            warmup: rising,
            then: Box::new(Schedule::Linear {
                start: 1.0,
                end: self.end,
                steps: steps.saturating_sub(rising).max(1),
            }),
        }
    }

    /// The metric that it looks at, if it does.
    pub(crate) fn watched(&self) -> Option<Metric> {
        (self.kind == ScheduleKind::Plateau).then_some(self.metric)
    }

    /// What reduces the rate when the metric has stopped improving, if anything does.
    fn plateau(&self) -> Option<Plateau> {
        (self.kind == ScheduleKind::Plateau).then(|| Plateau {
            is_larger_better: self.metric.is_larger_better(),
            factor: self.factor,
            patience: self.patience,
            threshold: self.threshold,
            cooldown: self.cooldown,
            minimum: self.minimum,
            is_threshold_relative: self.threshold_mode == ThresholdMode::Relative,
            epsilon: 0.0,
        })
    }

    /// Where a plateau is after these epochs, from the rate `base`; none with another schedule.
    pub(crate) fn plateau_after(&self, base: f64, rows: &[Row]) -> Option<PlateauState> {
        let mut state = Some(self.plateau()?.start(base));
        for row in rows {
            self.observe(&mut state, row);
        }
        state
    }

    /// Takes an epoch into account; tells whether the rate was reduced.
    pub(crate) fn observe(&self, state: &mut Option<PlateauState>, row: &Row) -> bool {
        match (self.plateau(), state) {
            (Some(plateau), Some(state)) => {
                plateau.observe(state, self.metric.of(row).unwrap_or(f64::NAN))
            }
            _ => false,
        }
    }

    /// An error if a number makes no sense.
    pub(crate) fn check(&self) -> Result<()> {
        for (setting, value) in [
            ("schedule.gamma", self.gamma),
            ("schedule.minimum", self.minimum),
            ("schedule.start", self.start),
            ("schedule.peak", self.peak),
            ("schedule.end", self.end),
            ("schedule.factor", self.factor),
            ("schedule.threshold", self.threshold),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::setting(setting, "a number from 0 to 1", value));
            }
        }
        if !(0.0..f64::INFINITY).contains(&self.decay) {
            return Err(Error::setting(
                "schedule.decay",
                "a number from 0",
                self.decay,
            ));
        }
        for (setting, value) in [
            ("schedule.period_epochs", self.period_epochs),
            ("schedule.period_factor", self.period_factor),
        ] {
            if value == 0 {
                return Err(Error::setting(setting, "at least 1", value));
            }
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "steps are far below 2^52")]
fn ratio(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests;
