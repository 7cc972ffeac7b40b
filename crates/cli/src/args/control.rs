//! The arguments of `train` that say what a run starts from, when it stops and what it notes; and those of `sweep`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args as ClapArgs};

use super::{OutputArgs, RuntimeArgs};

/// What a run starts from, when it stops and what it notes.
#[derive(Debug, ClapArgs)]
pub(crate) struct ControlArgs {
    /// A setting by its name in a recipe, such as `optimizer.momentum=0.9` or `drop_last=true` (leave out the images that
    /// don't fill an epoch's last batch); may be given more than once. With `--resume`, of `early_stopping` alone
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    /// Start from pretrained weights: parameters of the same name and shape are loaded, the rest is initialised
    #[arg(long, value_name = "RUN|CHECKPOINT", conflicts_with = "resume")]
    pub(crate) from: Option<String>,
    /// Freeze parameters by name, `conv*` for instance; may be given more than once
    #[arg(long, value_name = "PATTERN", conflicts_with = "resume")]
    pub(crate) freeze: Vec<String>,
    /// Stop after so many epochs without a better validation loss, which then chooses the best checkpoint too
    #[arg(long, value_name = "N")]
    pub(crate) early_stopping: Option<u64>,
    /// Keep the checkpoint of every Nth epoch too, the newest of them: see --keep
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub(crate) checkpoint_every: Option<u64>,
    /// How many checkpoints of epochs stay, besides the last and the best: what bounds a run's size [default: the recipe's, or 3]
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub(crate) keep: Option<u64>,
    /// Stop after this time, such as 90m or 1h30m, with everything saved and tested; continue with `--resume`
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) max_time: Option<Duration>,
    /// Once an epoch, write the norm of each parameter and of its gradient to norms.csv, and the gradient's histogram beside the
    /// parameter's to histograms.jsonl
    #[arg(long)]
    pub(crate) norms: bool,
    #[command(flatten)]
    pub(crate) trial: TrialArgs,
}

/// How a run is resumed.
#[derive(Debug, ClapArgs)]
pub(crate) struct GoingOnArgs {
    /// Resume from this checkpoint of the run: last, best, or one such as epoch-0010 [default: last]
    #[arg(long, value_name = "NAME", requires = "resume", value_parser = checkpoint)]
    pub(crate) checkpoint: Option<String>,
    /// Resume although images were added, deleted or changed; never with other classes
    #[arg(long, requires = "resume")]
    pub(crate) accept_changed_data: bool,
}

/// The name of a folder in `RUN/checkpoints`.
fn checkpoint(name: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err("expected last, best or a name such as epoch-0010".to_owned());
    }
    Ok(name.to_owned())
}

/// Short runs that prove something.
#[derive(Clone, Copy, Debug, ClapArgs)]
#[command(group = ArgGroup::new("trial").conflicts_with_all(["resume", "max_time", "norms"]))]
pub(crate) struct TrialArgs {
    /// Pass through every part of a run with a few batches, and write nothing
    #[arg(long, group = "trial", conflicts_with = "out")]
    pub(crate) fast_dev_run: bool,
    /// Train on one batch alone, 200 times or as `--epochs` says, and fail unless the network overfits it; writes nothing
    #[arg(long, group = "trial", conflicts_with = "out")]
    pub(crate) overfit_one_batch: bool,
    /// Find a learning rate: try increasing ones, and suggest one
    #[arg(long, group = "trial")]
    pub(crate) find_lr: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time.is_zero() => Err("expected a time above 0".to_owned()),
        time => time.map_err(|error| error.to_string()),
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SweepArgs {
    /// A TOML file with a list or a grid of settings, or the name of a built-in sweep
    #[arg(value_name = "FILE|NAME")]
    pub(crate) sweep: PathBuf,
    /// A setting of all runs, by its name in a recipe; may be given more than once
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    #[command(flatten)]
    pub(crate) runtime: RuntimeArgs,
    /// The folder for the runs [default: sweeps/NAME-TIME]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub(crate) out: Option<PathBuf>,
    /// Resume the sweep in this folder: runs that are complete are left as they are
    #[arg(long, value_name = "DIR")]
    pub(crate) resume: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
