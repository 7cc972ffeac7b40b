//! Arguments of the commands that use weights, and of those that hand them, or what a shell needs, to other programs.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use clap_complete::Shell;

use super::{OutputArgs, PreparationArgs};

#[derive(Debug, ClapArgs)]
pub(crate) struct PredictArgs {
    /// A run's folder, a checkpoint's folder or a weight file
    #[arg(value_name = "CHECKPOINT")]
    pub(crate) weights: PathBuf,
    /// Images, folders of them at any depth, or - for an image on standard input
    #[arg(value_name = "IMAGE", required = true)]
    pub(crate) images: Vec<PathBuf>,
    /// How many classes are named [default: 5 of a single image and with --json, else 1]
    #[arg(long, value_name = "K")]
    pub(crate) top: Option<usize>,
    /// Print a table with a line for each image: its name, its class, the probability
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
    /// Copy each image into a folder of its class in this folder; nothing that is there is replaced
    #[arg(long, value_name = "DIR")]
    pub(crate) sort_into: Option<PathBuf>,
    /// Draw of each image its occlusion map, NAME.occlusion.png: what the first class depends on in red
    #[arg(long, alias = "explain")]
    pub(crate) occlusion_map: bool,
    /// The folder for the occlusion maps [default: occlusion-maps]
    #[arg(long, value_name = "DIR", requires = "occlusion_map")]
    pub(crate) out: Option<PathBuf>,
    /// The recipe that says how images are prepared [default: the run's, or the weight file's]
    #[arg(long, value_name = "NAME")]
    pub(crate) recipe: Option<String>,
    #[command(flatten)]
    pub(crate) preparation: PreparationArgs,
    /// auto, cpu, gpu, gpu:N or a part of an adapter's name, see `alexnet devices`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(crate) device: String,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TtaArg {
    /// The centre
    #[value(alias = "plain")]
    None,
    /// The centre, and its mirror image
    Flip,
    /// The centre, twice moved by a pixel, and their mirror images
    FlipShift,
    /// The four corners and the centre, and their mirror images
    TenCrop,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct InspectArgs {
    /// A run's folder, a checkpoint's folder or a safetensors file
    #[arg(value_name = "RUN|CHECKPOINT|FILE")]
    pub(crate) weights: PathBuf,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ImportArgs {
    /// A state dict, a checkpoint around one, a whole model or `TorchScript`: .pth of any age, or safetensors; nothing in it is
    /// run. Or, with --like, Keras' .weights.h5
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The network whose weights the file has
    #[arg(long, value_name = "NAME", default_value = "alexnet-torchvision")]
    pub(crate) network: ImportedArg,
    /// The run or weight file that Keras' weights were exported from: it has their layers, classes and preparation
    #[arg(long, value_name = "RUN|CHECKPOINT", conflicts_with_all = ["classes", "new_head"])]
    pub(crate) like: Option<PathBuf>,
    /// The names of the file's classes: a text file with a line each, in order [default: the file's own, of 1000 classes
    /// ImageNet's]
    #[arg(long, value_name = "NAMES", conflicts_with = "new_head")]
    pub(crate) classes: Option<PathBuf>,
    /// Begin a new last layer, with initial weights, for this many classes, or for those named in a text file with a line each
    #[arg(long, value_name = "N|NAMES")]
    pub(crate) new_head: Option<String>,
    /// The weight file to write
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ImportedArg {
    /// torchvision's alexnet
    AlexnetTorchvision,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExportArgs {
    /// A run's folder, a checkpoint's folder or a weight file
    #[arg(value_name = "RUN|CHECKPOINT")]
    pub(crate) weights: PathBuf,
    /// What to write
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: FormatArg,
    /// The file to write; Keras wants its name to end in .weights.h5. Beside ONNX comes a program in Python that uses it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// End the network in a softmax: ONNX with probabilities in place of logits
    #[arg(long)]
    pub(crate) softmax: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FormatArg {
    /// This program's own weight file
    Safetensors,
    /// torchvision's alexnet as safetensors: its names and layouts
    Torchvision,
    /// Keras 3, for `model.load_weights`
    Keras,
    /// ONNX, opset 17
    Onnx,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ManArgs {
    /// Write the page of every command into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}
