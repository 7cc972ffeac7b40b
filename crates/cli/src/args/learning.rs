//! The arguments of `learn` and `kernels`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::OutputArgs;

#[derive(Debug, ClapArgs)]
pub(crate) struct LearnArgs {
    /// An operator, such as conv2d or dropout [default: lists them]
    #[arg(value_name = "OPERATOR")]
    pub(crate) topic: Option<String>,
    /// The picture that it is shown on: its centre, scaled to 160x160 [default: one that the program draws]
    #[arg(long, value_name = "FILE", requires = "topic")]
    pub(crate) image: Option<PathBuf>,
    /// Write the page to this file, as HTML, instead of printing it
    #[arg(long, value_name = "FILE", requires = "topic", visible_alias = "out")]
    pub(crate) html: Option<PathBuf>,
    /// Train a small network with it and without it, and compare; takes minutes
    #[arg(long, requires = "topic")]
    pub(crate) ablate: bool,
    /// Passes over the training images, with --ablate
    #[arg(long, value_name = "N", default_value_t = 3, requires = "ablate")]
    pub(crate) epochs: u64,
    /// Training images, with --ablate
    #[arg(long, value_name = "N", default_value_t = 4000, requires = "ablate")]
    pub(crate) limit: usize,
    /// How often each training is repeated with another seed, with --ablate
    #[arg(long, value_name = "N", default_value_t = 2, requires = "ablate")]
    pub(crate) seeds: u64,
    /// The device that computes, and whose shaders are shown, see `alexnet devices`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(crate) device: String,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct KernelsArgs {
    /// A kernel, such as `conv2d_forward`, or an operator, for its first kernel [default: lists all]
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Another variant than this machine's: its name or a part of it, see --list
    #[arg(
        long,
        value_name = "VARIANT",
        requires = "name",
        conflicts_with = "list"
    )]
    pub(crate) variant: Option<String>,
    /// List the variants of the kernel instead
    #[arg(long, requires = "name")]
    pub(crate) list: bool,
    /// Print the Rust twin of the operator instead
    #[arg(long, requires = "name", conflicts_with_all = ["variant", "list"])]
    pub(crate) twin: bool,
    /// The device whose variant is printed, see `alexnet devices`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(crate) device: String,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
