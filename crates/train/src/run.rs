//! What a run leaves in its folder, and how it gets there: checkpoints, rows of metrics, logs, and a lock while it is written.

pub(crate) mod checkpoint;
pub(crate) mod dir;
pub(crate) mod environment;
pub(crate) mod histograms;
pub(crate) mod lock;
pub(crate) mod milestones;
pub(crate) mod norms;
pub(crate) mod profiler;
pub(crate) mod rows;
pub(crate) mod split_record;
pub(crate) mod step_log;
pub(crate) mod validation_log;
