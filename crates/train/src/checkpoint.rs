//! Checkpoints: a folder with the weights, the optimizer's state and where the run is, replaced as a whole.
//!
//! A new checkpoint is written beside the old one (`.last.tmp`) and synced; then the old one is moved away (`.last.old`)
//! and the new one moved in. A kill between the two renames leaves both, and [`recover`] finishes the move.
//!
//! `state.json` has the SHA-256 of every file beside it and of itself, with zeros in that digest's place. Whoever reads a
//! checkpoint checks them first. Checkpoints of format 1 have none, and are read unchecked.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::control::Metric;
use crate::error::{Error, Result};
use crate::record::{Row, number_or_null};
use crate::schedule::PlateauState;

/// The version of `state.json` that this program writes: with checksums. It reads 1 too, which had none.
const FORMAT: u32 = 2;
/// A state of 100,000 epochs is a third of this.
const MOST_STATE_BYTES: u64 = 64 << 20;
/// More bytes than any weights of these networks or their optimizer's state have.
const MOST_TENSOR_BYTES: u64 = 64 << 30;
/// In place of the state's own digest while that is computed.
const NO_DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const MODEL: &str = "model.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const STATE: &str = "state.json";

/// Where a run is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    pub(crate) format: u32,
    /// Epochs that are done, validation included.
    pub(crate) epoch: u64,
    /// Batches of the epoch after those that are done.
    pub(crate) batch: usize,
    /// Steps over the whole run.
    pub(crate) step: u64,
    /// What the begun epoch's batches have come to.
    pub(crate) partial: Partial,
    /// The epochs that are done.
    pub(crate) rows: Vec<Row>,
    /// The best of them: see [`Best::after`].
    pub(crate) best: Option<Best>,
    /// Where a plateau schedule is; absent with another one, and in checkpoints of before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) plateau: Option<PlateauState>,
    /// Seconds of training steps so far.
    pub(crate) train_s: f64,
    /// Seconds of everything so far.
    pub(crate) wall_s: f64,
    /// The run's settings, as `config.toml` had them; none in format 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<String>,
    /// The checksums. There are some in the file alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<Digests>,
}

/// The SHA-256 of a checkpoint's files, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Digests {
    #[serde(rename = "model.safetensors")]
    model: String,
    #[serde(rename = "optimizer.safetensors")]
    optimizer: String,
    #[serde(rename = "state.json")]
    state: String,
}

/// A file of a checkpoint that a reader wants.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Model,
    Optimizer,
}

/// Sums over the batches of a begun epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Partial {
    /// The device's f32 sums. JSON may change the last bit of an f64, which rounding to f32 takes away again.
    #[serde(deserialize_with = "number_or_null")]
    pub(crate) loss: f64,
    pub(crate) correct: f64,
    pub(crate) correct_in_five: f64,
    pub(crate) images: f64,
    pub(crate) seconds: f64,
    pub(crate) waited_s: f64,
}

/// The best epoch so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Best {
    pub(crate) epoch: u64,
    pub(crate) accuracy: f64,
}

impl Best {
    /// The epoch of `row`, if it is better by `metric` than the best of the epochs before, whose `rows` these are. Of equal
    /// ones by accuracy the one with the lower loss is better, of equal ones by loss the one with the higher accuracy, and
    /// then the earlier one. A metric that is not finite is never better.
    pub(crate) fn after(
        best: Option<Self>,
        rows: &[Row],
        row: &Row,
        metric: Metric,
    ) -> Option<Self> {
        let accuracy = row.val_accuracy?;
        let new = Self {
            epoch: row.epoch,
            accuracy,
        };
        let is_finite = |value: Option<f64>| value.is_some_and(f64::is_finite);
        if !is_finite(row.val_loss) || !is_finite(metric.of(row)) {
            return None;
        }
        let before = best.and_then(|best| rows.iter().find(|row| row.epoch == best.epoch));
        let is_better = match (best, before) {
            (None, _) => true,
            (Some(best), None) => accuracy > best.accuracy,
            (Some(_), Some(before)) => metric.is_better(row, before),
        };
        is_better.then_some(new)
    }
}

impl State {
    /// A run's before its first step.
    pub(crate) fn new(plateau: Option<PlateauState>) -> Self {
        Self {
            plateau,
            ..Self::default()
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            format: FORMAT,
            epoch: 0,
            batch: 0,
            step: 0,
            partial: Partial::default(),
            rows: Vec::new(),
            best: None,
            plateau: None,
            train_s: 0.0,
            wall_s: 0.0,
            config: None,
            sha256: None,
        }
    }
}

/// The files of a checkpoint, in memory.
#[derive(Debug)]
pub(crate) struct Checkpoint<'a> {
    pub(crate) model: &'a [u8],
    pub(crate) optimizer: &'a [u8],
    pub(crate) state: &'a State,
}

/// The weight file of a checkpoint folder.
pub(crate) fn model_path(folder: &Path) -> PathBuf {
    folder.join(MODEL)
}

/// The optimizer's file of a checkpoint folder.
pub(crate) fn optimizer_path(folder: &Path) -> PathBuf {
    folder.join(OPTIMIZER)
}

/// Names beside a checkpoint's folder: the new one on its way in, the old one on its way out.
fn beside(folder: &Path) -> [PathBuf; 2] {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    ["tmp", "old"].map(|end| folder.with_file_name(format!(".{name}.{end}")))
}

/// Puts a checkpoint at `folder`, in place of the one there.
pub(crate) fn save(folder: &Path, checkpoint: &Checkpoint<'_>) -> Result<()> {
    let [new, old] = beside(folder);
    recover(folder)?;
    remove(&new)?;
    fs::create_dir_all(&new).map_err(Error::io(&new, "create the folder"))?;
    files::replace(&new.join(MODEL), checkpoint.model)?;
    files::replace(&new.join(OPTIMIZER), checkpoint.optimizer)?;
    files::replace(&new.join(STATE), state_text(checkpoint)?.as_bytes())?;
    remove(&old)?;
    if folder.exists() {
        rename(folder, &old)?;
    }
    rename(&new, folder)?;
    remove(&old)
}

/// Finishes what a killed [`save`] has left. Afterwards `folder` is a whole checkpoint, or there has never been one.
pub(crate) fn recover(folder: &Path) -> Result<()> {
    let [new, old] = beside(folder);
    if folder.exists() || !old.exists() {
        return Ok(());
    }
    // The old one is moved away only when the new one is whole; a disk may have lost it since.
    let is_whole = new.exists() && verify(&new, &[Part::Model, Part::Optimizer]).is_ok();
    rename(if is_whole { &new } else { &old }, folder)
}

/// The folder to read a checkpoint from that may be on its way in, for those who only read and must not move it.
pub(crate) fn present(folder: &Path) -> PathBuf {
    let [new, old] = beside(folder);
    if folder.exists() || !old.exists() {
        return folder.to_owned();
    }
    if verify(&new, &[Part::Model]).is_ok() {
        new
    } else {
        old
    }
}

/// The text of `state.json`: with the digests of all files, its own last.
fn state_text(checkpoint: &Checkpoint<'_>) -> Result<String> {
    let state = State {
        format: FORMAT,
        sha256: Some(Digests {
            model: files::sha256(&[checkpoint.model]),
            optimizer: files::sha256(&[checkpoint.optimizer]),
            state: NO_DIGEST.to_owned(),
        }),
        ..checkpoint.state.clone()
    };
    let mut text = serde_json::to_string_pretty(&state)
        .map_err(|error| Error::setting("state", "numbers that JSON holds", error))?;
    text.push('\n');
    let own = files::sha256(&[text.as_bytes()]);
    Ok(replaced_last(&text, NO_DIGEST, &own))
}

/// `text` with the last `from` replaced: the digests are the state's last field.
fn replaced_last(text: &str, from: &str, to: &str) -> String {
    match text.rfind(from) {
        Some(at) => [&text[..at], to, &text[at + from.len()..]].concat(),
        None => text.to_owned(),
    }
}

/// Checks the checksums of a checkpoint's state and of these files. Returns whether there were any: format 1 has none.
///
/// # Errors
/// [`Error::Damaged`] for the first file that is not the one that was saved; if one can't be read.
pub(crate) fn verify(folder: &Path, parts: &[Part]) -> Result<bool> {
    // A run in training may replace the checkpoint in between: then the new one is checked.
    let mut last = Ok(false);
    for _ in 0..3 {
        let before = read_state(folder)?;
        last = check_parts(folder, &before, parts);
        if last.is_ok() || read_state(folder).is_ok_and(|after| after == before) {
            break;
        }
    }
    last
}

fn check_parts(folder: &Path, state: &State, parts: &[Part]) -> Result<bool> {
    let Some(digests) = &state.sha256 else {
        return Ok(false);
    };
    for part in parts {
        let (path, expected) = match part {
            Part::Model => (model_path(folder), &digests.model),
            Part::Optimizer => (optimizer_path(folder), &digests.optimizer),
        };
        let found = files::sha256(&[&files::read(&path, MOST_TENSOR_BYTES)?]);
        if found != *expected {
            return Err(Error::Damaged {
                path,
                expected: expected.clone(),
                found,
            });
        }
    }
    Ok(true)
}

/// Whether a folder is a checkpoint's, which says what its files must be.
pub(crate) fn is_checkpoint(folder: &Path) -> bool {
    folder.join(STATE).exists() || folder.join(OPTIMIZER).exists()
}

/// The state in a checkpoint folder, if there is one.
pub(crate) fn load_state(folder: &Path) -> Result<Option<State>> {
    recover(folder)?;
    if !folder.exists() {
        return Ok(None);
    }
    let mut state = read_state(folder)?;
    state.sha256 = None;
    state.format = FORMAT;
    Ok(Some(state))
}

/// The state in a checkpoint folder with its digests, itself checked.
fn read_state(folder: &Path) -> Result<State> {
    let path = folder.join(STATE);
    let text = files::read_text(&path, MOST_STATE_BYTES)?;
    let wrong = |message: String| Error::Format {
        path: path.clone(),
        message,
    };
    let state: State = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    match (state.format, &state.sha256) {
        (1, None) => {}
        (1 | FORMAT, Some(digests)) => {
            let blank = replaced_last(&text, &digests.state, NO_DIGEST);
            let found = files::sha256(&[blank.as_bytes()]);
            if found != digests.state {
                let expected = digests.state.clone();
                return Err(Error::Damaged {
                    path,
                    expected,
                    found,
                });
            }
        }
        (FORMAT, None) => return Err(wrong("expected checksums, found none".to_owned())),
        (other, _) => return Err(wrong(format!("expected format {FORMAT}, found {other}"))),
    }
    Ok(state)
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(Error::io(to, "move the checkpoint in"))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(folder, "remove")(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(step: u64) -> State {
        State {
            step,
            ..State::default()
        }
    }

    #[test]
    fn the_best_epoch_is_by_the_metric_then_by_the_other_then_the_earliest() {
        let row = |epoch, loss, accuracy| Row {
            epoch,
            step: epoch,
            lr: 1e-3,
            train_loss: 1.0,
            train_accuracy: 0.5,
            val_loss: Some(loss),
            val_accuracy: Some(accuracy),
            val_top5: None,
            images_per_s: 1.0,
            data_wait_fraction: 0.0,
            seconds: 1.0,
        };
        let nan = f64::NAN;
        let rows = [
            row(1, 0.9, 0.5),
            row(2, 0.7, 0.8),
            row(3, 0.6, 0.8),
            row(4, 0.6, 0.7),
            row(5, 0.6, 0.8),
            row(6, nan, 1.0),
            row(7, 0.5, 0.6),
        ];
        let best = |metric| {
            let mut best: Option<Best> = None;
            let mut epochs = Vec::new();
            for (idx, row) in rows.iter().enumerate() {
                best = Best::after(best, &rows[..idx], row, metric).or(best);
                epochs.extend(best.map(|best| best.epoch));
            }
            epochs
        };
        assert_eq!(best(Metric::ValLoss), [1, 2, 3, 3, 3, 3, 7]);
        assert_eq!(best(Metric::ValAccuracy), [1, 2, 3, 3, 3, 3, 3]);
    }

    fn put(folder: &Path, step: u64) {
        let checkpoint = Checkpoint {
            model: b"model",
            optimizer: b"optimizer",
            state: &state(step),
        };
        save(folder, &checkpoint).unwrap();
    }

    #[test]
    fn a_checkpoint_is_replaced_as_a_whole() {
        let root = tempfile::tempdir().unwrap();
        let last = root.path().join("checkpoints/last");
        assert_eq!(load_state(&last).unwrap(), None);
        put(&last, 1);
        put(&last, 2);
        assert_eq!(load_state(&last).unwrap(), Some(state(2)));
        let left = fs::read_dir(last.parent().unwrap()).unwrap().count();
        assert_eq!(left, 1, "nothing is left beside it");
    }

    #[test]
    fn a_kill_at_any_point_of_the_move_leaves_a_whole_checkpoint() {
        let root = tempfile::tempdir().unwrap();
        let last = root.path().join("last");
        let [new, old] = beside(&last);
        put(&last, 1);
        fs::create_dir(&new).unwrap();
        assert_eq!(
            load_state(&last).unwrap(),
            Some(state(1)),
            "while writing the new one"
        );
        put(&last, 2);
        // Between the two renames.
        fs::rename(&last, &new).unwrap();
        put(&root.path().join("other"), 1);
        fs::rename(root.path().join("other"), &old).unwrap();
        assert_eq!(
            load_state(&last).unwrap(),
            Some(state(2)),
            "between the renames"
        );
        assert!(old.exists(), "the old one is still there");
        put(&last, 3);
        assert!(!old.exists() && !new.exists(), "and goes with the next");
    }

    #[test]
    fn a_damaged_state_is_an_error_that_names_the_file() {
        let root = tempfile::tempdir().unwrap();
        let last = root.path().join("last");
        put(&last, 1);
        for text in ["{", "{\"format\": 1}", "[]"] {
            fs::write(last.join(STATE), text).unwrap();
            let message = load_state(&last).unwrap_err().to_string();
            assert!(message.contains("state.json"), "{message}");
        }
    }
}
