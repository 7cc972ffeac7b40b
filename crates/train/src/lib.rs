//! Training: recipes, the loop, schedules, metrics, run directories and checkpoints. Not for: printing.

pub mod metrics;
pub mod parity;
pub mod schedule;
