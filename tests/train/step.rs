//! What a recipe asks of a training step, against the same worked out by hand or reached on another way.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use data::{DataSet, Shapes10};
use model::{Architecture, Mode, Network};
use tensor::Device;
use tensor::Tensor;
use train::{EmaRecipe, Error, Event, OptimizerKind, Recipe, Trainer};

/// Thirty images, plain SGD without anything random but the initial weights and the order.
fn recipe(network: &str) -> Recipe {
    let mut recipe = Recipe::named("shapes10").unwrap();
    network.clone_into(&mut recipe.network);
    (recipe.epochs, recipe.batch_size) = (100, 10);
    recipe.dropout = Some(0.0);
    recipe.optimizer.kind = OptimizerKind::Sgd;
    recipe.optimizer.learning_rate = 1e-3;
    recipe.schedule = train::ScheduleRecipe::default();
    // The network's own weights: they begin with a large loss, of which few steps show much.
    recipe.init = train::InitKind::Network;
    recipe
}

fn data() -> DataSet {
    let set = Shapes10::default().with_sizes(30, 10, 10).generate();
    let mut set = set.unwrap();
    (set.validation, set.test) = (None, None);
    set
}

fn trainer(recipe: Recipe) -> Trainer {
    Trainer::new(recipe, data(), &Device::cpu()).unwrap()
}

/// Trains until `steps` more are done; the loss of the last.
fn train(trainer: &mut Trainer, steps: u64) -> f64 {
    let (stop, mut done, mut loss) = (AtomicBool::new(false), 0, f64::NAN);
    let mut listener = |event: Event<'_>| {
        if let Event::Step(step) = event {
            (done, loss) = (done + 1, step.loss);
            stop.store(done == steps, Ordering::Relaxed);
        }
    };
    drop(trainer.run(&stop, &mut listener).unwrap());
    loss
}

type Weights = Vec<(String, Vec<f32>)>;

fn weights(trainer: &Trainer) -> Weights {
    let parameters = trainer.network().parameters().iter();
    parameters
        .map(|(name, tensor)| (name.clone(), tensor.to_vec().unwrap()))
        .collect()
}

/// The weights of a run of `steps` steps.
fn after(recipe: Recipe, steps: u64) -> Weights {
    let mut trainer = trainer(recipe);
    train(&mut trainer, steps);
    weights(&trainer)
}

/// The largest difference of two sets of weights.
fn distance(a: &Weights, b: &Weights) -> f64 {
    let pairs = a.iter().zip(b).flat_map(|((_, a), (_, b))| a.iter().zip(b));
    pairs.fold(0.0, |most, (a, b)| f64::max(most, f64::from((a - b).abs())))
}

#[test]
fn accumulated_batches_are_one_large_batch() {
    // Three batches of ten are the epoch; of four sevens the last two make a step of their own.
    for (batch_size, accumulate, large) in [(5, 2, 10), (10, 3, 30)] {
        let mut parts = recipe("alexnet-small");
        (parts.batch_size, parts.optimizer.accumulate) = (batch_size, accumulate);
        parts.optimizer.momentum = 0.9;
        let mut whole = parts.clone();
        (whole.batch_size, whole.optimizer.accumulate) = (large, 1);
        let start = after(whole.clone(), 1);
        let (parts, whole) = (after(parts, 4), after(whole, 4));
        let moved = distance(&start, &whole);
        // Sums of thirty gradients in another order; four steps.
        let apart = distance(&parts, &whole);
        assert!(moved > 1e-3 && apart < 1e-4 * moved, "{apart} of {moved}");
    }
}

#[test]
fn a_partial_last_group_counts_by_its_images() {
    // With room for seven batches, the two that are there count fully.
    let mut wide = recipe("alexnet-small");
    (wide.optimizer.accumulate, wide.batch_size) = (7, 15);
    let mut all = recipe("alexnet-small");
    all.batch_size = 30;
    let (wide, all) = (after(wide, 1), after(all, 1));
    assert!(distance(&wide, &all) < 1e-6, "two of seven batches");
    // Of three batches, the last makes a step alone, as long as it makes where every batch is a step.
    let last_step = |accumulate, steps_before| {
        let mut recipe = recipe("alexnet-small");
        recipe.optimizer.accumulate = accumulate;
        // Short steps: the weights before the last one are nearly the same.
        recipe.optimizer.learning_rate = 1e-6;
        let mut trainer = trainer(recipe);
        train(&mut trainer, steps_before);
        let before = weights(&trainer);
        train(&mut trainer, 1);
        distance(&before, &weights(&trainer))
    };
    let (grouped, alone) = (last_step(2, 1), last_step(1, 2));
    // Rounding of biases of one, 6e-8, is a few per cent of an update; half of a step would be half.
    assert!((grouped / alone - 1.0).abs() < 0.1, "{grouped} and {alone}");
}

#[test]
fn averaged_weights_are_those_of_a_host_computation() {
    const STEPS: u64 = 5;
    let mut averaged = recipe("alexnet-cifar");
    averaged.optimizer.learning_rate = 0.05;
    let plain = averaged.clone();
    averaged.ema = Some(EmaRecipe::new(0.3));
    let mut one_by_one = trainer(plain);
    let mut expected = weights(&one_by_one);
    for step in 1..=STEPS {
        train(&mut one_by_one, 1);
        let t = f64::from(u32::try_from(step).unwrap());
        let decay = 0.3_f64.min((1.0 + t) / (10.0 + t));
        for ((_, average), (_, now)) in expected.iter_mut().zip(weights(&one_by_one)) {
            for (average, now) in average.iter_mut().zip(now) {
                let exact = decay * f64::from(*average) + (1.0 - decay) * f64::from(now);
                #[expect(clippy::cast_possible_truncation, reason = "as the device keeps it")]
                let rounded = exact as f32;
                *average = rounded;
            }
        }
    }
    let ours = after(averaged, STEPS);
    for ((name, ours), (_, expected)) in ours.iter().zip(&expected) {
        for (a, b) in ours.iter().zip(expected) {
            // Running statistics are among them. A rounding in each of the steps.
            assert!(
                (a - b).abs() <= 1e-6 * (1.0 + b.abs()),
                "{name}: {a}, expected {b}"
            );
        }
    }
    assert!(
        distance(&ours, &weights(&one_by_one)) > 1e-4,
        "an average lags"
    );
}

#[test]
fn a_clipped_step_is_as_long_as_it_may_be() {
    let start = weights(&trainer(recipe("alexnet-small")));
    let length = |clip_norm| {
        let mut recipe = recipe("alexnet-small");
        recipe.optimizer.learning_rate = 1.0;
        recipe.optimizer.clip_norm = clip_norm;
        let pairs = start.iter().zip(after(recipe, 1));
        let squares = pairs.flat_map(|((_, a), (_, b))| {
            let differences = a.iter().zip(b);
            let squares = differences.map(|(a, b)| f64::from(a - b).powi(2));
            squares.collect::<Vec<_>>()
        });
        squares.sum::<f64>().sqrt()
    };
    let free = length(None);
    assert!(free > 0.02, "{free}");
    let clipped = length(Some(0.01));
    assert!((clipped / 0.01 - 1.0).abs() < 1e-3, "{clipped}");
    let generous = length(Some(1e6));
    assert!(
        (generous / free - 1.0).abs() < 1e-6,
        "{generous} and {free}"
    );
}

#[test]
fn weight_decay_shrinks_the_groups_it_should() {
    const RATE: f32 = 0.01;
    const DECAY: f32 = 0.5;
    let start = weights(&trainer(recipe("alexnet-cifar")));
    type Change = fn(&mut Recipe);
    type Decays = fn(&str) -> bool;
    let groups: [(Change, Decays); 3] = [
        (|_| {}, |_| true),
        (
            |r| (r.optimizer.decay_biases, r.optimizer.decay_norms) = (false, false),
            |name| name.ends_with(".weight") && !name.starts_with("bn"),
        ),
        (
            |r| r.optimizer.decay_only = vec!["conv*.weight".to_owned(), "fc8.bias".to_owned()],
            |name| (name.starts_with("conv") && name.ends_with("weight")) || name == "fc8.bias",
        ),
    ];
    let mut plain = recipe("alexnet-cifar");
    plain.optimizer.learning_rate = f64::from(RATE);
    let without = after(plain.clone(), 1);
    for (change, decays) in groups {
        let mut recipe = plain.clone();
        recipe.optimizer.weight_decay = f64::from(DECAY);
        change(&mut recipe);
        let with = after(recipe, 1);
        for (((name, start), (_, with)), (_, without)) in start.iter().zip(&with).zip(&without) {
            let rate = if decays(name) && !name.contains("running") {
                RATE * DECAY
            } else {
                0.0
            };
            for ((start, with), without) in start.iter().zip(with).zip(without) {
                let expected = without - rate * start;
                assert!(
                    (with - expected).abs() <= 1e-6 * (1.0 + start.abs()),
                    "{name}: {with}, expected {expected}"
                );
            }
        }
    }
}

#[test]
fn frozen_parameters_stay_as_they_are() {
    let start = weights(&trainer(recipe("alexnet-small")));
    let mut frozen = recipe("alexnet-small");
    frozen.optimizer.freeze = vec!["conv*".to_owned(), "fc6.bias".to_owned()];
    frozen.optimizer.weight_decay = 0.1;
    for ((name, before), (_, after)) in start.iter().zip(after(frozen.clone(), 2)) {
        let is_frozen = name.starts_with("conv") || name == "fc6.bias";
        assert_eq!(*before == after, is_frozen, "{name}");
    }
    for (pattern, part) in [("conv9*", "conv9*"), ("*", "leave a parameter")] {
        let mut recipe = frozen.clone();
        recipe.optimizer.freeze = vec![pattern.to_owned()];
        let error = Trainer::new(recipe, data(), &Device::cpu()).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Setting {
                    setting: "freeze",
                    ..
                }
            ),
            "{error}"
        );
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn label_smoothing_is_in_the_loss_of_training() {
    const SMOOTHING: f64 = 0.25;
    let mut smoothed = recipe("alexnet-small");
    (smoothed.batch_size, smoothed.label_smoothing) = (30, 0.25);
    let mut trainer = trainer(smoothed);
    // Without dropout and batch norm, evaluation computes the same logits. Before the step, which changes the weights.
    let images = data().train;
    let pixels: Vec<f32> = images
        .read_all()
        .unwrap()
        .iter()
        .map(|&byte| (f32::from(byte) / 255.0 - 0.5) / 0.25)
        .collect();
    let device = trainer.network().device();
    let x = Tensor::from_slice(device, &pixels, [30, 32, 32, 3]).unwrap();
    let logits = trainer.network().forward(&x, Mode::Eval).unwrap();
    let rows = logits.log_softmax().unwrap().to_vec::<f32>().unwrap();
    let losses = rows.chunks(10).zip(images.labels()).map(|(row, &label)| {
        let own = f64::from(row[label as usize]);
        let mean = row.iter().map(|&p| f64::from(p)).sum::<f64>() / 10.0;
        -(1.0 - SMOOTHING) * own - SMOOTHING * mean
    });
    let expected = losses.sum::<f64>() / 30.0;
    let loss = train(&mut trainer, 1);
    assert!(
        (loss / expected - 1.0).abs() < 1e-5,
        "{loss}, expected {expected}"
    );
}

#[test]
fn mixing_and_colours_change_a_step_and_repeat_themselves() {
    type Change = fn(&mut Recipe);
    let changes: [Change; 5] = [
        |_| {},
        |r| (r.mix.mixup, r.mix.probability) = (1.0, 1.0),
        |r| (r.mix.cutmix, r.mix.probability) = (1.0, 1.0),
        |r| r.images.colour_shift = 0.5,
        |r| r.images.erase = Some(train::EraseRecipe::default()),
    ];
    let runs = changes.map(|change| {
        let mut recipe = recipe("alexnet-small");
        change(&mut recipe);
        let (once, again) = (after(recipe.clone(), 2), after(recipe, 2));
        assert_eq!(once, again, "the same bits again");
        once
    });
    for (a, one) in runs.iter().enumerate() {
        for other in &runs[..a] {
            assert!(
                distance(one, other) > 1e-7,
                "run {a} has an effect of its own"
            );
        }
    }
}

#[test]
fn initial_weights_of_the_paper_are_asked_for_by_name() {
    let mut recipe = recipe("alexnet-cifar");
    recipe = recipe
        .overridden_by("init = \"paper\"", Path::new("mine.toml"))
        .unwrap();
    let ours = weights(&trainer(recipe.clone()));
    let architecture = Architecture::new("alexnet-cifar", Some(10), None).unwrap();
    let paper = architecture.with_paper_init();
    let expected = Network::new(paper, recipe.seed, &Device::cpu()).unwrap();
    for ((name, ours), (_, expected)) in ours.iter().zip(expected.parameters()) {
        assert_eq!(*ours, expected.to_vec::<f32>().unwrap(), "{name}");
    }
}
