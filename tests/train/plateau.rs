//! The learning rate that falls where a metric stands still: its state is kept and goes on.

use std::fs;
use std::path::Path;

use train::{OptimizerKind, Recipe, ScheduleKind};

use super::{assert_same_run, finished, recipe, run};

/// Six epochs in which nothing improves: the network learns nothing at this rate.
pub(super) fn standing() -> Recipe {
    let mut recipe = recipe();
    recipe.epochs = 6;
    recipe.optimizer.kind = OptimizerKind::Sgd;
    recipe.optimizer.learning_rate = 1e-12;
    recipe.schedule.warmup_steps = 0;
    recipe
}

fn rates(folder: &Path) -> Vec<f64> {
    let text = fs::read_to_string(folder.join("metrics.csv")).unwrap();
    let rate = |line: &str| line.split(',').nth(2).unwrap().parse().unwrap();
    text.lines().skip(1).map(rate).collect()
}

#[test]
fn a_plateau_lowers_the_rate_and_survives_a_stop() {
    let root = tempfile::tempdir().unwrap();
    let [straight, stopped] = ["straight", "stopped"].map(|name| root.path().join(name));
    let mut recipe = standing();
    recipe.schedule.kind = ScheduleKind::Plateau;
    (recipe.schedule.patience, recipe.schedule.factor) = (1, 0.5);
    finished(run(&straight, recipe.clone(), u64::MAX));
    // The first epoch sets the mark, the second is let pass, and the third reduces the rate of the fourth.
    let expected = [1e-12, 1e-12, 1e-12, 5e-13, 5e-13, 2.5e-13];
    assert_eq!(rates(&straight), expected);
    for stop_at in [9, 14] {
        run(&stopped, recipe.clone(), stop_at);
    }
    finished(run(&stopped, recipe, u64::MAX));
    assert_same_run(&straight, &stopped, "stopped in the third and fourth epoch");
}

#[test]
fn a_plateaus_state_is_kept_and_worked_out_where_a_checkpoint_has_none() {
    let root = tempfile::tempdir().unwrap();
    let [straight, old] = ["straight", "old"].map(|name| root.path().join(name));
    let mut recipe = standing();
    recipe.schedule.kind = ScheduleKind::Plateau;
    (recipe.schedule.patience, recipe.schedule.factor) = (1, 0.5);
    finished(run(&straight, recipe.clone(), u64::MAX));
    run(&old, recipe.clone(), 14);
    // As before the state was kept: format 1, without checksums.
    for name in ["last", "best"] {
        let path = old.join("checkpoints").join(name).join("state.json");
        let text = fs::read_to_string(&path).unwrap();
        let mut state: serde_json::Value = serde_json::from_str(&text).unwrap();
        let fields = state.as_object_mut().unwrap();
        let kept = fields.remove("plateau").unwrap();
        assert!(kept["rate"].is_string(), "as a text: {kept}");
        fields.insert("format".to_owned(), 1.into());
        for key in ["sha256", "config"] {
            assert!(fields.remove(key).is_some(), "{key}");
        }
        fs::write(&path, state.to_string()).unwrap();
    }
    // Between epochs nothing else is at hand: the epochs so far say where the plateau is.
    finished(run(&old, recipe, u64::MAX));
    assert_eq!(rates(&straight), rates(&old));
    assert_same_run(&straight, &old, "worked out");
}
