//! Training as a whole, on small data: the same bits whatever the threads and the interruptions, the same losses on
//! every device, and errors that stop a run cleanly.
#![expect(
    clippy::disallowed_methods,
    reason = "references, compared within tolerances"
)]
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
#[path = "train/devices.rs"]
mod devices;
#[path = "train/document_formats.rs"]
mod document_formats;
#[path = "common/drivers.rs"]
mod drivers;
#[path = "train/faults.rs"]
mod faults;
#[path = "train/last_batch.rs"]
mod last_batch;
#[path = "train/not_finite.rs"]
mod not_finite;
#[path = "train/old_settings.rs"]
mod old_settings;
#[path = "train/optim.rs"]
mod optim;
#[path = "train/own_data.rs"]
mod own_data;
#[path = "common/pickled.rs"]
#[expect(dead_code, reason = "other tests' helpers")]
mod pickled;
#[path = "train/plateau.rs"]
mod plateau;
#[path = "train/precision.rs"]
mod precision;
#[path = "train/profile.rs"]
mod profile;
#[path = "train/quick.rs"]
mod quick;
#[path = "train/recipes.rs"]
mod recipes;
#[path = "train/reporting.rs"]
mod reporting;
#[path = "train/resident.rs"]
mod resident;
#[path = "train/same_bits.rs"]
mod same_bits;
#[path = "train/settings.rs"]
mod settings;
#[path = "train/step.rs"]
mod step;
#[path = "train/submission.rs"]
mod submission;
#[path = "train/trial.rs"]
mod trial;
#[path = "train/tta.rs"]
mod tta;
#[path = "train/tune.rs"]
mod tune;
#[path = "train/walkthroughs.rs"]
mod walkthroughs;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use data::{DataSet, Shapes10};
use tensor::Device;
use train::{CropKind, Error, Event, Outcome, Recipe, RunDir, Summary, Trainer};

/// Four epochs of four steps, which leave out six of the 70 images; `last_batch` has those that don't.
fn recipe() -> Recipe {
    let mut recipe = Recipe::named("shapes10").unwrap();
    (recipe.epochs, recipe.batch_size, recipe.drop_last) = (4, 16, true);
    (recipe.images.crop, recipe.images.pad) = (CropKind::Random, 2);
    recipe.images.flip = true;
    // The network's own weights: they begin with a large loss, of which few steps show much.
    recipe.init = train::InitKind::Network;
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
        peak_host_bytes peak_device_bytes training_flops milestones"
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
        ("vgg", |r| "vgg".clone_into(&mut r.network)),
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
