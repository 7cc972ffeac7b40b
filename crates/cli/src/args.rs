//! The arguments.

mod control;
mod data;
mod exchange;
mod learning;
mod output;
mod preparation;
mod speed;

use std::net::SocketAddr;
use std::path::PathBuf;

use ::data::Split;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use train::{Precision, ValidationKind, Winograd};

pub(crate) use self::control::{ControlArgs, GoingOnArgs, SweepArgs, TrialArgs};
pub(crate) use self::data::{DataAction, DataArgs, DataSetArgs, DownloadArgs, ShowArgs};

pub(crate) use exchange::{
    CompletionsArgs, ExportArgs, FormatArg, ImportArgs, ImportedArg, InspectArgs, ManArgs,
    PredictArgs, TtaArg,
};
pub(crate) use learning::{KernelsArgs, LearnArgs};
pub(crate) use output::OutputArgs;
pub(crate) use preparation::PreparationArgs;
pub(crate) use speed::{BenchArgs, CardArg, SizeArgs, TuneArgs};

/// Trains, evaluates and inspects image classifiers of the AlexNet family, on any GPU or on the CPU alone.
#[derive(Debug, Parser)]
#[command(name = "alexnet", version, propagate_version = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Trains a network; without arguments, on the built-in data set shapes10
    Train(Box<TrainArgs>),
    /// Scores trained weights on a data set
    Evaluate(Box<EvaluateArgs>),
    /// Classify images
    Predict(PredictArgs),
    /// Shows what is in a weight file: tensors, shapes, values, metadata
    Inspect(InspectArgs),
    /// Reads weights of another program
    Import(ImportArgs),
    /// Writes weights for another program, reads them back and compares
    Export(ExportArgs),
    /// Trains with a list or a grid of settings, one run after another, and compares the results
    Sweep(SweepArgs),
    /// Shows what a data set holds, or fetches it
    Data(DataArgs),
    /// Measures how fast a network trains and infers on a device
    Bench(BenchArgs),
    /// Tries every tile on a network's matrix products on a GPU, and shows how far the choice is from the best
    Tune(TuneArgs),
    /// Proves every operator's gradient, and whole networks', on this machine's devices
    Gradcheck(GradcheckArgs),
    /// Lists the devices of this machine
    Devices(OutputArgs),
    /// Looks for what is wrong with this machine's devices: the text that a bug report needs
    Doctor(DoctorArgs),
    /// Shows a network's layers, output shapes and parameters
    Summary(SummaryArgs),
    /// Lists the built-in recipes, or shows one
    Recipes(RecipesArgs),
    /// Runs cases recorded from other frameworks, and fails if one does
    Parity(ParityArgs),
    /// Draws a run's plots and writes its report.html; of several runs, one page that compares them
    Report(ReportArgs),
    /// Shows a running or finished run live in the terminal
    Watch(WatchArgs),
    /// Serves a page that lists the runs of a folder and follows them while they train
    Dashboard(DashboardArgs),
    /// Teaches an operator: equation, sources, pictures, and what training is like without it
    Learn(LearnArgs),
    /// Prints any shader, rendered as this machine's GPU gets it
    Kernels(KernelsArgs),
    /// Prints a shell's completions
    Completions(CompletionsArgs),
    /// Prints the manual page, or writes all of them
    Man(ManArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct TrainArgs {
    /// A data set by name, or a folder with a folder of images per class [default: shapes10]
    #[arg(value_name = "DATASET")]
    pub(crate) dataset: Option<String>,
    /// A built-in recipe, see `alexnet recipes` [default: the data set's]
    #[arg(long, value_name = "NAME")]
    pub(crate) recipe: Option<String>,
    /// A TOML file whose settings replace the recipe's
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The network, see `alexnet summary`
    #[arg(long, value_name = "NAME")]
    pub(crate) network: Option<String>,
    /// Passes over the training images
    #[arg(long, value_name = "N")]
    pub(crate) epochs: Option<u64>,
    /// Images in a step
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub(crate) batch_size: Option<usize>,
    /// The learning rate
    #[arg(long, value_name = "RATE", conflicts_with = "resume")]
    pub(crate) lr: Option<f64>,
    /// The optimizer
    #[arg(long, value_name = "NAME", conflicts_with = "resume")]
    pub(crate) optimizer: Option<OptimizerArg>,
    /// The seed of everything random
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub(crate) seed: Option<u64>,
    /// At most this many images of each split
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub(crate) limit: Option<usize>,
    /// Training images set aside for validation: a number, a share such as 20%, none, or one of CIFAR-10's files such as
    /// `data_batch_5` [default: the data set's]
    #[arg(long, value_name = "N|P%|FILE", conflicts_with = "resume")]
    pub(crate) validation: Option<ValidationKind>,
    /// The floats of activations and their gradients: f16 is mixed precision, on GPUs that have it [default: the recipe's]
    #[arg(long, value_name = "FLOATS", conflicts_with = "resume")]
    pub(crate) precision: Option<PrecisionArg>,
    #[command(flatten)]
    pub(crate) control: ControlArgs,
    #[command(flatten)]
    pub(crate) runtime: RuntimeArgs,
    /// The folder for the run [default: runs/RECIPE-TIME]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub(crate) out: Option<PathBuf>,
    /// Time the kernels of a few steps: profile.json and trace.json (for Chrome's tracing page or Perfetto) in the run's folder
    #[arg(long)]
    pub(crate) profile: bool,
    /// Resume the run in this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["dataset", "recipe", "config", "network"])]
    pub(crate) resume: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) going_on: GoingOnArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Where things run and lie.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct RuntimeArgs {
    /// auto, cpu, gpu, gpu:N or a part of an adapter's name, see `alexnet devices`
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
    /// Where data sets are looked for and downloaded to [default: `$ALEXNET_DATA`, or the cache folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<String>,
    /// Fail rather than download a data set that is not there
    #[arg(long)]
    pub(crate) no_download: bool,
    /// Leave out images of a folder that can't be read, rather than fail
    #[arg(long)]
    pub(crate) skip_unreadable: bool,
    /// Threads that make batches
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum PrecisionArg {
    /// 32 bits throughout
    F32,
    /// 16 bits, with weights and sums in 32 and a scaled loss
    F16,
}

impl From<PrecisionArg> for Precision {
    fn from(precision: PrecisionArg) -> Self {
        match precision {
            PrecisionArg::F32 => Self::F32,
            PrecisionArg::F16 => Self::F16,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum WinogradArg {
    /// Those that are predicted to be faster so
    Auto,
    /// None
    Never,
}

impl From<WinogradArg> for Winograd {
    fn from(winograd: WinogradArg) -> Self {
        match winograd {
            WinogradArg::Auto => Self::Auto,
            WinogradArg::Never => Self::Never,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OptimizerArg {
    /// Stochastic gradient descent
    Sgd,
    /// Adam
    Adam,
    /// Adam with decoupled weight decay
    Adamw,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct EvaluateArgs {
    /// A run's folder, a checkpoint's folder or a weight file
    #[arg(value_name = "RUN|CHECKPOINT")]
    pub(crate) weights: PathBuf,
    /// The data set [default: the run's]
    #[arg(value_name = "DATASET")]
    pub(crate) dataset: Option<String>,
    /// The recipe that says how images are prepared [default: the run's, the weight file's or the data set's]
    #[arg(long, value_name = "NAME")]
    pub(crate) recipe: Option<String>,
    /// Which images [default: test, or validation where there is no test split]
    #[arg(long, value_name = "SPLIT")]
    pub(crate) split: Option<SplitArg>,
    /// Test-time augmentation: the views of each image whose probabilities are averaged [default: the recipe's]
    #[arg(long, alias = "views", value_name = "TTA")]
    pub(crate) tta: Option<TtaArg>,
    /// Images in a step
    #[arg(long, value_name = "N")]
    pub(crate) batch_size: Option<usize>,
    /// At most this many images
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Print a line for each class, as -v does
    #[arg(long)]
    pub(crate) per_class: bool,
    /// Write the whole evaluation to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) preparation: PreparationArgs,
    #[command(flatten)]
    pub(crate) runtime: RuntimeArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SplitArg {
    /// The training images
    Train,
    /// The validation images
    Validation,
    /// The test images
    Test,
}

impl From<SplitArg> for Split {
    fn from(split: SplitArg) -> Self {
        match split {
            SplitArg::Train => Self::Train,
            SplitArg::Validation => Self::Validation,
            SplitArg::Test => Self::Test,
        }
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DoctorArgs {
    /// Only this one: cpu, gpu, gpu:N or a part of an adapter's name [default: every device]
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct GradcheckArgs {
    /// Operators by their stems, such as conv2d or lrn [default: all, then the networks]
    #[arg(value_name = "OP")]
    pub(crate) operators: Vec<String>,
    /// The device [default: the CPU device and the best adapter, if there is one]
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
    /// A whole network at its own layer shapes, instead of operators; may be given more than once
    #[arg(long = "model", value_name = "NAME")]
    pub(crate) models: Vec<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SummaryArgs {
    /// The network; without it, all are listed
    #[arg(value_name = "NAME")]
    pub(crate) network: Option<String>,
    #[command(flatten)]
    pub(crate) sizes: SizeArgs,
    /// Images in a training step, for the memory it takes
    #[arg(long, value_name = "N", default_value_t = 128)]
    pub(crate) batch_size: usize,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RecipesArgs {
    #[command(subcommand)]
    pub(crate) action: Option<RecipesAction>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RecipesAction {
    /// Prints a recipe as TOML
    Show {
        /// Its name
        name: String,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ParityArgs {
    /// A folder with a manifest.json and its tensor files
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// auto, cpu, gpu, gpu:N or a part of an adapter's name, see `alexnet devices`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(crate) device: String,
    /// Only the cases of this name or group; * stands for any text
    #[arg(long, value_name = "GLOB")]
    pub(crate) only: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ReportArgs {
    /// Folders of runs
    #[arg(value_name = "RUN", required = true)]
    pub(crate) runs: Vec<PathBuf>,
    /// The page's file [default: RUN/report.html, or comparison.html for several runs]; with --activations, a PNG or SVG
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Draw what this layer makes of one image, instead of a page: see `alexnet summary` for the layers
    #[arg(long, value_name = "LAYER")]
    pub(crate) activations: Option<String>,
    /// The image for --activations: its number in the split that the report shows, or a file [default: 0]
    #[arg(long, value_name = "N|FILE", requires = "activations")]
    pub(crate) image: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct WatchArgs {
    /// A run's folder
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DashboardArgs {
    /// The folder of runs
    #[arg(value_name = "RUNS-DIR", default_value = "runs")]
    pub(crate) folder: PathBuf,
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:6006")]
    pub(crate) listen: SocketAddr,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_consistent() {
        super::Args::command().debug_assert();
    }
}
