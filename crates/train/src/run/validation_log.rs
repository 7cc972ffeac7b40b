//! `validation.jsonl`: the validation split's scores within epochs, where the recipe asks for them.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::run::rows::number_or_null;
use crate::run::step_log::reopen;

/// The file in a run folder.
const NAME: &str = "validation.jsonl";

/// A line of `validation.jsonl`: the scores after a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValidationRow {
    /// The epoch, from 1.
    pub epoch: u64,
    /// Steps over the whole run.
    pub step: u64,
    /// Mean loss of the last training steps that were read back; of the last step, on the CPU.
    #[serde(deserialize_with = "number_or_null")]
    pub loss: f64,
    /// Mean validation loss.
    pub val_loss: f64,
    /// Validation accuracy.
    pub val_accuracy: f64,
    /// The mean F1 of the validation's classes.
    pub val_macro_f1: f64,
}

/// The file, open at its end.
#[derive(Debug)]
pub(crate) struct ValidationLog {
    path: PathBuf,
    file: File,
}

impl ValidationLog {
    /// Opens the log of a run that has done `step` steps, without lines of later ones.
    pub(crate) fn open(run: &Path, step: u64) -> Result<Self> {
        let path = run.join(NAME);
        Ok(Self {
            file: reopen(&path, step, |row: &ValidationRow| row.step)?,
            path,
        })
    }

    /// Writes a line.
    pub(crate) fn note(&mut self, row: &ValidationRow) -> Result<()> {
        let mut line = serde_json::to_string(row)
            .map_err(|error| Error::setting("validation", "numbers that JSON holds", error))?;
        line.push('\n');
        let written = self.file.write_all(line.as_bytes());
        written.map_err(Error::io(&self.path, "write"))
    }
}
