//! The scores of weights on a split.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use files::escape;
use serde_json::json;
use train::Evaluation;

use super::{in_json, print_json, to_stdout};
use crate::args::OutputArgs;

/// The scores of weights on a split; `by_class` adds a line for each class.
pub(crate) fn score(
    weights: &Path,
    dataset: &str,
    it: &Evaluation,
    by_class: bool,
    output: OutputArgs,
) -> Result<()> {
    if output.json {
        let mut value = json!({});
        in_json(&mut value, "weights", weights);
        value["dataset"] = json!(dataset);
        if let (Some(all), Some(own)) = (
            value.as_object_mut(),
            serde_json::to_value(it)?.as_object_mut(),
        ) {
            all.append(own);
        }
        return print_json(&value);
    }
    let dataset = escape(dataset);
    let mut text = format!(
        "{dataset} {}: accuracy {:.4} loss {:.4} top5 {:.4} macro-F1 {:.4} on {} images; top-1 error {:.4}, top-5 error {:.4}\n",
        it.split,
        it.accuracy,
        it.loss,
        it.top5,
        it.macro_f1,
        it.images,
        1.0 - it.accuracy,
        1.0 - it.top5
    );
    if by_class {
        let names = it.classes.iter().map(|name| escape(name).chars().count());
        let width = names.max().unwrap_or(0).max("class".len());
        writeln!(
            text,
            "{:<width$}  {:>9}  {:>9}  {:>9}  {:>7}  most confused with",
            "class", "precision", "recall", "F1", "images"
        )?;
        for (class, row) in it.per_class.iter().enumerate() {
            writeln!(
                text,
                "{:<width$}  {:>9.4}  {:>9.4}  {:>9.4}  {:>7}  {}",
                escape(&row.name),
                row.precision,
                row.recall,
                row.f1,
                row.support,
                taken_for(it, class)
            )?;
        }
    }
    to_stdout(&text)
}

/// The class that this one is most confused with, and how often.
fn taken_for(it: &Evaluation, class: usize) -> String {
    let row = it.confusion[class].iter().enumerate();
    let others = row.filter(|(other, count)| *other != class && **count > 0);
    // Of several, the first.
    let most = others.min_by_key(|(_, count)| u64::MAX - **count);
    most.map_or_else(String::new, |(other, count)| {
        format!("{} ({count})", escape(&it.classes[other]))
    })
}
