//! What runs on the host: schedules, metrics, and the cases' own generator.

use super::super::array::{Array, SplitMix};
use super::super::attributes::Attributes;
use super::super::recorded::{Loaded, parse_seed};
use super::super::{Error, Result};
use super::{Outputs, outputs};
use train::metrics::{Confusion, Scores, top_k_accuracy, top_k_classes};
use train::schedule::{OneCycle, Plateau, Schedule};

pub(super) fn schedule(case: &Loaded<'_>) -> Result<Outputs> {
    let attributes = case.attributes;
    let base = attributes.real("base_lr")?;
    let steps = case
        .outputs
        .first()
        .map_or(0, |(_, want)| want.values.len());
    let (name, warmup) = match attributes.text("schedule")?.strip_prefix(WARMUP) {
        Some(name) => (name, Some(Ramp::of(attributes)?)),
        None => (attributes.text("schedule")?, None),
    };
    let rates: Vec<f64> = if name == "ReduceLROnPlateau" {
        let plateau = plateau_of(attributes)?;
        let mut state = plateau.start(base);
        let mut rates = Vec::new();
        let constant = with_warmup(Schedule::Constant, warmup);
        for (t, metric) in case.input("metric")?.to_f64().into_iter().enumerate() {
            rates.push(constant.rate(state.rate, t));
            plateau.observe(&mut state, metric);
        }
        rates
    } else {
        let schedule = with_warmup(schedule_of(name, attributes)?, warmup);
        (0..steps).map(|t| schedule.rate(base, t)).collect()
    };
    Ok(outputs([("lr", Array::real([rates.len()], rates))]))
}

/// How the name of a schedule begins that is chained with a linear warm-up: `Warmup+MultiStepLR`.
const WARMUP: &str = "Warmup+";

/// A warm-up: `LinearLR` from a share of the rate to all of it.
#[derive(Clone, Copy)]
struct Ramp {
    start: f64,
    steps: usize,
    /// Whether the other schedule begins after it (`SequentialLR`) and not with it (`ChainedScheduler`).
    is_sequential: bool,
}

impl Ramp {
    fn of(attributes: Attributes<'_>) -> Result<Self> {
        let named =
            |names: &[&'static str]| names.iter().copied().find(|name| attributes.has(name));
        // `total_iters` is the warm-up's where the other schedule has none of its own.
        let steps = named(&["warmup_steps", "warmup_iters", "warmup", "total_iters"]);
        let start = named(&["start_factor", "warmup_start_factor", "warmup_factor"]);
        Ok(Self {
            start: attributes.real(start.unwrap_or("start_factor"))?,
            steps: attributes.size(steps.unwrap_or("warmup_steps"))?,
            is_sequential: attributes.has("sequential") && attributes.flag("sequential")?,
        })
    }
}

fn with_warmup(schedule: Schedule, ramp: Option<Ramp>) -> Schedule {
    let (with, Some(ramp)) = (Box::new(schedule.clone()), ramp) else {
        return schedule;
    };
    let (start, warmup) = (ramp.start, ramp.steps);
    if ramp.is_sequential {
        Schedule::Warmup {
            start,
            warmup,
            then: with,
        }
    } else {
        Schedule::Chained {
            start,
            warmup,
            with,
        }
    }
}

fn schedule_of(name: &str, attributes: Attributes<'_>) -> Result<Schedule> {
    Ok(match name {
        "CosineAnnealingWarmRestarts" => Schedule::CosineRestarts {
            period: attributes.size("T_0")?,
            factor: attributes.size("T_mult")?,
            minimum: attributes.real("eta_min")?,
        },
        "InverseTimeDecay" => Schedule::InverseTime {
            decay: attributes.real("decay")?,
        },
        "ConstantLR" => Schedule::Until {
            factor: attributes.real("factor")?,
            steps: attributes.size("total_iters")?,
        },
        "StepLR" => Schedule::Step {
            every: attributes.size("step_size")?,
            gamma: attributes.real("gamma")?,
        },
        "MultiStepLR" => Schedule::MultiStep {
            milestones: attributes.sizes("milestones")?,
            gamma: attributes.real("gamma")?,
        },
        "ExponentialLR" => Schedule::Exponential {
            gamma: attributes.real("gamma")?,
        },
        "PolynomialLR" => Schedule::Polynomial {
            steps: attributes.size("total_iters")?,
            power: attributes.real("power")?,
        },
        "CosineAnnealingLR" => Schedule::Cosine {
            steps: attributes.size("T_max")?,
            minimum: attributes.real("eta_min")?,
        },
        "LinearLR" => Schedule::Linear {
            start: attributes.real("start_factor")?,
            end: attributes.real("end_factor")?,
            steps: attributes.size("total_iters")?,
        },
        "OneCycleLR" => Schedule::OneCycle(OneCycle {
            max_rate: attributes.real("max_lr")?,
            steps: attributes.size("total_steps")?,
            rising_share: attributes.real("pct_start")?,
            start_divisor: attributes.real("div_factor")?,
            end_divisor: attributes.real("final_div_factor")?,
            is_cosine: attributes.text("anneal_strategy")? == "cos",
            has_three_phases: attributes.flag("three_phase")?,
        }),
        other => return Err(Error::Unknown(format!("unknown schedule {other}"))),
    })
}

fn plateau_of(attributes: Attributes<'_>) -> Result<Plateau> {
    Ok(Plateau {
        is_larger_better: attributes.text("mode")? == "max",
        factor: attributes.real("factor")?,
        patience: attributes.size("patience")?,
        threshold: attributes.real("threshold")?,
        is_threshold_relative: attributes.text("threshold_mode")? == "rel",
        cooldown: attributes.size("cooldown")?,
        minimum: attributes.real("min_lr")?,
        epsilon: attributes.real("eps")?,
    })
}

pub(super) fn classification(case: &Loaded<'_>) -> Result<Outputs> {
    let classes = case.attributes.size("classes")?;
    if classes > 1 << 14 {
        return Err(Error::Unknown(format!("{classes} classes")));
    }
    let undefined = case.attributes.real("zero_division")?;
    let mut confusion = Confusion::new(classes);
    let [truths, predictions] = ["y_true", "y_pred"].map(|name| case.input(name)?.to_usize());
    for (truth, predicted) in truths?.into_iter().zip(predictions?) {
        if !confusion.add(truth, predicted) {
            return Err(Error::Unknown(format!(
                "class {truth} or {predicted} of {classes}"
            )));
        }
    }
    let counts = confusion.counts().iter().map(|count| count.cast_signed());
    let mut all = outputs([
        (
            "confusion",
            Array::integer([classes, classes], counts.collect()),
        ),
        ("accuracy", Array::scalar(confusion.accuracy())),
    ]);
    let scores: [(&str, Scores); 3] = [
        ("precision", confusion.precision(undefined)),
        ("recall", confusion.recall(undefined)),
        ("f1", confusion.f1(undefined)),
    ];
    for (name, scores) in scores {
        all.push((
            format!("{name}_per_class"),
            Array::real([classes], scores.per_class),
        ));
        all.push((format!("{name}_macro_all"), Array::scalar(scores.macro_all)));
        all.push((format!("{name}_micro_all"), Array::scalar(scores.micro)));
        all.push((
            format!("{name}_weighted_all"),
            Array::scalar(scores.weighted),
        ));
        all.push((
            format!("{name}_macro_present"),
            Array::scalar(scores.macro_present),
        ));
    }
    Ok(all)
}

pub(super) fn top_k(case: &Loaded<'_>) -> Result<Outputs> {
    let scores = case.input("scores")?;
    let &[rows, classes] = &scores.shape[..] else {
        return Err(Error::Unknown(format!(
            "expected [n, classes], got {:?}",
            scores.shape
        )));
    };
    let labels = case.input("labels")?.to_usize()?.into_iter();
    let labels: Vec<u32> = labels
        .map(|x| u32::try_from(x).unwrap_or(u32::MAX))
        .collect();
    let values = scores.to_f32();
    let ranked = top_k_classes(&values, classes, classes);
    let ks = case.attributes.sizes("k")?;
    let accuracies = ks
        .iter()
        .map(|&k| top_k_accuracy(&ranked, classes, &labels, k));
    let wanted = case
        .outputs
        .iter()
        .find(|(name, _)| *name == "topk_indices");
    let width = wanted
        .and_then(|(_, want)| want.full_shape.get(1).copied())
        .unwrap_or(1);
    let indices = top_k_classes(&values, classes, width)
        .into_iter()
        .map(i64::from);
    let shape = [rows, width.min(classes)];
    Ok(outputs([
        ("acc", Array::real([ks.len()], accuracies.collect())),
        ("topk_indices", Array::integer(shape, indices.collect())),
    ]))
}

pub(super) fn splitmix(case: &Loaded<'_>) -> Result<Outputs> {
    let seed = parse_seed(case.attributes.text("seed")?);
    let seed = seed.ok_or_else(|| Error::Unknown("the seed is not a number".to_owned()))?;
    let generator = |exp2| SplitMix { seed, exp2 };
    let exp2 = i32::try_from(case.attributes.integer("exp2")?).unwrap_or(0);
    let mut all = Vec::new();
    for (name, want) in &case.outputs {
        let len = want.values.len();
        let array = match *name {
            "words" => {
                let words = (0..len as u64).map(|i| generator(0).word(i).cast_signed());
                Array::integer([len], words.collect())
            }
            "values" => Array::real([len], generator(exp2).values(len)),
            "values2" => Array::real([len], generator(-3).values(len)),
            other => return Err(Error::Unknown(format!("unknown output {other}"))),
        };
        all.push(((*name).to_owned(), array));
    }
    Ok(all)
}
