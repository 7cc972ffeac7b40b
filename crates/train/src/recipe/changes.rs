//! Which settings may change when a run is resumed, and which did.

use toml::{Table, Value};

use super::Recipe;
use crate::error::Result;

/// The settings, or tables of them, that a run may change between stopping and going on. The first are of how long it goes and
/// what it keeps; the learning rate's are changed on purpose, which is told; the rest change nothing that is trained.
/// Everything else says what is trained on what, and a checkpoint is of that alone.
pub(crate) const MAY_CHANGE: [&str; 10] = [
    "epochs",
    "early_stopping",
    "checkpoints",
    "optimizer.learning_rate",
    "schedule",
    "evaluation",
    "evaluation_batch_size",
    "about",
    "name",
    "runtime",
];

/// The differences between a recipe and the one that a run began with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecipeChanges {
    /// Settings that must stay the same within a run: `KEY was X, is Y`.
    pub(crate) refused: Vec<String>,
    /// Settings that it can.
    pub(crate) allowed: Vec<String>,
}

impl Recipe {
    /// What of `now` is not as it was in this recipe.
    pub(crate) fn changes(&self, now: &Self) -> Result<RecipeChanges> {
        let table = |recipe: &Self| -> Result<Vec<(String, String)>> {
            let table: Table = recipe.to_toml()?.parse().unwrap_or_default();
            let mut settings = Vec::new();
            flatten(&table, "", &mut settings);
            Ok(settings)
        };
        let (before, after) = (table(self)?, table(now)?);
        let value = |settings: &[(String, String)], key: &str| {
            let found = settings.iter().find(|(known, _)| known == key);
            found.map_or_else(|| "absent".to_owned(), |(_, value)| value.clone())
        };
        let mut keys: Vec<&String> = before.iter().chain(&after).map(|(key, _)| key).collect();
        keys.sort();
        keys.dedup();
        let mut changes = RecipeChanges::default();
        for key in keys {
            let (was, is) = (value(&before, key), value(&after, key));
            // Another device gives other bits; what else a machine has, none.
            if was == is || key.starts_with("runtime.") && key != "runtime.device" {
                continue;
            }
            let change = format!("{key} was {was}, is {is}");
            if may_change(key) {
                changes.allowed.push(change);
            } else {
                changes.refused.push(change);
            }
        }
        Ok(changes)
    }
}

fn may_change(key: &str) -> bool {
    MAY_CHANGE.iter().any(|free| {
        let rest = key.strip_prefix(free);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

pub(super) fn flatten(table: &Table, prefix: &str, settings: &mut Vec<(String, String)>) {
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        match value {
            Value::Table(inner) => flatten(inner, &format!("{key}."), settings),
            value => settings.push((key, value.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_the_meaning_is_refused_by_name_with_both_values() {
        let before = Recipe::named("shapes10").unwrap();
        assert_eq!(before.changes(&before).unwrap(), RecipeChanges::default());
        for (setting, key) in [
            ("network=alexnet-cifar", "network"),
            ("dataset=cifar10", "dataset"),
            ("batch_size=7", "batch_size"),
            ("seed=7", "seed"),
            ("optimizer.kind=sgd", "optimizer.kind"),
            ("optimizer.weight_decay=0.125", "optimizer.weight_decay"),
            ("images.brightness=0.5", "images.brightness"),
            ("precision=f16", "precision"),
            ("label_smoothing=0.5", "label_smoothing"),
            ("limit=9", "limit"),
        ] {
            let changes = before.changes(&before.with_settings(&[setting]).unwrap());
            let RecipeChanges { refused, allowed } = changes.unwrap();
            let value = setting.split_once('=').unwrap().1;
            assert_eq!((refused.len(), allowed.len()), (1, 0), "{setting}");
            assert!(
                refused[0].starts_with(&format!("{key} was ")),
                "{refused:?}"
            );
            assert!(refused[0].contains(value), "{refused:?}");
        }
        for setting in [
            "epochs=99",
            "early_stopping.patience=3",
            "checkpoints.every=2",
            "optimizer.learning_rate=0.125",
            "schedule.kind=constant",
        ] {
            let now = before.with_settings(&[setting]).unwrap();
            let changes = before.changes(&now).unwrap();
            assert!(changes.refused.is_empty(), "{setting}: {changes:?}");
            assert!(!changes.allowed.is_empty(), "{setting}");
        }
        let now = before.with_settings(&["runtime.device=gpu"]).unwrap();
        let changes = before.changes(&now).unwrap();
        assert_eq!(changes.allowed, ["runtime.device was \"auto\", is \"gpu\""]);
        assert!(changes.refused.is_empty(), "{changes:?}");
        let now = before.with_settings(&["runtime.loader_threads=7"]).unwrap();
        assert_eq!(before.changes(&now).unwrap(), RecipeChanges::default());
    }
}
