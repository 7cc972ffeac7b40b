//! The learning rate of a recipe: which [`Schedule`] it asks for, in a run of so many steps.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::schedule::{OneCycle, Schedule};

/// How the learning rate goes over a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleRecipe {
    /// Its course after the warm-up.
    pub kind: ScheduleKind,
    /// Steps in which the rate rises on a straight line from near zero.
    pub warmup_steps: usize,
    /// Step and multi-step: what the rate is multiplied by.
    pub gamma: f64,
    /// Step: epochs between two reductions.
    pub every_epochs: usize,
    /// Multi-step: the epochs, from 0, that begin with a reduction.
    pub milestones: Vec<usize>,
    /// Cosine: the rate at the end.
    pub minimum: f64,
}

/// The course of a learning rate.
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
    /// Half a cosine down to the minimum at the end of the run.
    Cosine,
    /// Up to the learning rate within the first third, far down by the end.
    OneCycle,
}

impl Default for ScheduleRecipe {
    fn default() -> Self {
        Self {
            kind: ScheduleKind::Constant,
            warmup_steps: 0,
            gamma: 0.1,
            every_epochs: 30,
            milestones: Vec::new(),
            minimum: 0.0,
        }
    }
}

impl ScheduleRecipe {
    /// The schedule of a run of `epochs` epochs of `steps` steps with the learning rate `base`.
    pub(crate) fn schedule(&self, base: f64, epochs: usize, steps: usize) -> Schedule {
        let all = epochs.saturating_mul(steps);
        let left = all.saturating_sub(self.warmup_steps).max(1);
        // Milestones count from the run's first step; the schedule after the warm-up counts from its own.
        let at = |epoch: usize| {
            epoch
                .saturating_mul(steps)
                .saturating_sub(self.warmup_steps)
        };
        let then = match self.kind {
            ScheduleKind::Constant => Schedule::Constant,
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
            ScheduleKind::OneCycle => Schedule::OneCycle(OneCycle {
                max_rate: base,
                steps: left,
                rising_share: 0.3,
                start_divisor: 25.0,
                end_divisor: 1e4,
                is_cosine: true,
                has_three_phases: false,
            }),
        };
        if self.warmup_steps == 0 {
            return then;
        }
        Schedule::Warmup {
            // The first step has a share of the rate too, not none.
            start: 1.0 / ratio(self.warmup_steps),
            warmup: self.warmup_steps,
            then: Box::new(then),
        }
    }

    /// An error if a number makes no sense.
    pub(crate) fn check(&self) -> Result<()> {
        for (setting, value) in [("gamma", self.gamma), ("minimum", self.minimum)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::setting(setting, "a number from 0 to 1", value));
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
mod tests {
    use super::*;

    #[test]
    fn rates_rise_and_fall_where_the_recipe_says() {
        let recipe = ScheduleRecipe {
            kind: ScheduleKind::MultiStep,
            warmup_steps: 10,
            milestones: vec![2, 3],
            ..ScheduleRecipe::default()
        };
        let schedule = recipe.schedule(1.0, 4, 20);
        for (step, rate) in [
            (0, 0.1),
            (5, 0.55),
            (10, 1.0),
            (39, 1.0),
            (40, 0.1),
            (60, 0.01),
        ] {
            assert!(
                (schedule.rate(1.0, step) - rate).abs() < 1e-12,
                "step {step}"
            );
        }
        let cosine = ScheduleRecipe {
            kind: ScheduleKind::Cosine,
            ..ScheduleRecipe::default()
        };
        let schedule = cosine.schedule(1.0, 4, 25);
        for (step, rate) in [(0, 1.0), (50, 0.5), (100, 0.0)] {
            assert!(
                (schedule.rate(1.0, step) - rate).abs() < 1e-12,
                "step {step}"
            );
        }
        let step = ScheduleRecipe {
            kind: ScheduleKind::Step,
            every_epochs: 2,
            ..ScheduleRecipe::default()
        };
        let schedule = step.schedule(1.0, 4, 10);
        for (step, rate) in [(0, 1.0), (19, 1.0), (20, 0.1), (39, 0.1)] {
            assert!(
                (schedule.rate(1.0, step) - rate).abs() < 1e-12,
                "step {step}"
            );
        }
    }
}
