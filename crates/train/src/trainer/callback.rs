//! Events of a run. The library never prints: callers listen to these.

use std::path::PathBuf;

use data::Split;
use serde::{Deserialize, Serialize};

use crate::recipe::Metric;
use crate::run::rows::{Row, Summary};
use crate::run::validation_log::ValidationRow;
use crate::trainer::memory::Memory;

/// An event of a run.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The run starts, or resumes.
    Started(&'a Start),
    /// A training step is done.
    Step(Step),
    /// A split is being evaluated: so many of its batches are done.
    Evaluating {
        /// Which split.
        split: Split,
        /// Batches done.
        done: usize,
        /// Batches in all.
        of: usize,
    },
    /// The validation split has been scored within an epoch, as `evaluation.every_steps` asks.
    Validated(ValidationRow),
    /// An epoch, its validation included, is done and saved.
    Epoch(&'a Row),
    /// The learning rate falls, as a metric has stopped improving.
    RateCut(RateCut),
    /// The run is complete.
    Finished(&'a Summary),
}

/// A description of a run.
#[derive(Clone, Debug)]
pub struct Start {
    /// The recipe's name.
    pub recipe: String,
    /// The network.
    pub network: String,
    /// Trainable parameters.
    pub parameters: usize,
    /// The device's name.
    pub device: String,
    /// How much memory the run will take.
    pub memory: Memory,
    /// Bytes of images that stay on the device, as a part of that.
    pub resident_bytes: u64,
    /// Whether it is a software rasteriser.
    pub is_software: bool,
    /// The data set.
    pub dataset: String,
    /// Images for training, validation and test.
    pub images: [usize; 3],
    /// Training images that an epoch sees: all, unless an incomplete last batch is left out.
    pub images_per_epoch: usize,
    /// The metric that says which epoch is the best.
    pub best_by: Metric,
    /// The jump of the learning rate where a run resumes, if its schedule is not the one that it stopped in.
    pub rate_change: Option<RateChange>,
    /// Steps in an epoch.
    pub steps_per_epoch: usize,
    /// Epochs in all.
    pub epochs: u64,
    /// Epochs that are done already, when a run is resumed.
    pub epochs_done: u64,
    /// What the weights were taken from at the run's beginning, if they are not random.
    pub initial: Option<FineTuning>,
}

/// A learning rate that a resumed run does not go on with, as another number of epochs or another setting makes its
/// schedule another one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateChange {
    /// The last step that is done.
    pub step: u64,
    /// The rate that this step had.
    pub old: f64,
    /// The rate that the schedule of now has for it.
    pub new: f64,
    /// The epochs of before, and of now.
    pub epochs: [u64; 2],
}

/// A learning rate that a plateau has reduced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateCut {
    /// The epoch after which it falls.
    pub epoch: u64,
    /// What has stopped improving.
    pub metric: Metric,
    /// The rate so far, without warm-up.
    pub old: f64,
    /// The rate from now on.
    pub new: f64,
}

/// Trained weights that a run began with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FineTuning {
    /// The weight file.
    pub path: PathBuf,
    /// The parameters that were taken from it.
    pub loaded: Vec<String>,
    /// The network's parameters that the file has not, or not in this shape: they are random.
    pub new: Vec<String>,
    /// The file's tensors that the network has no place for.
    pub unused: Vec<String>,
    /// How the outputs of the file's last layer became the data set's classes.
    pub head: model::Head,
}

/// Where a run is after a training step.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Steps over the whole run.
    pub step: u64,
    /// The epoch, from 1.
    pub epoch: u64,
    /// Steps of the epoch that are done.
    pub done: usize,
    /// Steps in an epoch.
    pub of: usize,
    /// The mean loss of the last steps that were read back; of the last step, on the CPU.
    pub loss: f64,
    /// The epoch's training accuracy so far.
    pub accuracy: f64,
    /// Training images a second in this epoch.
    pub images_per_s: f64,
    /// The share of this epoch's time that was spent waiting for batches.
    pub data_wait_fraction: f64,
    /// The learning rate.
    pub learning_rate: f64,
}

/// Why a run ended by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ended {
    /// All epochs are done.
    #[default]
    Epochs,
    /// Early stopping was due.
    EarlyStopping,
    /// Its time limit was reached.
    MaxTime,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It ended by itself: [`Summary::ended`] says why.
    Finished(Box<Summary>),
    /// It was asked to stop, and saved where it is.
    Interrupted {
        /// Steps that are done.
        step: u64,
    },
}

/// A listener to a run's events.
pub trait Listener {
    /// Called with every event, in order, on the training thread.
    fn event(&mut self, event: Event<'_>);
}

impl<F: FnMut(Event<'_>)> Listener for F {
    fn event(&mut self, event: Event<'_>) {
        self(event);
    }
}
