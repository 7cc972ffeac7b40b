//! What changes how fast a run goes, and not where it ends.

use serde::{Deserialize, Serialize};

/// What changes how fast a run goes, and not where it ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MachineRecipe {
    /// The device, as `--device` takes it.
    pub device: String,
    /// Threads that make batches.
    pub loader_threads: usize,
    /// The data directory, if not the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<String>,
    /// Whether the norms of parameters and gradients are written to `norms.csv`, once an epoch.
    pub norms: bool,
}

impl Default for MachineRecipe {
    fn default() -> Self {
        Self {
            device: "auto".to_owned(),
            loader_threads: 2,
            data_dir: None,
            norms: false,
        }
    }
}
