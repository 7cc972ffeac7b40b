//! The scores of a network on a split, as in `evaluation.json`.

use std::path::Path;

use data::Split;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::eval::score::{Mistake, Score};
use crate::run::rows::{number_or_null, rounded};

/// `evaluation.json`: the scores of a network on a split, class by class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// `train`, `validation` or `test`.
    pub split: String,
    /// Images.
    pub images: u64,
    /// Mean cross-entropy, in nats.
    #[serde(deserialize_with = "number_or_null")]
    pub loss: f64,
    /// Accuracy.
    #[serde(deserialize_with = "number_or_null")]
    pub accuracy: f64,
    /// Top-5 accuracy.
    #[serde(deserialize_with = "number_or_null")]
    pub top5: f64,
    /// Mean F1 of the classes that are true or predicted at least once.
    #[serde(deserialize_with = "number_or_null")]
    pub macro_f1: f64,
    /// The classes' names.
    pub classes: Vec<String>,
    /// `[true][predicted]`: images.
    pub confusion: Vec<Vec<u64>>,
    /// Figures of each class.
    pub per_class: Vec<ClassScore>,
    /// The most confident mistakes, most confident first. Their `sample` is the index in the split, as
    /// [`crate::Recipe::open_data`] opens it and [`crate::Recipe::limit`] cuts it.
    pub mistakes: Vec<Mistake>,
}

/// The scores of a network on one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassScore {
    /// The class.
    pub name: String,
    /// Precision: the share of predictions of this class that are right; 0 if there is none.
    pub precision: f64,
    /// Recall: the share of this class's images that are predicted as it; 0 if there is none.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
    /// Images of this class.
    pub support: u64,
}

impl Evaluation {
    /// The evaluation that a score on a split is, with these class names.
    #[must_use]
    pub fn new(split: Split, classes: &[String], score: &Score) -> Self {
        let confusion = &score.confusion;
        let figures = [
            confusion.precision(0.0),
            confusion.recall(0.0),
            confusion.f1(0.0),
        ]
        .map(|scores| scores.per_class);
        let per_class = classes.iter().enumerate().map(|(class, name)| {
            let [precision, recall, f1] =
                [0, 1, 2].map(|figure: usize| rounded(figures[figure][class]));
            ClassScore {
                name: name.clone(),
                precision,
                recall,
                f1,
                support: confusion.support(class),
            }
        });
        let rows = confusion.counts().chunks_exact(confusion.classes().max(1));
        Self {
            split: split.to_string(),
            images: score.images,
            loss: rounded(score.loss),
            accuracy: rounded(score.accuracy),
            top5: rounded(score.top5),
            macro_f1: rounded(score.macro_f1()),
            classes: classes.to_vec(),
            confusion: rows.map(<[u64]>::to_vec).collect(),
            per_class: per_class.collect(),
            mistakes: score.mistakes.clone(),
        }
    }

    /// Writes it as JSON.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::setting("evaluation", "numbers that JSON holds", error))?;
        text.push('\n');
        Ok(files::replace(path, text.as_bytes())?)
    }
}
