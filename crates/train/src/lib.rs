//! Training: recipes, the trainer, evaluation, run folders and checkpoints. Not for: printing, arguments or signals
//! (that is `cli`); nothing here prints.
//!
//! A [`Recipe`] says everything about a run. [`Trainer`] runs it, tells a [`Listener`] what happens, and keeps it in a
//! [`RunDir`] from which it can be resumed bit for bit.

// rustdoc works out whether each public type is `Send` and `Sync`; from here to the insides of wgpu's buffers it takes more
// than the default of 128 steps.
#![recursion_limit = "256"]

mod callback;
mod checkpoint;
mod class_names;
mod classifier;
mod control;
mod environment;
mod error;
mod evaluate;
mod evaluation;
mod evaluator;
mod input;
mod lock;
mod memory;
mod norms;
mod pattern;
mod preparation;
mod preview;
mod profiler;
mod rate;
mod recipe;
mod record;
mod run_dir;
mod score;
mod split_record;
mod step;
mod step_log;
mod sweep;
mod trainer;
mod trial;
mod updater;

pub mod metrics;
pub mod optim;
pub mod parity;
pub mod proof;
pub mod schedule;
pub mod throughput;
pub mod tune;

pub use callback::{Ended, Event, FineTuning, Listener, Outcome, RateChange, Start, Step};
pub use classifier::{Classifier, Explanation};
pub use control::{CheckpointsRecipe, EarlyStoppingRecipe, Metric};
pub use environment::{peak_host_bytes, resident_bytes};
pub use error::{Error, Result};
pub use evaluate::{Scored, Weights, evaluate};
pub use evaluation::{ClassScore, Evaluation};
pub use evaluator::Evaluator;
pub use lock::FolderLock;
pub use memory::Memory;
pub use preview::{Activations, Preview};
pub use rate::{ScheduleKind, ScheduleRecipe};
pub use recipe::{
    AverageRecipe, CropKind, EraseRecipe, EvaluationRecipe, FitKind, ImagesRecipe, InitKind,
    MachineRecipe, MixRecipe, OptimizerKind, OptimizerRecipe, Precision, Recipe, Residency, Views,
};
pub use record::{Row, Summary};
pub use run_dir::RunDir;
pub use score::{Mistake, Score};
pub use step_log::StepRow;
pub use sweep::{Sweep, SweepRow, ranked};
pub use trainer::{RateFinding, RatePoint, RateSearch, ResumeOptions, Trainer};
pub use trial::has_learnt_batch;

pub use data;
pub use model;
pub use tensor::gradcheck;
pub use tensor::{
    Adapter, AdapterKind, Avoided, Device, DeviceOptions, FunctionError, KernelTime, Launch, Probe,
    Product, Profile, QUIRKS, Quirk, TileKind, TilePlan, probe,
};
