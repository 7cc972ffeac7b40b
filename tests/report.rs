//! What is left of a run to look at: that plots, pages, the dashboard and TensorBoard's files hold what the run's files
//! do, that readers made by others accept them, and that the dashboard gives nothing else away.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a helper that fails fails its test; what is skipped is said"
)]

#[path = "report/browser.rs"]
mod browser;
#[path = "common/browser.rs"]
mod chromium;
#[path = "report/custom.rs"]
mod custom;
#[path = "report/dashboard.rs"]
mod dashboard;
#[path = "report/pages.rs"]
mod pages;
#[path = "report/tensorboard.rs"]
mod tensorboard;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use data::Shapes10;
use report::{Plot, TensorBoard};
use tensor::Device;
use train::{CropKind, Event, Outcome, Recipe, RunDir, Trainer};

/// The host's cores, and a GPU if there is one.
fn devices() -> Vec<Device> {
    let mut devices = vec![Device::cpu()];
    match Device::open("gpu") {
        Ok(gpu) => devices.push(gpu),
        Err(error) => {
            let is_required = std::env::var("REQUIRE_GPU").as_deref() == Ok("1");
            assert!(!is_required, "{error}");
            eprintln!("no GPU, so not tested there: {error}");
        }
    }
    devices
}

/// Two epochs of four steps on shapes10.
fn recipe() -> Recipe {
    let mut recipe = Recipe::named("shapes10").unwrap();
    (recipe.epochs, recipe.batch_size, recipe.limit) = (2, 16, Some(64));
    (recipe.images.crop, recipe.images.pad) = (CropKind::Random, 2);
    recipe.images.flip = true;
    recipe.runtime.device = "cpu".to_owned();
    recipe
}

/// Trains in a folder, or goes on there, until `stop_at` steps are done, with TensorBoard listening, which gets these
/// plots at the end.
fn train(folder: &Path, recipe: Recipe, stop_at: u64, plots: &[Plot]) -> Outcome {
    let data = Shapes10::default().generate().unwrap();
    let mut trainer = Trainer::new(recipe, data, &Device::cpu()).unwrap();
    if folder.exists() {
        trainer.resume(RunDir::open(folder).unwrap()).unwrap();
    } else {
        let run = RunDir::create(folder, trainer.recipe()).unwrap();
        trainer.save_to(run).unwrap();
    }
    let stop = AtomicBool::new(false);
    let mut tensorboard = TensorBoard::new(folder);
    let outcome = trainer.run(&stop, &mut |event: Event<'_>| {
        tensorboard.event(&event);
        if let Event::Step(step) = event
            && step.step >= stop_at
        {
            stop.store(true, Ordering::Relaxed);
        }
    });
    tensorboard.finish(plots).unwrap();
    outcome.unwrap()
}

/// Five epochs of two parameters and the gradient of one.
fn histograms() -> String {
    let of = [
        ("conv1.weight", false),
        ("conv1.bias", false),
        ("conv1.weight", true),
    ];
    let rows = (1..=5).flat_map(|epoch| of.map(|(name, is_gradient)| (epoch, name, is_gradient)));
    let row = |(epoch, name, is_gradient)| {
        let counts: Vec<_> = (0_i32..40)
            .map(|bar| 400 - (bar - 20).pow(2) + epoch)
            .collect();
        let row = serde_json::json!({
            "epoch": epoch, "step": 4 * epoch, "parameter": name, "is_gradient": is_gradient,
            "min": -0.25, "max": 0.25, "counts": counts,
        });
        format!("{row}\n")
    };
    rows.map(row).collect()
}

const STEP: &str = r#"{"time_s":2.5,"epoch":1,"step":1,"done":1,"of":4,"loss":2.5,"accuracy":0.1,"lr":0.01,"images_per_s":640.0}"#;

/// The folder of a made-up run, without weights: its epochs, and an evaluation of `classes` classes.
fn made_up(root: &Path, name: &str, classes: usize) -> PathBuf {
    let folder = root.join(name);
    RunDir::create(&folder, &recipe()).unwrap();
    let rates = [0.01, 0.01, 0.01, 0.001, 0.001];
    let rows = rates.iter().zip(1..).map(|(lr, epoch)| {
        let loss = 2.0 / f64::from(epoch);
        format!(
            r#"{{"epoch":{epoch},"step":{},"lr":{lr},"train_loss":{loss},"train_accuracy":{},"val_loss":{},"val_accuracy":{},"val_top5":0.9,"images_per_s":700.0,"data_wait_fraction":0.01,"seconds":1.5}}"#,
            4 * epoch,
            1.0 - loss / 2.5,
            loss + 0.1,
            0.95 - loss / 2.5
        ) + "\n"
    });
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write("metrics.jsonl", &rows.collect::<String>());
    write("steps.jsonl", &format!("{STEP}\n{}", &STEP[..40]));
    write(
        "lr_find.csv",
        "lr,loss\n1e-5,2.3\n1e-4,2.2\n1e-3,1.5\n1e-2,1.1\n1e-1,9.0\n",
    );
    write(
        "environment.json",
        r#"{"device":"cpu <2 & more>","os":"linux","threads":2,"command":["alexnet","train"]}"#,
    );
    write(
        "profile.json",
        r#"{"device":"cpu","roofline_gflops":200.0,"roofline_gb_s":20.0,"kernels":[{"name":"conv2d_forward","calls":3,"ms":1.25,"gflops":120.0,"gb_s":4.0,"share":0.6}]}"#,
    );
    write("histograms.jsonl", &histograms());
    let confusion: Vec<Vec<u64>> = (0..classes)
        .map(|row| {
            (0..classes)
                .map(|c| {
                    if c == row {
                        80
                    } else {
                        u64::from((c + row) % 7 == 0) * 9
                    }
                })
                .collect()
        })
        .collect();
    let names: Vec<_> = (0..classes).map(|class| format!("class {class}")).collect();
    let scores: Vec<_> = names
        .iter()
        .map(|name| serde_json::json!({ "name": name, "precision": 0.8, "recall": 0.7, "f1": 0.75, "support": 90 }))
        .collect();
    let evaluation = serde_json::json!({
        "split": "test", "images": 900, "loss": 0.5, "accuracy": 0.8, "top5": 0.97, "macro_f1": 0.79,
        "classes": names, "confusion": confusion, "per_class": scores,
        "mistakes": [{ "sample": 3, "truth": 1, "predicted": 0, "confidence": 0.99 }],
    });
    write("evaluation.json", &evaluation.to_string());
    folder
}
