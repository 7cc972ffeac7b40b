//! The settings of runs: what differs, between them or from the recipe, and the rest.

use serde::Serialize;
use serde_json::Value;
use train::Recipe;

use super::tables::{Line, side_by_side};
use crate::run::Run;

/// What follows from images and network, whatever the recipe says.
const RESOLVED: [&str; 12] = [
    "name",
    "about",
    "dataset",
    "validation",
    "input_size",
    "images.mean",
    "images.std",
    "images.channels",
    "images.source_size",
    "images.colour_components",
    "layers.dropout_place",
    "runtime.resident",
];

/// The settings of one run, or of several side by side.
#[derive(Serialize)]
pub(super) struct Settings {
    /// Those that runs do not share, a column for each run.
    pub(super) differing: Vec<Line>,
    /// Those that are not the recipe's: of a single run, beside the recipe's.
    changed: Vec<Line>,
    same: Vec<Line>,
}

pub(super) fn settings(runs: &[Run]) -> Settings {
    let own: Vec<Value> = runs.iter().map(|run| json(&run.recipe)).collect();
    if let ([run], [own]) = (runs, own.as_slice()) {
        let base = base(&run.recipe).map_or(Value::Null, |base| json(&base));
        let (changed, same) = side_by_side(&[own.clone(), base])
            .into_iter()
            .partition(|line| line.differs && !RESOLVED.contains(&line.label.as_str()));
        return Settings {
            differing: Vec::new(),
            changed: plain(changed),
            same: of_the_run(same),
        };
    }
    let lines = side_by_side(&own).into_iter();
    let (differing, same): (Vec<_>, Vec<_>) = lines.partition(|line| line.differs);
    Settings {
        // Each run's name is at the head of its column.
        differing: differing
            .into_iter()
            .filter(|line| line.label != "name")
            .collect(),
        changed: Vec::new(),
        same,
    }
}

/// The recipe that a run was begun with.
fn base(recipe: &Recipe) -> Option<Recipe> {
    let named = Recipe::named(&recipe.name);
    named.or_else(|_| Recipe::for_dataset(&recipe.dataset)).ok()
}

fn json(recipe: &Recipe) -> Value {
    serde_json::to_value(recipe).unwrap_or_default()
}

/// Lines that stand among their like: nothing is marked.
fn plain(lines: Vec<Line>) -> Vec<Line> {
    let unmarked = lines.into_iter().map(|line| Line {
        differs: false,
        ..line
    });
    unmarked.collect()
}

/// Without what the recipe says, and without settings that only the recipe has.
fn of_the_run(mut lines: Vec<Line>) -> Vec<Line> {
    for line in &mut lines {
        line.values.truncate(1);
    }
    lines.retain(|line| line.values.first().is_some_and(|value| !value.is_empty()));
    plain(lines)
}
