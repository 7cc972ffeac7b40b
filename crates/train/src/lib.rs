//! Training: recipes, the trainer, evaluation, run folders and checkpoints. Not for: printing, arguments or signals
//! (that is `cli`); nothing here prints.
//!
//! A [`Recipe`] says everything about a run. [`Trainer`] runs it, tells a [`Listener`] what happens, and keeps it in a
//! [`RunDir`] from which it can be resumed bit for bit.
#![cfg_attr(
    test,
    expect(clippy::disallowed_methods, reason = "references in tests")
)]
// rustdoc works out whether each public type is `Send` and `Sync`; from here to the insides of wgpu's buffers it takes more
// than the default of 128 steps.
#![recursion_limit = "256"]

mod dry_run;
mod error;
mod eval;
mod exact;
mod recipe;
mod run;
mod step;
mod sweep;
mod trainer;
mod whitening;

pub mod globs;
pub mod optim;
pub mod schedule;
pub mod throughput;
pub mod tune;

pub use dry_run::DryRun;
pub use error::{Error, Result};
pub use eval::classifier::{Classifier, OcclusionMap};
pub use eval::evaluate::{Scored, Weights, evaluate};
pub use eval::evaluation::{ClassScore, Evaluation};
pub use eval::evaluator::Evaluator;
pub use eval::first_batch::{ChannelSummary, FirstBatch};
pub use eval::metrics;
pub use eval::preview::{Activations, Preview};
pub use eval::score::{Mistake, Score};
pub use recipe::{
    CheckpointsRecipe, CropKind, EarlyStoppingRecipe, EmaRecipe, EraseRecipe, EvaluationRecipe,
    FitKind, GroupRecipe, ImagesRecipe, InitKind, InterpolationKind, LayersRecipe, Metric,
    MixRecipe, OptimizerKind, OptimizerRecipe, PadKind, Precision, Published, PublishedEpoch,
    Recipe, Residency, RuntimeRecipe, Tta, ValidationKind, WhiteningRecipe, Winograd,
};
pub use run::dir::RunDir;
pub use run::environment::{peak_host_bytes, resident_bytes};
pub use run::histograms::HistogramRow;
pub use run::lock::FolderLock;
pub use run::milestones::Milestone;
pub use run::rows::{Row, Summary};
pub use run::step_log::StepRow;
pub use run::validation_log::ValidationRow;
pub use schedule::{ScheduleKind, ScheduleRecipe, ThresholdMode, WarmupKind};
pub use sweep::{Sweep, SweepRow, ranked};
pub use trainer::callback::{
    Ended, Event, FineTuning, Listener, Outcome, RateChange, RateCut, Start, Step,
};
pub use trainer::memory::Memory;
pub use trainer::trial::has_learnt_batch;
pub use trainer::{RateFinding, RatePoint, RateSearch, ResumeOptions, Trainer, TrainerBuilder};

/// The example in README.md, which is tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
