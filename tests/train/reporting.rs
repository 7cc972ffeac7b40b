//! What a run tells of its epochs and steps beside its losses: the test of each epoch, scores within epochs, the l2 penalty, a
//! rate that falls; and that asking for it changes nothing of the training.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use model::{Architecture, Network};
use serde_json::Value;
use tensor::Device;
use train::{
    Event, Metric, OptimizerKind, Recipe, RunDir, ScheduleKind, ValidationRow, Weights, evaluate,
};

use super::plateau::standing;
use super::{assert_same_run, data, finished, recipe, run, trainer};

/// The lines of a file of JSON.
fn lines(folder: &Path, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.join(name)).unwrap();
    let line = |line: &str| serde_json::from_str(line).unwrap();
    text.lines().map(line).collect()
}

fn scores(folder: &Path) -> Vec<ValidationRow> {
    let rows = lines(folder, "validation.jsonl").into_iter();
    rows.map(|row| serde_json::from_value(row).unwrap())
        .collect()
}

#[test]
fn tests_of_epochs_and_scores_within_them_change_nothing() {
    let root = tempfile::tempdir().unwrap();
    let [plain, asked, stopped] = ["plain", "asked", "stopped"].map(|name| root.path().join(name));
    finished(run(&plain, recipe(), u64::MAX));
    let mut more = recipe();
    more.evaluation.test_every_epoch = true;
    more.evaluation.every_steps = Some(3);
    finished(run(&asked, more.clone(), u64::MAX));
    assert_same_run(&plain, &asked, "asked for more");
    let rows = lines(&asked, "metrics.jsonl");
    for row in &rows {
        for key in [
            "test_loss",
            "test_accuracy",
            "test_top5",
            "test_macro_f1",
            "val_macro_f1",
        ] {
            assert!(row[key].is_number(), "{key} in {row}");
        }
    }
    assert!(lines(&plain, "metrics.jsonl")[0]["test_loss"].is_null());
    // Sixteen steps in epochs of four: 3, 6, 9 and 15 are within one, 12 is the end of the third.
    let places: Vec<_> = scores(&asked)
        .iter()
        .map(|row| (row.epoch, row.step))
        .collect();
    assert_eq!(places, [(1, 3), (2, 6), (3, 9), (4, 15)]);
    assert!(!plain.join("validation.jsonl").exists());
    // Lines of steps that are done again are written once.
    run(&stopped, more.clone(), 7);
    finished(run(&stopped, more, u64::MAX));
    assert_eq!(scores(&stopped), scores(&asked));
    // The test of the last epoch is that of its weights.
    let last = rows.last().unwrap();
    let recipe = RunDir::open(&asked).unwrap().recipe().unwrap();
    let path = Weights::find(&asked.join("checkpoints/last")).unwrap().path;
    let cpu = Device::cpu();
    let scored = evaluate(
        &path,
        &recipe,
        &data(),
        data::Split::Test,
        &cpu,
        &mut |_, _| {},
    );
    let score = scored.unwrap().score;
    for (key, value) in [
        ("test_accuracy", score.accuracy),
        ("test_macro_f1", score.macro_f1()),
    ] {
        assert!(
            (value - last[key].as_f64().unwrap()).abs() < 1e-6,
            "{key} in {last}"
        );
    }
}

#[test]
fn the_penalty_is_that_of_what_decays_and_none_without_decay() {
    let mut recipe = recipe();
    recipe.epochs = 1;
    let penalty = |recipe: &Recipe| {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("run");
        finished(run(&folder, recipe.clone(), u64::MAX));
        let row = lines(&folder, "metrics.jsonl").remove(0);
        let path = folder.join("checkpoints/last/model.safetensors");
        (
            row["penalty"].as_f64(),
            Network::open(&path, &Device::cpu()).unwrap(),
        )
    };
    assert_eq!(penalty(&recipe).0, None);
    recipe.optimizer.weight_decay = 0.02;
    recipe.optimizer.decay_only = vec!["conv2.weight".to_owned()];
    let (got, network) = penalty(&recipe);
    let mut parameters = network.parameters().iter();
    let (_, weight) = parameters.find(|(name, _)| name == "conv2.weight").unwrap();
    let weights = weight.to_vec::<f32>().unwrap().into_iter();
    // Half of the coefficient: its gradient is then the decay times the weight.
    let want = 0.01 * weights.map(|w| f64::from(w).powi(2)).sum::<f64>();
    assert!((got.unwrap() - want).abs() < 1e-6, "{got:?}, not {want}");
    recipe.optimizer.kind = OptimizerKind::AdamW;
    assert_eq!(penalty(&recipe).0, None, "decoupled decay is in no loss");
}

#[test]
fn a_rate_that_falls_is_told() {
    let mut recipe = standing();
    recipe.schedule.kind = ScheduleKind::Plateau;
    recipe.schedule.metric = Metric::ValError;
    (recipe.schedule.patience, recipe.schedule.factor) = (1, 0.5);
    let mut trainer = trainer(recipe);
    let mut told = Vec::new();
    let mut listener = |event: Event<'_>| {
        if let Event::RateCut(cut) = event {
            told.push((cut.epoch, cut.metric, cut.old, cut.new));
        }
    };
    trainer.run(&AtomicBool::new(false), &mut listener).unwrap();
    let error = Metric::ValError;
    assert_eq!(told, [(3, error, 1e-12, 5e-13), (5, error, 5e-13, 2.5e-13)]);
}

#[test]
fn a_variant_is_trained_kept_and_opened_as_what_it_is() {
    let root = tempfile::tempdir().unwrap();
    let [straight, stopped] = ["straight", "stopped"].map(|name| root.path().join(name));
    let settings = [
        "layers.activation=tanh",
        "layers.lrn=false",
        "layers.overlapping_pools=false",
        "epochs=2",
    ];
    let recipe = recipe().with_settings(&settings).unwrap();
    finished(run(&straight, recipe.clone(), u64::MAX));
    run(&stopped, recipe.clone(), 3);
    finished(run(&stopped, recipe, u64::MAX));
    assert_same_run(&straight, &stopped, "a variant");
    let path = straight.join("checkpoints/last/model.safetensors");
    let opened = Network::open(&path, &Device::cpu()).unwrap();
    let summary = opened.architecture().summary().to_string();
    assert!(
        summary.contains("conv1_act") && summary.contains("tanh"),
        "{summary}"
    );
    assert!(
        !summary.contains("LRN") && !summary.contains("ReLU"),
        "{summary}"
    );
    // The network of its name has the same parameters, and computes something else.
    let own = Architecture::new("alexnet-small", None, None).unwrap();
    let own = Network::new(own, 1, &Device::cpu()).unwrap();
    let message = own.load(&path).unwrap_err().to_string();
    assert!(message.contains("other layers"), "{message}");
}

#[test]
fn an_older_run_of_the_network_whose_dropout_moved_keeps_its_place() {
    let recipe = Recipe::named("torch-cifar100").unwrap();
    let of_run = |recipe: &Recipe| {
        let text = recipe.to_toml().unwrap();
        Recipe::of_run(&text, Path::new("config.toml")).unwrap()
    };
    let names = |recipe: &Recipe| -> Vec<String> {
        let network = recipe.architecture(100, 3).unwrap();
        network
            .layers()
            .skip(11)
            .map(|layer| layer.name().to_owned())
            .collect()
    };
    assert_eq!(names(&of_run(&recipe))[..2], ["drop6", "fc6"]);
    let after = recipe
        .with_settings(&["layers.dropout_place=after"])
        .unwrap();
    assert_eq!(names(&of_run(&after)), names(&recipe));
}
