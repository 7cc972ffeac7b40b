//! `steps.jsonl`: how training goes, a line every few seconds.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::run::rows::{number_or_null, rounded, significant};
use crate::trainer::callback::Step;

/// The file in a run folder.
const NAME: &str = "steps.jsonl";
/// The time between two lines within an epoch: seldom enough that a long run's file stays small.
const EVERY: Duration = Duration::from_secs(2);
/// A longer line was not written by this program.
const MOST_LINE_BYTES: u64 = 64 << 10;

/// A line of `steps.jsonl`: where a run was after a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRow {
    /// Seconds since the run began, over all parts of a resumed run.
    #[serde(deserialize_with = "number_or_null")]
    pub time_s: f64,
    /// The epoch, from 1.
    pub epoch: u64,
    /// Steps over the whole run.
    pub step: u64,
    /// Steps of the epoch that are done.
    pub done: usize,
    /// Steps in an epoch.
    pub of: usize,
    /// Mean loss of the last steps that were read back.
    #[serde(deserialize_with = "number_or_null")]
    pub loss: f64,
    /// The epoch's training accuracy so far.
    #[serde(deserialize_with = "number_or_null")]
    pub accuracy: f64,
    /// The learning rate.
    #[serde(deserialize_with = "number_or_null")]
    pub lr: f64,
    /// Training images a second in this epoch.
    #[serde(deserialize_with = "number_or_null")]
    pub images_per_s: f64,
}

/// The file, open at its end.
#[derive(Debug)]
pub(crate) struct StepLog {
    path: PathBuf,
    file: File,
    /// When the last line was written, and for which step.
    last: Option<(Instant, u64)>,
}

impl StepLog {
    /// Opens the log of a run that has done `step` steps. Lines of later steps, and one that a kill has cut, are dropped.
    pub(crate) fn open(run: &Path, step: u64) -> Result<Self> {
        let path = run.join(NAME);
        Ok(Self {
            file: reopen(&path, step, |row: &StepRow| row.step)?,
            path,
            last: None,
        })
    }

    /// Writes a line, if the last is long ago or `is_due`. A step whose loss is not known yet gets none.
    pub(crate) fn note(&mut self, step: &Step, time_s: f64, is_due: bool) -> Result<()> {
        let is_late = self.last.is_none_or(|(at, _)| at.elapsed() >= EVERY);
        let is_there = self.last.is_some_and(|(_, last)| last == step.step);
        if !(is_due || is_late) || is_there || !step.loss.is_finite() {
            return Ok(());
        }
        let row = StepRow {
            time_s: rounded(time_s),
            epoch: step.epoch,
            step: step.step,
            done: step.done,
            of: step.of,
            loss: rounded(step.loss),
            accuracy: rounded(step.accuracy),
            lr: significant(step.learning_rate),
            images_per_s: rounded(step.images_per_s),
        };
        let mut line = serde_json::to_string(&row)
            .map_err(|error| Error::setting("steps", "numbers that JSON holds", error))?;
        line.push('\n');
        self.last = Some((Instant::now(), step.step));
        let written = self.file.write_all(line.as_bytes());
        written.map_err(Error::io(&self.path, "write"))
    }
}

/// Opens a log of rows at its end, without those of steps later than `step` and one that a kill has cut.
pub(crate) fn reopen<R: DeserializeOwned>(
    path: &Path,
    step: u64,
    step_of: fn(&R) -> u64,
) -> Result<File> {
    let kept = kept_lines(path, step, step_of)?;
    files::replace(path, kept.as_bytes())?;
    let file = File::options().append(true).open(path);
    file.map_err(Error::io(path, "open"))
}

/// The whole lines of steps that are done.
fn kept_lines<R: DeserializeOwned>(
    path: &Path,
    step: u64,
    step_of: fn(&R) -> u64,
) -> Result<String> {
    let lines = match files::lines(path, MOST_LINE_BYTES) {
        Err(error) if error.is_not_found() => return Ok(String::new()),
        lines => lines?,
    };
    let mut kept = String::new();
    for line in lines {
        let line = line?;
        // An incomplete line was cut off by a kill.
        let Ok(row) = serde_json::from_slice::<R>(&line) else {
            break;
        };
        if step_of(&row) > step {
            break;
        }
        kept.push_str(&String::from_utf8_lossy(&line));
        kept.push('\n');
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: u64) -> Step {
        Step {
            step: number,
            epoch: 1,
            done: 1,
            of: 9,
            loss: 2.0,
            accuracy: 0.5,
            images_per_s: 100.0,
            data_wait_fraction: 0.0,
            learning_rate: 1e-3,
        }
    }

    fn steps(run: &Path) -> Vec<u64> {
        let text = std::fs::read_to_string(run.join(NAME)).unwrap();
        let row = |line| serde_json::from_str::<StepRow>(line).unwrap().step;
        text.lines().map(row).collect()
    }

    #[test]
    fn lines_are_seldom_and_those_of_undone_steps_go() {
        let run = tempfile::tempdir().unwrap();
        let mut log = StepLog::open(run.path(), 0).unwrap();
        for (number, is_due) in [(1, false), (2, false), (3, true), (3, true), (4, true)] {
            log.note(&step(number), 0.5, is_due).unwrap();
        }
        let unknown = Step {
            loss: f64::NAN,
            ..step(5)
        };
        log.note(&unknown, 0.5, true).unwrap();
        assert_eq!(steps(run.path()), [1, 3, 4], "2 is too soon, 5 not known");
        // A kill in the middle of a line.
        log.file.write_all(b"{\"time_s\":1.0,\"ep").unwrap();
        drop(StepLog::open(run.path(), 4).unwrap());
        assert_eq!(steps(run.path()), [1, 3, 4], "the cut line goes");
        let mut log = StepLog::open(run.path(), 3).unwrap();
        log.note(&step(4), 0.5, true).unwrap();
        assert_eq!(steps(run.path()), [1, 3, 4], "4 is done again");
        drop(StepLog::open(run.path(), 0).unwrap());
        assert_eq!(steps(run.path()), [0; 0], "a new beginning");
    }
}
