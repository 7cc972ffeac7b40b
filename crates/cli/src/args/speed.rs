//! The arguments of `bench` and `tune`, and the sizes of a network that they measure.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use model::Architecture;

use super::{OutputArgs, PrecisionArg, WinogradArg};

/// What a named network is made for, where that is not its usual.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct SizeArgs {
    /// For this many classes
    #[arg(long, value_name = "N")]
    classes: Option<usize>,
    /// For images of this side
    #[arg(long, value_name = "N")]
    input_size: Option<usize>,
}

impl SizeArgs {
    /// The network of this name, for what was asked.
    pub(crate) fn network(self, name: &str) -> train::Result<Architecture> {
        Ok(Architecture::new(name, self.classes, self.input_size)?)
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct TuneArgs {
    /// The network, see `alexnet summary`
    #[arg(value_name = "NAME", default_value = "alexnet-cifar")]
    pub(crate) network: String,
    #[command(flatten)]
    pub(crate) sizes: SizeArgs,
    /// Images in a step
    #[arg(long, value_name = "N", default_value_t = 128)]
    pub(crate) batch_size: usize,
    /// gpu, gpu:N or a part of an adapter's name, see `alexnet devices`
    #[arg(long, value_name = "DEVICE", default_value = "gpu")]
    pub(crate) device: String,
    /// The floats of activations and their gradients
    #[arg(long, value_name = "FLOATS", default_value = "f32")]
    pub(crate) precision: PrecisionArg,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// A card that `bench --plan` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CardArg {
    /// NVIDIA H100 with HBM3
    H100,
    /// NVIDIA RTX 4090
    Rtx4090,
    /// AMD Radeon RX 7900 XTX
    Rx7900,
    /// Intel Arc, as any discrete card that is not known
    Arc,
    /// Apple M2, as any integrated GPU that is not known
    M2,
    /// Another maker's integrated GPU
    Igpu,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct BenchArgs {
    /// The network, see `alexnet summary` [default: compares alexnet-small and alexnet-ungrouped on each device]
    #[arg(value_name = "NAME")]
    pub(crate) network: Option<String>,
    #[command(flatten)]
    pub(crate) sizes: SizeArgs,
    /// Images in a step [default: 128]
    #[arg(long, value_name = "N")]
    pub(crate) batch_size: Option<usize>,
    /// Steps that are timed
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) steps: usize,
    /// Stop timing after this long, for training and for inference each [default: 10 in a comparison, else never]
    #[arg(long, value_name = "S")]
    pub(crate) seconds: Option<f64>,
    /// auto, cpu, gpu, gpu:N or a part of an adapter's name, see `alexnet devices`
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
    /// The floats of activations and their gradients: f16 is mixed precision, on GPUs that have it
    #[arg(long, value_name = "FLOATS", default_value = "f32")]
    pub(crate) precision: PrecisionArg,
    /// Whether 3 x 3 convolutions may be computed by Winograd's transforms
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) winograd: WinogradArg,
    /// Also time each kernel of the training step
    #[arg(long)]
    pub(crate) profile: bool,
    /// Predict the times on cards that need not be there, from what would be launched on them
    #[arg(long, requires = "network", conflicts_with_all = ["device", "profile", "peers", "seconds"])]
    pub(crate) plan: bool,
    /// With each kernel of the training step, on this card alone
    #[arg(long, value_name = "CARD", requires = "plan")]
    pub(crate) card: Option<CardArg>,
    /// Compare with other frameworks, whose programs are in this folder (benches/peers of a checkout)
    #[arg(long, value_name = "DIR")]
    pub(crate) peers: Option<PathBuf>,
    /// The Python that runs the peers in Python; may be given more than once [default: `$BENCH_PYTHON`, or python3]
    #[arg(long, value_name = "PATH", requires = "peers")]
    pub(crate) python: Vec<PathBuf>,
    /// How often a comparison goes round
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) rounds: usize,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
