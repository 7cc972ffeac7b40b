//! The arguments of `data`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::{OutputArgs, SplitArg};

#[derive(Debug, ClapArgs)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    pub(crate) action: DataAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataAction {
    /// Counts the images of each class and split, and lists files that can't be read
    Info(DataSetArgs),
    /// Mean and standard deviation of each channel, and principal components of colour, over the training images
    Stats(DataSetArgs),
    /// Draws images of each class on one image
    Show(ShowArgs),
    /// Fetches a data set, unless it is there, and reads it through
    Download(DownloadArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DataSetArgs {
    /// A data set by name, a folder with a folder of images per class, or a list of images and labels (CSV)
    #[arg(value_name = "DATASET")]
    pub(crate) dataset: String,
    /// Where data sets are looked for and downloaded to [default: `$ALEXNET_DATA`, or the cache folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<String>,
    /// Where the images of a list are [default: beside it]
    #[arg(long, value_name = "DIR")]
    pub(crate) images_dir: Option<String>,
    /// Fail rather than download a data set that is not there
    #[arg(long)]
    pub(crate) no_download: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(crate) data: DataSetArgs,
    /// The image's file, a PNG [default: DATASET.png]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Which images
    #[arg(long, value_name = "SPLIT", default_value = "train")]
    pub(crate) split: SplitArg,
    /// Images of each class
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) per_class: usize,
    /// The side of an image on the image, in pixels
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) tile: u32,
    /// The seed that draws the images, or the shifts of colour
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Draw images of the first batch of training as the network gets them, with their names, and print its shape, range, mean
    /// and standard deviation
    #[arg(long, conflicts_with_all = ["per_class", "seed", "split"])]
    pub(crate) batch: bool,
    /// The recipe whose batch it is [default: the data set's]
    #[arg(long, value_name = "NAME", requires = "batch")]
    pub(crate) recipe: Option<String>,
    /// Draw an image and ten versions of it, shifted along the principal components of an image's colours by normal numbers
    /// of this standard deviation
    #[arg(long, value_name = "STD", conflicts_with_all = ["per_class", "batch"])]
    pub(crate) colour_shift: Option<f64>,
    /// The number of the image that is shifted
    #[arg(long, value_name = "N", default_value_t = 4, requires = "colour_shift")]
    pub(crate) image: usize,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DownloadArgs {
    /// The data set's name
    #[arg(value_name = "NAME")]
    pub(crate) dataset: String,
    /// Where data sets are looked for and downloaded to [default: `$ALEXNET_DATA`, or the cache folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
