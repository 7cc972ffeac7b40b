//! What is left of a run to look at: plots, `report.html`, the dashboard, TensorBoard's event files. Not for training,
//! and not for printing: that is `cli`'s.
//!
//! Everything starts from a run's folder ([`Run`]). [`write_report`] draws it, [`Dashboard`] serves a folder of runs, and
//! [`TensorBoard`] listens to one that is going on.

mod dashboard;
mod error;
mod gallery;
mod lesson;
mod page;
mod plots;
mod run;
mod sheets;
mod svg;
mod tensorboard;

pub use dashboard::Dashboard;
pub use error::{Error, Result};
pub use gallery::Gallery;
pub use lesson::{Lesson, LessonCode, LessonPicture, LessonTrials};
pub use page::{Written, write_comparison, write_report, write_report_telling};
pub use run::{KernelShare, Profile, Run, RunState};
pub use sheets::Shown;
pub use svg::Plot;
pub use tensorboard::{TensorBoard, records};

/// The example in README.md, which is tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
