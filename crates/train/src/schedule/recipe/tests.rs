//! Rates of recipes, worked out by hand and by PyTorch.

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
        val_loss: Some(val_loss),
        ..Row::default()
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

/// By hand: PyTorch 2's `CosineAnnealingWarmRestarts(o, T_0=4, T_mult=2, eta_min=0.1)`, stepped once a step. Periods of 4, 8
/// and 16 steps; halfway through one the rate is the mean of both ends.
#[test]
fn a_cosine_restarts_and_its_periods_grow() {
    let mut recipe = ScheduleRecipe {
        kind: ScheduleKind::CosineRestarts,
        period_epochs: 2,
        period_factor: 2,
        minimum: 0.1,
        ..ScheduleRecipe::default()
    };
    let schedule = recipe.schedule(1.0, 14, 2);
    let quarter = 0.1 + 0.9 * (1.0 + std::f64::consts::FRAC_1_SQRT_2) / 2.0;
    for (step, rate) in [
        (0, 1.0),
        (1, quarter),
        (2, 0.55),
        (4, 1.0),
        (6, quarter),
        (8, 0.55),
        (12, 1.0),
        (20, 0.55),
    ] {
        let got = schedule.rate(1.0, step);
        assert!((got - rate).abs() < 1e-12, "step {step}: {got}, not {rate}");
    }
    recipe.period_factor = 1;
    let schedule = recipe.schedule(1.0, 14, 2);
    for (step, rate) in [(0, 1.0), (2, 0.55), (4, 1.0), (1002, 0.55)] {
        assert!(
            (schedule.rate(1.0, step) - rate).abs() < 1e-12,
            "step {step}"
        );
    }
    for (setting, value) in [("period_epochs", 0), ("period_factor", 0)] {
        let mut wrong = recipe.clone();
        if setting == "period_epochs" {
            wrong.period_epochs = value;
        } else {
            wrong.period_factor = value;
        }
        let message = wrong.check().unwrap_err().to_string();
        assert!(message.contains(setting), "{message}");
    }
}

/// Keras' `decay=0.0005`: the rate of step t, from 0, is `rate / (1 + 0.0005 t)`.
#[test]
fn inverse_time_divides_by_the_step() {
    let mut recipe = ScheduleRecipe {
        kind: ScheduleKind::InverseTime,
        decay: 5e-4,
        ..ScheduleRecipe::default()
    };
    let schedule = recipe.schedule(0.01, 50, 74);
    for (step, rate) in [
        (0, 0.01),
        (1, 0.01 / 1.0005),
        (2000, 0.005),
        (3700, 0.01 / 2.85),
    ] {
        let got = schedule.rate(0.01, step);
        assert!((got - rate).abs() < 1e-15, "step {step}: {got}, not {rate}");
    }
    recipe.decay = -1.0;
    assert!(
        recipe
            .check()
            .unwrap_err()
            .to_string()
            .contains("schedule.decay")
    );
}

/// At step t of a warm-up of ten: `0.1 + 0.9 t / 10` times what the other schedule has at t, or at its own step 0.
#[test]
fn every_schedule_runs_during_the_warm_up_or_begins_after_it() {
    for kind in [
        ScheduleKind::Constant,
        ScheduleKind::Step,
        ScheduleKind::MultiStep,
        ScheduleKind::Cosine,
        ScheduleKind::CosineRestarts,
        ScheduleKind::InverseTime,
        ScheduleKind::OneCycle,
        ScheduleKind::Plateau,
    ] {
        let plain = ScheduleRecipe {
            kind,
            decay: 0.25,
            milestones: vec![1, 2],
            every_epochs: 1,
            period_epochs: 1,
            ..ScheduleRecipe::default()
        };
        let with = |warmup, epochs| {
            let recipe = ScheduleRecipe {
                warmup_steps: 10,
                warmup: Some(warmup),
                ..plain.clone()
            };
            recipe.schedule(1.0, epochs, 4)
        };
        let chained = with(WarmupKind::Chained, 8);
        // What ends with the run has ten steps less.
        let begun_after = with(WarmupKind::Before, 8);
        let within = plain.schedule(1.0, 8, 4);
        let is_ending = matches!(kind, ScheduleKind::Cosine | ScheduleKind::OneCycle);
        for step in 0..32_u8 {
            let ramp = (0.1 + 0.09 * f64::from(step)).min(1.0);
            let step = usize::from(step);
            let (got, want) = (chained.rate(1.0, step), ramp * within.rate(1.0, step));
            assert!(
                (got - want).abs() < 1e-12,
                "{kind:?} at {step}: {got}, not {want}"
            );
            if !is_ending {
                let own = within.rate(1.0, step.saturating_sub(10));
                let (got, want) = (begun_after.rate(1.0, step), ramp * own);
                assert!(
                    (got - want).abs() < 1e-12,
                    "{kind:?} after, at {step}: {got}, not {want}"
                );
            }
        }
    }
}

#[test]
fn an_absolute_threshold_is_a_difference() {
    let rows = [10.0, 9.999_7, 9.999_4, 9.999_1].map(|val_loss| Row {
        val_loss: Some(val_loss),
        ..Row::default()
    });
    let rate = |threshold_mode| {
        let recipe = ScheduleRecipe {
            kind: ScheduleKind::Plateau,
            patience: 1,
            threshold_mode,
            ..ScheduleRecipe::default()
        };
        recipe.plateau_after(1.0, &rows).unwrap().rate
    };
    // 1e-4 of ten is 1e-3, which none is better by than the first.
    assert_eq!(rate(ThresholdMode::Absolute), 1.0, "each is 3e-4 better");
    assert_eq!(rate(ThresholdMode::Relative), 0.1, "reduced in the third");
}

/// `start (1 - t / w) + t / w` before the peak, then `1 - u + end u` with `u = (t - w) / (n - w)`: by hand for 43 steps.
#[test]
fn a_triangle_rises_to_its_peak_and_falls_by_the_runs_end() {
    let recipe = ScheduleRecipe {
        kind: ScheduleKind::Triangle,
        start: 0.2,
        peak: 0.23,
        end: 0.07,
        ..ScheduleRecipe::default()
    };
    let schedule = recipe.schedule(1.5, 1, 43);
    // int(43 * 0.23) = 9.
    for (step, share) in [
        (0, 0.2),
        (1, 0.2 + 0.8 / 9.0),
        (8, 0.2 + 0.8 * 8.0 / 9.0),
        (9, 1.0),
        (10, 1.0 - 0.93 / 34.0),
        (26, 1.0 - 0.93 / 2.0),
        (42, 1.0 - 0.93 * 33.0 / 34.0),
        (43, 0.07),
        (99, 0.07),
    ] {
        let rate = schedule.rate(1.5, step);
        assert!((rate - 1.5 * share).abs() < 1e-12, "step {step}: {rate}");
    }
    // All of it up, all of it down, and behind a warm-up.
    let with = |peak: f64, warmup_steps: usize, step: usize| {
        let recipe = ScheduleRecipe {
            peak,
            warmup_steps,
            ..recipe.clone()
        };
        recipe.schedule(1.0, 2, 5).rate(1.0, step)
    };
    for (peak, warmup, step, share) in [
        (0.0, 0, 0, 1.0),
        (0.0, 0, 5, 1.0 - 0.93 / 2.0),
        (1.0, 0, 0, 0.2),
        (1.0, 0, 5, 0.6),
        (0.5, 4, 0, 0.2 / 4.0),
        (0.5, 4, 4, 0.2),
        (0.5, 4, 7, 1.0),
    ] {
        let rate = with(peak, warmup, step);
        assert!((rate - share).abs() < 1e-12, "{peak} {step}: {rate}");
    }
    for (setting, wrong) in [
        (
            "schedule.peak",
            ScheduleRecipe {
                peak: 1.5,
                ..recipe.clone()
            },
        ),
        (
            "schedule.start",
            ScheduleRecipe {
                start: -0.1,
                ..recipe.clone()
            },
        ),
        (
            "schedule.end",
            ScheduleRecipe {
                end: f64::NAN,
                ..recipe.clone()
            },
        ),
    ] {
        let message = wrong.check().unwrap_err().to_string();
        assert!(message.starts_with(setting), "{message}");
    }
}
