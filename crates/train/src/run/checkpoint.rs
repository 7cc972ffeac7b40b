//! Checkpoints: a folder with the weights, the optimizer's state and where the run is, replaced as a whole.
//!
//! A new checkpoint is written beside the old one (`.last.tmp`) and synced; then the old one is moved away (`.last.old`)
//! and the new one moved in. A kill between the two renames leaves both, and [`recover`] finishes the move.
//!
//! `state.json` has the SHA-256 of every file beside it and of itself, with zeros in that digest's place. Whoever reads a
//! checkpoint checks them first. Checkpoints of format 1 have none, and are read unchecked.

mod state;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

use state::Digests;
pub(crate) use state::{Best, Partial, State};

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

/// A file of a checkpoint that a reader wants.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Model,
    Optimizer,
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
    files::create_folder(&new)?;
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
    files::rename(from, to).map_err(Error::io(to, "move the checkpoint in"))
}

fn remove(folder: &Path) -> Result<()> {
    match files::remove_folder(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(folder, "remove")(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn state(step: u64) -> State {
        State {
            step,
            ..State::default()
        }
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
