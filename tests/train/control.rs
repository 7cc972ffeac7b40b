//! What stops, slows and saves a run, and that a run which goes on does so as if it had never stopped.

use std::fs;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use data::Images;
use model::Network;
use tensor::Device;
use train::{
    CheckpointsRecipe, EarlyStoppingRecipe, Ended, Evaluation, Event, Metric, Recipe, RunDir,
    ScheduleKind, StepRow, Summary, Trainer, Weights,
};

use super::plateau::standing;
use super::{assert_same_run, bytes, data, finished, recipe, run, trainer};

#[test]
fn early_stopping_ends_a_run_and_the_best_weights_are_tested() {
    let root = tempfile::tempdir().unwrap();
    let [straight, stopped] = ["straight", "stopped"].map(|name| root.path().join(name));
    let mut recipe = standing();
    recipe.early_stopping = Some(EarlyStoppingRecipe {
        patience: 2,
        metric: Metric::ValLoss,
        min_delta: 0.0,
    });
    let summary = finished(run(&straight, recipe.clone(), u64::MAX));
    assert_eq!(
        (summary.ended, summary.epochs, summary.best_epoch),
        (Ended::EarlyStopping, 3, Some(1)),
        "two epochs after the first"
    );
    assert_eq!(summary.weights, "best");
    run(&stopped, recipe.clone(), 10);
    finished(run(&stopped, recipe, u64::MAX));
    assert_same_run(&straight, &stopped, "stopped in the third epoch");
}

#[test]
fn a_run_that_stopped_early_goes_on_with_more_patience() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let mut recipe = recipe();
    // No epoch is better than the first by so much.
    let stopping = |patience| EarlyStoppingRecipe {
        patience,
        metric: Metric::ValLoss,
        min_delta: 10.0,
    };
    recipe.early_stopping = Some(stopping(1));
    assert_eq!(finished(run(&folder, recipe.clone(), u64::MAX)).epochs, 2);
    assert_eq!(finished(run(&folder, recipe.clone(), u64::MAX)).epochs, 2);
    recipe.early_stopping = Some(stopping(2));
    let summary = finished(run(&folder, recipe.clone(), u64::MAX));
    assert_eq!((summary.epochs, summary.ended), (3, Ended::EarlyStopping));
    assert_eq!(
        recipe.best_metric(),
        Metric::ValLoss,
        "the best is by what is watched"
    );
    recipe.checkpoints.best = Some(Metric::ValAccuracy);
    assert_eq!(recipe.best_metric(), Metric::ValAccuracy);
}

#[test]
fn a_schedule_of_more_epochs_tells_by_how_much_the_rate_jumps() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let mut recipe = recipe();
    recipe.epochs = 2;
    recipe.schedule = train::ScheduleRecipe {
        kind: ScheduleKind::Cosine,
        ..train::ScheduleRecipe::default()
    };
    finished(run(&folder, recipe.clone(), u64::MAX));
    let change = |recipe: &Recipe| {
        let mut trainer = trainer(recipe.clone());
        trainer.resume(RunDir::open(&folder).unwrap()).unwrap();
        let mut change = None;
        let mut listener = |event: Event<'_>| {
            if let Event::Started(start) = event {
                change = start.rate_change;
            }
        };
        drop(trainer.run(&AtomicBool::new(true), &mut listener).unwrap());
        change
    };
    assert_eq!(change(&recipe), None, "the same epochs");
    recipe.epochs = 4;
    // Half a cosine over 8 steps, and over 16: the last step done is number 8, or t = 7.
    let rate = |steps: f64| 4e-4 * (1.0 + (std::f64::consts::PI * 7.0 / steps).cos()) / 2.0;
    let change = change(&recipe).unwrap();
    assert_eq!((change.step, change.epochs), (8, [2, 4]));
    assert!((change.old - rate(8.0)).abs() < 1e-15, "{change:?}");
    assert!((change.new - rate(16.0)).abs() < 1e-15, "{change:?}");
}

#[test]
fn a_metric_that_is_not_there_is_an_error() {
    let mut data = data();
    data.validation = None;
    let mut recipe = recipe();
    recipe.early_stopping = Some(EarlyStoppingRecipe {
        patience: 2,
        metric: Metric::ValAccuracy,
        min_delta: 0.0,
    });
    let error = Trainer::new(recipe.clone(), data.clone(), &Device::cpu()).unwrap_err();
    assert!(
        error.to_string().starts_with("early_stopping.metric: "),
        "{error}"
    );
    recipe.early_stopping = None;
    recipe.schedule.kind = ScheduleKind::Plateau;
    let error = Trainer::new(recipe.clone(), data.clone(), &Device::cpu()).unwrap_err();
    assert!(
        error.to_string().starts_with("schedule.metric: "),
        "{error}"
    );
    recipe.schedule.metric = Metric::TrainLoss;
    Trainer::new(recipe, data, &Device::cpu()).unwrap();
}

#[test]
fn checkpoints_of_epochs_are_kept_up_to_a_number() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let mut recipe = recipe();
    recipe.epochs = 5;
    recipe.checkpoints = CheckpointsRecipe {
        every: 1,
        keep: 2,
        ..CheckpointsRecipe::default()
    };
    // The second epoch is begun when the run is stopped: that makes no checkpoint of it.
    run(&folder, recipe.clone(), 6);
    let names = || {
        let entries = fs::read_dir(folder.join("checkpoints")).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["best", "epoch-0001", "last"]);
    // What a kill may leave.
    fs::create_dir(folder.join("checkpoints/.epoch-0001.tmp")).unwrap();
    finished(run(&folder, recipe, u64::MAX));
    assert_eq!(names(), ["best", "epoch-0004", "epoch-0005", "last"]);
    let name = "model.safetensors";
    assert!(
        bytes(&folder, &format!("epoch-0005/{name}")) == bytes(&folder, &format!("last/{name}")),
        "the weights of the last epoch"
    );
    let state = bytes(&folder, "epoch-0004/state.json");
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    assert_eq!(state["epoch"], 4);
}

#[test]
fn a_run_whose_time_is_up_is_tested_and_can_go_on_with_the_same_bits() {
    let root = tempfile::tempdir().unwrap();
    let [straight, timed] = ["straight", "timed"].map(|name| root.path().join(name));
    let expected = finished(run(&straight, recipe(), u64::MAX));
    let timed_run = || {
        let mut trainer = trainer(recipe());
        if timed.exists() {
            trainer.resume(RunDir::open(&timed).unwrap()).unwrap();
        } else {
            let run = RunDir::create(&timed, trainer.recipe()).unwrap();
            trainer.save_to(run).unwrap();
        }
        // The first step takes longer than that, whatever the machine.
        trainer.set_max_time(Duration::from_micros(1));
        let mut events = 0;
        let stop = AtomicBool::new(false);
        let mut listener = |event: Event<'_>| events += u32::from(matches!(event, Event::Step(_)));
        let summary = finished(trainer.run(&stop, &mut listener).unwrap());
        (summary, events)
    };
    let (summary, steps) = timed_run();
    assert_eq!(steps, 1, "one step is done, however short the time");
    assert!(summary.train_loss.is_finite(), "{summary:?}");
    assert_eq!(summary.ended, Ended::MaxTime);
    // Again from within the first epoch, which has a row only while the run is at rest.
    let stopped = run(&timed, recipe(), 6);
    assert!(
        matches!(stopped, train::Outcome::Interrupted { step: 6 }),
        "{stopped:?}"
    );
    assert!(
        !timed.join("summary.json").exists(),
        "a run under way has no summary"
    );
    let (summary, _) = timed_run();
    assert_eq!((summary.epochs, summary.ended), (1, Ended::MaxTime));
    assert!(
        summary.test_accuracy.is_some() && summary.val_accuracy.is_some(),
        "{summary:?}"
    );
    let rows = fs::read_to_string(timed.join("metrics.csv")).unwrap();
    assert_eq!(
        rows.lines().count(),
        3,
        "header, epoch 1, the begun epoch 2:\n{rows}"
    );
    let weights = Weights::find(&timed).unwrap().path;
    assert!(
        weights.ends_with(format!("{}/model.safetensors", summary.weights)),
        "{weights:?}"
    );
    let finished = finished(run(&timed, recipe(), u64::MAX));
    assert_same_run(&straight, &timed, "stopped twice by the time");
    let figures = |s: &Summary| (s.test_loss, s.best_epoch, s.steps, s.ended);
    assert_eq!(figures(&finished), figures(&expected));
}

#[test]
fn the_steps_are_noted_and_go_on_where_the_run_does() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let rows = || {
        let text = fs::read_to_string(folder.join("steps.jsonl")).unwrap();
        let row = |line| serde_json::from_str(line).unwrap();
        text.lines().map(row).collect::<Vec<StepRow>>()
    };
    run(&folder, recipe(), 6);
    let before = rows();
    assert_eq!(before.last().unwrap().step, 6, "the stop is noted");
    // A line that the checkpoint does not know of.
    let late = StepRow {
        step: 7,
        ..before[0].clone()
    };
    let mut text = fs::read_to_string(folder.join("steps.jsonl")).unwrap();
    text.push_str(&serde_json::to_string(&late).unwrap());
    fs::write(folder.join("steps.jsonl"), text).unwrap();
    finished(run(&folder, recipe(), u64::MAX));
    let after = rows();
    assert_eq!(after[..before.len()], before[..], "what was done stays");
    let pairs = after.windows(2);
    for pair in pairs {
        assert!(
            pair[0].step < pair[1].step && pair[0].time_s <= pair[1].time_s,
            "{pair:?}"
        );
    }
    for step in [4, 8, 12, 16] {
        let row = after.iter().find(|row| row.step == step);
        let row = row.unwrap_or_else(|| panic!("epochs end with a line: {after:?}"));
        assert_eq!((row.epoch, row.done, row.of), (step / 4, 4, 4));
        assert!(
            row.loss > 0.0 && row.lr > 0.0 && row.images_per_s > 0.0,
            "{row:?}"
        );
    }
}

#[test]
fn an_evaluation_is_written_that_agrees_with_the_summary_and_its_own_counts() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let mut recipe = recipe();
    recipe.epochs = 1;
    let summary = finished(run(&folder, recipe, u64::MAX));
    let text = fs::read_to_string(folder.join("evaluation.json")).unwrap();
    let it: Evaluation = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (it.split.as_str(), it.images, it.classes.len()),
        ("test", 30, 10)
    );
    assert_eq!(
        (
            Some(it.loss),
            Some(it.accuracy),
            Some(it.top5),
            Some(it.macro_f1)
        ),
        (
            summary.test_loss,
            summary.test_accuracy,
            summary.test_top5,
            summary.test_macro_f1
        )
    );
    let right: u64 = (0..10).map(|class| it.confusion[class][class]).sum();
    let wrong = usize::try_from(30 - right).unwrap();
    assert_eq!(it.mistakes.len(), wrong, "fewer than 64: all of them");
    for (class, row) in it.confusion.iter().enumerate() {
        assert_eq!(row.iter().sum::<u64>(), it.per_class[class].support);
    }
    let test = data().test.unwrap();
    for mistake in &it.mistakes {
        assert_eq!(
            test.labels()[mistake.sample as usize],
            mistake.truth,
            "{mistake:?}"
        );
        assert_ne!(mistake.predicted, mistake.truth);
    }
}

#[test]
fn fine_tuning_takes_over_all_but_the_head() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let mut recipe = recipe();
    recipe.epochs = 1;
    finished(run(&folder, recipe.clone(), u64::MAX));
    // The same images in two classes.
    let mut data = data();
    let (size, names) = (data.train.size(), vec!["even".to_owned(), "odd".to_owned()]);
    for images in [
        Some(&mut data.train),
        data.validation.as_mut(),
        data.test.as_mut(),
    ] {
        let images = images.unwrap();
        let labels = images.labels().iter().map(|label| label % 2).collect();
        let pixels = images.read_all().unwrap();
        *images = Images::from_pixels(size, pixels, labels, names.clone()).unwrap();
    }
    recipe.from = Some(folder.to_str().unwrap().to_owned());
    let mut tuned = Trainer::new(recipe.clone(), data.clone(), &Device::cpu()).unwrap();
    tuned.load_initial_weights().unwrap();
    let old = Network::open(&Weights::find(&folder).unwrap().path, &Device::cpu());
    let old = old.unwrap();
    let pairs = tuned.network().parameters().iter().zip(old.parameters());
    let mut new = Vec::new();
    for ((name, ours), (_, theirs)) in pairs {
        if ours.shape() == theirs.shape() {
            let [ours, theirs] = [ours, theirs].map(|tensor| tensor.to_vec::<f32>().unwrap());
            assert!(ours == theirs, "{name}");
        } else {
            new.push(name.clone());
        }
    }
    assert_eq!(new.len(), 2, "the head's weight and bias: {new:?}");
    let mut told = None;
    let mut listener = |event: Event<'_>| {
        if let Event::Started(start) = event {
            told.clone_from(&start.initial);
        }
    };
    tuned.run(&AtomicBool::new(false), &mut listener).unwrap();
    let mut told = told.unwrap();
    assert_eq!(told.new, new);
    new.sort();
    told.unused.sort();
    assert_eq!(told.unused, new);
    assert_eq!(told.loaded.len() + 2, old.parameters().len());

    let nowhere = root.path().join("nowhere");
    recipe.from = Some(nowhere.to_str().unwrap().to_owned());
    let mut trainer = Trainer::new(recipe, data, &Device::cpu()).unwrap();
    let error = trainer.load_initial_weights().unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
}
