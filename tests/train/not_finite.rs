//! What is not a number is never right, never the best, and never saved.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use data::{DataSet, Split};
use tensor::Device;
use train::{Classifier, Error, Event, OptimizerKind, Recipe, Row, RunDir, Trainer, Weights};

/// One step an epoch: its loss is finite, and only the weights after it are not.
fn recipe(rate: f64, epochs: u64) -> Recipe {
    let mut recipe = super::recipe();
    (recipe.batch_size, recipe.epochs) = (70, epochs);
    recipe.optimizer.kind = OptimizerKind::Sgd;
    recipe.optimizer.learning_rate = rate;
    recipe.schedule = train::ScheduleRecipe::default();
    recipe
}

fn trainer(recipe: Recipe, data: DataSet) -> Trainer {
    Trainer::new(recipe, data, &Device::cpu()).unwrap()
}

fn error(trainer: &mut Trainer) -> Error {
    let result = trainer.run(&AtomicBool::new(false), &mut |_: Event<'_>| {});
    match result {
        Ok(outcome) => panic!("not an error: {outcome:?}"),
        Err(error) => error,
    }
}

fn files(run: &Path) -> Vec<Vec<u8>> {
    let names = ["last", "best"].into_iter().flat_map(|checkpoint| {
        ["model.safetensors", "optimizer.safetensors", "state.json"]
            .map(|file| run.join("checkpoints").join(checkpoint).join(file))
    });
    names.map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn a_validation_that_is_not_finite_is_diverged_and_the_checkpoints_stay() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let mut good = trainer(recipe(1e-3, 1), super::data());
    good.save_to(RunDir::create(&folder, good.recipe()).unwrap())
        .unwrap();
    super::finished(
        good.run(&AtomicBool::new(false), &mut |_: Event<'_>| {})
            .unwrap(),
    );
    let before = files(&folder);
    drop(good);
    let mut bad = trainer(recipe(1e30, 2), super::data());
    bad.resume(RunDir::open(&folder).unwrap()).unwrap();
    let error = error(&mut bad);
    let is_diverged = matches!(error, Error::Diverged { step: 2, .. });
    let message = error.to_string();
    assert!(
        is_diverged && message.contains("the validation loss is "),
        "{message}"
    );
    assert!(
        files(&folder) == before,
        "last and best are those of the good epoch"
    );
}

#[test]
fn weights_that_are_not_finite_are_not_saved_without_a_validation_either() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let mut data = super::data();
    (data.validation, data.test) = (None, None);
    // An infinity after the first step: 1e38 times the gradient, in units of learning rates.
    let mut trainer = trainer(recipe(f64::from(f32::MAX), 1), data);
    trainer
        .save_to(RunDir::create(&folder, trainer.recipe()).unwrap())
        .unwrap();
    let error = error(&mut trainer);
    let is_diverged = matches!(error, Error::Diverged { step: 1, .. });
    let message = error.to_string();
    assert!(
        is_diverged && message.contains("conv5.weight is -inf at element "),
        "{message}"
    );
    assert!(!folder.join("checkpoints").exists(), "nothing is saved");
}

/// A weight file of finite numbers so large that every logit is NaN: infinities of both signs add up.
fn nan_weights(root: &Path) -> PathBuf {
    let trainer = trainer(recipe(1e-3, 1), super::data());
    for (_, parameter) in trainer.network().parameters() {
        let signs = [1.0, -1.0].into_iter().cycle();
        let values: Vec<f32> = signs
            .map(|sign| sign * f32::MAX)
            .take(parameter.shape().iter().product())
            .collect();
        parameter.write(&values).unwrap();
    }
    let path = root.join("nan.safetensors");
    fs::write(&path, trainer.network().to_bytes().unwrap()).unwrap();
    path
}

#[test]
fn a_weight_that_is_not_finite_is_an_error_of_writing_and_of_reading() {
    let root = tempfile::tempdir().unwrap();
    let trainer = trainer(recipe(1e-3, 1), super::data());
    let (name, parameter) = &trainer.network().parameters()[0];
    let good: Vec<f32> = parameter.to_vec().unwrap();
    let mut bad = good.clone();
    bad[5] = f32::NAN;
    parameter.write(&bad).unwrap();
    let message = trainer.network().to_bytes().unwrap_err().to_string();
    assert!(
        message.contains(name) && message.contains("NaN at element 5"),
        "{message}"
    );
    parameter.write(&good).unwrap();
    let bytes = trainer.network().to_bytes().unwrap();
    // Another program's file: without the digest that would tell on the change.
    let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
    let (header, data) = rest.split_at(usize::try_from(u64::from_le_bytes(*length)).unwrap());
    let header = String::from_utf8(header.to_vec())
        .unwrap()
        .replace("sha256", "sha257");
    let mut data = data.to_vec();
    let at = data.len() - 4;
    data[at..].copy_from_slice(&f32::INFINITY.to_le_bytes());
    let path = root.path().join("inf.safetensors");
    fs::write(&path, [&length[..], header.as_bytes(), &data].concat()).unwrap();
    let message = model::Network::open(&path, &Device::cpu())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("inf.safetensors")
            && message.contains("expected finite numbers, found inf"),
        "{message}"
    );
}

#[test]
fn weights_that_compute_nan_are_an_error_of_evaluate_and_predict_that_names_them() {
    let root = tempfile::tempdir().unwrap();
    let path = nan_weights(root.path());
    let (data, recipe) = (super::data(), recipe(1e-3, 1));
    let split = Split::Test;
    let error =
        train::evaluate(&path, &recipe, &data, split, &Device::cpu(), &mut |_, _| {}).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("nan.safetensors: expected finite logits"),
        "{message}"
    );
    assert!(message.contains("NaN for 30 of 30 images"), "{message}");
    let weights = Weights::find(&path).unwrap();
    let classifier = Classifier::open(&weights, &recipe, &Device::cpu()).unwrap();
    let error = classifier.classify(&[vec![7; 32 * 32 * 3]]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("nan.safetensors: expected finite logits"),
        "{error}"
    );
}

#[test]
fn a_null_that_older_programs_wrote_is_read() {
    // A row of e25ac3f's `train --lr 1e30`.
    let text = r#"{"epoch":1,"step":1,"lr":1e30,"train_loss":null,"train_accuracy":0.1,"val_loss":null,"val_accuracy":1.0,
        "val_top5":1.0,"images_per_s":900.0,"data_wait_fraction":0.0,"seconds":0.1}"#;
    let row: Row = serde_json::from_str(text).unwrap();
    assert!(row.train_loss.is_nan() && row.val_loss.is_none());
    let good = Row {
        epoch: 2,
        train_loss: 2.0,
        val_loss: Some(2.0),
        val_accuracy: Some(0.2),
        ..row.clone()
    };
    let rows = [row, good];
    let best = recipe(1e-3, 1).best_row(&rows).map(|row| row.epoch);
    assert_eq!(best, Some(2), "an accuracy beside no loss is none");
}
