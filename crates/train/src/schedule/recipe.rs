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
    /// Step and multi-step: what the rate is multiplied by.
    pub gamma: f64,
    /// Step: epochs between two reductions.
    pub every_epochs: usize,
    /// Multi-step: the epochs, from 0, that begin with a reduction.
    pub milestones: Vec<usize>,
    /// Cosine: the rate at the end. Plateau: the least rate.
    pub minimum: f64,
    /// Plateau: what must improve.
    pub metric: Metric,
    /// Plateau: what the rate is multiplied by.
    pub factor: f64,
    /// Plateau: epochs without an improvement that are let pass; the one after them reduces the rate (as PyTorch counts:
    /// Keras' patience is larger by one).
    pub patience: usize,
    /// Plateau: the share of the best by which the metric must improve to count.
    pub threshold: f64,
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
    /// Up to the learning rate within the first third, far down by the end.
    OneCycle,
    /// Times the factor when a metric has stopped improving.
    Plateau,
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
            metric: Metric::ValLoss,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            cooldown: 0,
        }
    }
}

impl ScheduleRecipe {
    /// The schedule of a run of `epochs` epochs of `steps` steps with the learning rate `base`.
    pub(crate) fn schedule(&self, base: f64, epochs: usize, steps: usize) -> Schedule {
        let all = epochs.saturating_mul(steps);
        let left = all.saturating_sub(self.warmup_steps).max(1);
        // Milestones count from the run's first step.
        let at = |epoch: usize| epoch.saturating_mul(steps);
        let course = match self.kind {
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
        let warmup = self.warmup_steps;
        if warmup == 0 {
            return course;
        }
        // The first step has a share of the rate too, not none.
        let start = 1.0 / ratio(warmup);
        match course {
            // These take up what the warm-up leaves of the run.
            Schedule::Cosine { .. } | Schedule::OneCycle(_) => Schedule::Warmup {
                start,
                warmup,
                then: Box::new(course),
            },
            course => Schedule::Chained {
                start,
                warmup,
                with: Box::new(course),
            },
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
            is_threshold_relative: true,
            epsilon: 0.0,
        })
    }

    /// Where a plateau is after these epochs, from the rate `base`; none with another schedule.
    pub(crate) fn plateau_after(&self, base: f64, rows: &[Row]) -> Option<PlateauState> {
        let mut state = Some(self.plateau()?.start(base));
        rows.iter().for_each(|row| self.observe(&mut state, row));
        state
    }

    /// Takes an epoch into account.
    pub(crate) fn observe(&self, state: &mut Option<PlateauState>, row: &Row) {
        if let (Some(plateau), Some(state)) = (self.plateau(), state) {
            plateau.observe(state, self.metric.of(row).unwrap_or(f64::NAN));
        }
    }

    /// An error if a number makes no sense.
    pub(crate) fn check(&self) -> Result<()> {
        for (setting, value) in [
            ("schedule.gamma", self.gamma),
            ("schedule.minimum", self.minimum),
            ("schedule.factor", self.factor),
            ("schedule.threshold", self.threshold),
        ] {
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
    fn a_plateau_lowers_the_base_and_the_warm_up_stays() {
        let recipe = ScheduleRecipe {
            kind: ScheduleKind::Plateau,
            warmup_steps: 10,
            patience: 1,
            factor: 0.5,
            minimum: 0.3,
            ..ScheduleRecipe::default()
        };
        let row = |val_loss| Row {
            epoch: 1,
            step: 1,
            lr: 1.0,
            train_loss: 1.0,
            train_accuracy: 0.5,
            val_loss: Some(val_loss),
            val_accuracy: None,
            val_top5: None,
            images_per_s: 1.0,
            data_wait_fraction: 0.0,
            seconds: 1.0,
        };
        let rows = [0.9, 0.8, 0.8, 0.81, 0.7, 0.7, 0.7, 0.7, 0.7].map(row);
        let rates: Vec<f64> = (0..=rows.len())
            .map(|n| recipe.plateau_after(1.0, &rows[..n]).unwrap().rate)
            .collect();
        assert_eq!(rates, [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3]);
        let schedule = recipe.schedule(1.0, 4, 20);
        assert_eq!(schedule.rate(0.5, 30), 0.5, "after the warm-up");
        assert!((schedule.rate(0.5, 5) - 0.275).abs() < 1e-12, "within it");
        let constant = ScheduleRecipe::default();
        let none = constant.plateau_after(1.0, &rows);
        assert_eq!(none, None, "others do not look");
    }

    /// PyTorch 2's rates: `ChainedScheduler([LinearLR(o, 1 / w, 1, w), MultiStepLR(o, milestones, 0.1)])`, stepped once a
    /// step. By hand: at step t the ramp is `1 / w + (1 - 1 / w) t / w`, times 0.1 for each milestone up to t.
    #[test]
    fn a_milestone_within_the_warm_up_reduces_once_and_when_it_is_due() {
        let mut recipe = ScheduleRecipe {
            kind: ScheduleKind::MultiStep,
            warmup_steps: 10,
            milestones: vec![1, 2],
            ..ScheduleRecipe::default()
        };
        // Epochs of 4 steps: milestones at 4 and 8, within the ten of the warm-up.
        let rates = [
            0.1, 0.19, 0.28, 0.37, 0.046, 0.055, 0.064, 0.073, 0.0082, 0.0091, 0.01, 0.01,
        ];
        let check = |recipe: &ScheduleRecipe, rates: &[f64]| {
            let schedule = recipe.schedule(1.0, 4, 4);
            for (step, rate) in rates.iter().enumerate() {
                let got = schedule.rate(1.0, step);
                assert!((got - rate).abs() < 1e-12, "step {step}: {got}, not {rate}");
            }
        };
        check(&recipe, &rates);
        // Every epoch is the same, but for a third reduction at 12.
        recipe.kind = ScheduleKind::Step;
        recipe.every_epochs = 1;
        check(&recipe, &rates);
        check(&recipe, &[&rates[..], &[0.001, 0.001]].concat());
        // A cosine begins after the warm-up, and ends with the run: over the six steps that are left.
        recipe.kind = ScheduleKind::Cosine;
        let cosine = |t: f64| (1.0 + (std::f64::consts::PI * t / 6.0).cos()) / 2.0;
        let ramp = [0.1, 0.19, 0.28, 0.37, 0.46, 0.55, 0.64, 0.73, 0.82, 0.91];
        let fall = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0].map(cosine);
        check(&recipe, &[&ramp[..], &fall].concat());
    }

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
