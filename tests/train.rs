//! Training as a whole, on small data: the same bits whatever the threads and the interruptions, the same losses on
//! every device, and errors that stop a run cleanly.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that fails fails its test"
)]

#[path = "train/classifier.rs"]
mod classifier;
#[path = "train/control.rs"]
mod control;
#[path = "train/damage.rs"]
mod damage;
#[path = "train/last_batch.rs"]
mod last_batch;
#[path = "train/not_finite.rs"]
mod not_finite;
#[path = "train/optim.rs"]
mod optim;
#[path = "train/own_data.rs"]
mod own_data;
#[path = "train/precision.rs"]
mod precision;
#[path = "train/profile.rs"]
mod profile;
#[path = "train/recipes.rs"]
mod recipes;
#[path = "train/resident.rs"]
mod resident;
#[path = "train/step.rs"]
mod step;
#[path = "train/submission.rs"]
mod submission;
#[path = "train/trial.rs"]
mod trial;
#[path = "train/tune.rs"]
mod tune;
#[path = "train/views.rs"]
mod views;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use data::{DataSet, Shapes10};
use tensor::{Device, DeviceOptions};
use train::{
    AverageRecipe, CropKind, EraseRecipe, Error, Event, MixRecipe, Outcome, Recipe, RunDir,
    Summary, Trainer,
};

/// Four epochs of four steps, which leave out six of the 70 images; `last_batch` has those that don't.
fn recipe() -> Recipe {
    let mut recipe = Recipe::named("shapes10").unwrap();
    (recipe.epochs, recipe.batch_size, recipe.drop_last) = (4, 16, true);
    (recipe.images.crop, recipe.images.pad) = (CropKind::Random, 2);
    recipe.images.flip = true;
    recipe
}

fn data() -> DataSet {
    Shapes10::default()
        .with_sizes(70, 30, 30)
        .generate()
        .unwrap()
}

fn trainer(recipe: Recipe) -> Trainer {
    Trainer::new(recipe, data(), &Device::cpu()).unwrap()
}

/// Trains in a new folder, or goes on in one that exists, until `stop_at` steps are done.
fn run(folder: &Path, recipe: Recipe, stop_at: u64) -> Outcome {
    let mut trainer = trainer(recipe);
    if folder.exists() {
        trainer.resume(RunDir::open(folder).unwrap()).unwrap();
    } else {
        let run = RunDir::create(folder, trainer.recipe()).unwrap();
        trainer.save_to(run).unwrap();
    }
    let stop = AtomicBool::new(false);
    let mut listener = |event: Event<'_>| {
        if let Event::Step(step) = event
            && step.step >= stop_at
        {
            stop.store(true, Ordering::Relaxed);
        }
    };
    trainer.run(&stop, &mut listener).unwrap()
}

fn finished(outcome: Outcome) -> Box<Summary> {
    match outcome {
        Outcome::Finished(summary) => summary,
        Outcome::Interrupted { step } => panic!("interrupted at step {step}"),
    }
}

fn bytes(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join("checkpoints").join(name)).unwrap()
}

/// Everything that must not depend on how a run got there: weights, optimizer, and the metrics but for the timings.
fn assert_same_run(a: &Path, b: &Path, what: &str) {
    for name in ["model", "optimizer"] {
        for place in ["last", "best"] {
            let name = format!("{place}/{name}.safetensors");
            assert!(bytes(a, &name) == bytes(b, &name), "{what}: {name} differs");
        }
    }
    let rows = |folder: &Path| {
        let text = std::fs::read_to_string(folder.join("metrics.csv")).unwrap();
        let rows = text
            .lines()
            .map(|line| line.split(',').take(8).collect::<Vec<_>>().join(","));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(rows(a), rows(b), "{what}: metrics.csv");
}

#[test]
fn one_seed_gives_the_same_bits_whatever_the_loader_threads() {
    let root = tempfile::tempdir().unwrap();
    let [one, three, other] = ["one", "three", "other"].map(|name| root.path().join(name));
    for (folder, threads, seed) in [(&one, 1, 42), (&three, 3, 42), (&other, 1, 43)] {
        let mut recipe = recipe();
        recipe.epochs = 2;
        (recipe.machine.loader_threads, recipe.seed) = (threads, seed);
        finished(run(folder, recipe, u64::MAX));
    }
    assert_same_run(&one, &three, "1 and 3 threads");
    let name = "last/model.safetensors";
    assert!(
        bytes(&one, name) != bytes(&other, name),
        "another seed gives other weights"
    );
}

#[test]
fn a_run_that_was_stopped_and_resumed_equals_one_that_never_stopped() {
    let root = tempfile::tempdir().unwrap();
    let [straight, stopped] = ["straight", "stopped"].map(|name| root.path().join(name));
    let expected = finished(run(&straight, recipe(), u64::MAX));
    // After the second epoch, and within the third.
    for stop_at in [8, 10] {
        let outcome = run(&stopped, recipe(), stop_at);
        assert!(
            matches!(outcome, Outcome::Interrupted { step } if step == stop_at),
            "{outcome:?}"
        );
    }
    let summary = finished(run(&stopped, recipe(), u64::MAX));
    assert_same_run(&straight, &stopped, "stopped twice");
    let figures = |s: &Summary| {
        (
            s.test_accuracy,
            s.test_loss,
            s.val_loss,
            s.best_epoch,
            s.steps,
        )
    };
    assert_eq!(figures(&summary), figures(&expected), "summary");
    // What was complete is complete again, and unchanged.
    finished(run(&stopped, recipe(), u64::MAX));
    assert_same_run(&straight, &stopped, "resumed when complete");
}

/// Averaged weights, steps of several batches, mixing and everything random about images.
#[test]
fn a_run_with_all_that_a_step_can_do_is_resumed_with_the_same_bits() {
    let root = tempfile::tempdir().unwrap();
    let [straight, stopped] = ["straight", "stopped"].map(|name| root.path().join(name));
    let mut recipe = recipe();
    "alexnet-cifar".clone_into(&mut recipe.network);
    // Eight batches an epoch: steps of three, three and two.
    (recipe.epochs, recipe.batch_size) = (2, 8);
    recipe.optimizer.accumulate = 3;
    recipe.optimizer.clip_norm = Some(1.0);
    recipe.average = Some(AverageRecipe { decay: 0.9 });
    recipe.label_smoothing = 0.1;
    recipe.mix = MixRecipe {
        mixup: 0.4,
        cutmix: 1.0,
        probability: 0.8,
    };
    (recipe.images.mean, recipe.images.deviation) = (None, None);
    (recipe.images.brightness, recipe.images.contrast) = (0.2, 0.2);
    recipe.images.colour_shift = 0.1;
    recipe.images.erase = Some(EraseRecipe::default());
    let expected = finished(run(&straight, recipe.clone(), u64::MAX));
    assert_eq!(expected.steps, 6, "three steps an epoch");
    // Within the first epoch, and within the second; what is resumed is the recipe in the folder.
    for stop_at in [2, 5] {
        let outcome = run(&stopped, recipe.clone(), stop_at);
        assert!(
            matches!(outcome, Outcome::Interrupted { step } if step == stop_at),
            "{outcome:?}"
        );
        recipe = RunDir::open(&stopped).unwrap().recipe().unwrap();
        assert!(recipe.images.colour_components.is_some(), "resolved");
    }
    let summary = finished(run(&stopped, recipe, u64::MAX));
    assert_same_run(&straight, &stopped, "stopped twice");
    assert_eq!(
        (summary.test_loss, summary.steps),
        (expected.test_loss, expected.steps)
    );
}

#[test]
fn running_statistics_of_batch_norm_are_saved_and_resumed() {
    let root = tempfile::tempdir().unwrap();
    let [straight, stopped] = ["straight", "stopped"].map(|name| root.path().join(name));
    let mut recipe = recipe();
    "alexnet-cifar".clone_into(&mut recipe.network);
    recipe.epochs = 2;
    finished(run(&straight, recipe.clone(), u64::MAX));
    run(&stopped, recipe.clone(), 3);
    finished(run(&stopped, recipe, u64::MAX));
    assert_same_run(&straight, &stopped, "stopped in the first epoch");
}

#[test]
fn a_run_folder_holds_what_it_promises() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let mut recipe = recipe();
    recipe.epochs = 1;
    let summary = finished(run(&folder, recipe, u64::MAX));
    let text = std::fs::read_to_string(folder.join("summary.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    for key in "recipe network dataset device parameters epochs steps images_per_s wall_s train_loss train_accuracy \
        val_loss val_accuracy best_epoch best_val_accuracy test_loss test_accuracy test_top5 test_macro_f1 \
        peak_host_bytes peak_device_bytes"
        .split_whitespace()
    {
        assert!(json.get(key).is_some_and(|value| !value.is_null()), "{key} in {text}");
    }
    assert_eq!(
        (summary.parameters, summary.steps),
        (2_887_306, 4),
        "{text}"
    );
    for name in [
        "config.toml",
        "environment.json",
        "metrics.csv",
        "metrics.jsonl",
    ] {
        assert!(folder.join(name).is_file(), "{name}");
    }
    for place in ["last", "best"] {
        for name in ["model.safetensors", "optimizer.safetensors", "state.json"] {
            assert!(
                !bytes(&folder, &format!("{place}/{name}")).is_empty(),
                "{place}/{name}"
            );
        }
    }
    let again = RunDir::open(&folder).unwrap().recipe().unwrap();
    assert_eq!(
        again,
        *trainer(again.clone()).recipe(),
        "config.toml is resolved"
    );
    assert!(
        matches!(
            RunDir::create(&folder, &again),
            Err(Error::RunExists { .. })
        ),
        "a second run"
    );
}

/// An adapter; `None`, and a word on it, where there is none and none is required.
#[expect(clippy::print_stdout, reason = "a test says what it skips")]
fn gpu() -> Option<Device> {
    match Device::open("gpu") {
        Ok(gpu) => Some(gpu),
        Err(reason) => {
            assert!(
                std::env::var("REQUIRE_GPU").as_deref() != Ok("1"),
                "REQUIRE_GPU=1: {reason}"
            );
            println!("skipped on a GPU: {reason}");
            None
        }
    }
}

/// The losses of each step of a run of 20 steps.
///
/// With the full rate from the first step, Adam on this network is chaotic: a change of one image channel by 4e-7 alters
/// the loss by 1e-2 within ten steps, on one device. Behind a warm-up, what differs between devices stays what it was.
fn losses(device: &Device) -> Vec<f64> {
    let mut recipe = recipe();
    (recipe.epochs, recipe.batch_size) = (5, 16);
    recipe.schedule.warmup_steps = 1000;
    let mut trainer = Trainer::new(recipe, data(), device).unwrap();
    let mut losses = Vec::new();
    let mut listener = |event: Event<'_>| {
        if let Event::Step(step) = event {
            losses.push(step.loss);
        }
    };
    trainer.run(&AtomicBool::new(false), &mut listener).unwrap();
    losses
}

#[test]
fn the_first_losses_agree_between_cpu_and_gpu() {
    let Some(gpu) = gpu() else { return };
    let (ours, theirs) = (losses(&Device::cpu()), losses(&gpu));
    assert_eq!(ours.len(), 20, "one loss a step");
    // A GPU that is read every few steps repeats the last loss in between.
    let is_read = |idx: usize| idx == 0 || theirs[idx].to_bits() != theirs[idx - 1].to_bits();
    for (idx, (a, b)) in ours.iter().zip(&theirs).enumerate() {
        let far = ((a - b) / a).abs();
        assert!(
            far < 1e-3 || (!gpu.is_software() && !is_read(idx)),
            "step {}: cpu {a}, gpu {b}",
            idx + 1
        );
    }
}

/// The paths of a real GPU, on whatever adapter there is: its tiles, split sums, and losses that are read every few steps.
#[test]
fn a_large_gpu_learns_the_same_and_tells_of_its_loss_from_the_first_step_on() {
    let options = DeviceOptions {
        is_large_gpu: true,
        ..DeviceOptions::default()
    };
    let Ok(large) = Device::open_with("gpu", options) else {
        assert!(gpu().is_none(), "a GPU that opens only without");
        return;
    };
    let (ours, theirs) = (losses(&Device::cpu()), losses(&large));
    assert_eq!(theirs.len(), 20, "one loss a step");
    let mut fresh = 0;
    for (idx, (a, b)) in ours.iter().zip(&theirs).enumerate() {
        let is_read = idx == 0 || b.to_bits() != theirs[idx - 1].to_bits();
        let far = ((a - b) / a).abs();
        assert!(b.is_finite(), "step {}: {b}", idx + 1);
        // A loss that is read later is the mean of several steps.
        assert!(idx > 0 || far < 1e-3, "step 1: cpu {a}, gpu {b}");
        fresh += usize::from(is_read);
    }
    assert!(fresh > 2, "it is read now and then: {theirs:?}");
    let last = |losses: &[f64]| losses[losses.len() - 4..].iter().sum::<f64>() / 4.0;
    let (a, b) = (last(&ours), last(&theirs));
    assert!(
        ((a - b) / a).abs() < 0.1,
        "the last steps: cpu {a}, gpu {b}"
    );
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_names_the_step() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let mut recipe = recipe();
    recipe.optimizer.learning_rate = 1e30;
    let mut trainer = trainer(recipe);
    trainer
        .save_to(RunDir::create(&folder, trainer.recipe()).unwrap())
        .unwrap();
    let error = trainer
        .run(&AtomicBool::new(false), &mut |_: Event<'_>| {})
        .unwrap_err();
    assert!(matches!(error, Error::Diverged { step: 2, .. }), "{error}");
    assert!(error.to_string().contains("at step 2"), "{error}");
    assert!(
        !folder.join("checkpoints").exists(),
        "no bad weights are saved"
    );
}

#[test]
fn settings_that_do_not_suit_the_data_are_errors_before_anything_runs() {
    type Change = fn(&mut Recipe);
    let changes: [(&str, Change); 5] = [
        ("batch size", |r| r.batch_size = 71),
        ("limit", |r| r.limit = Some(0)),
        ("batch size", |r| r.limit = Some(15)),
        ("lenet", |r| "lenet".clone_into(&mut r.network)),
        ("input size", |r| r.input_size = Some(0.into())),
    ];
    for (part, change) in changes {
        let mut recipe = recipe();
        change(&mut recipe);
        let message = Trainer::new(recipe, data(), &Device::cpu())
            .unwrap_err()
            .to_string();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_run_without_validation_or_test_leaves_their_figures_out() {
    let mut data = data();
    (data.validation, data.test) = (None, None);
    let mut recipe = recipe();
    recipe.epochs = 1;
    let mut trainer = Trainer::new(recipe, data, &Device::cpu()).unwrap();
    let summary = finished(
        trainer
            .run(&AtomicBool::new(false), &mut |_: Event<'_>| {})
            .unwrap(),
    );
    assert_eq!(
        (summary.val_loss, summary.test_accuracy, summary.best_epoch),
        (None, None, None)
    );
    assert!(summary.train_loss.is_finite(), "{summary:?}");
}
