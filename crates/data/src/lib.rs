//! Image data sets: from files, archives, folders or nothing at all to batches of `u8` pixels.

mod catalog;
mod cifar;
mod dataset;
mod download;
mod error;
mod images;
mod loader;
mod mnist;
mod progress;
mod random;
mod shapes10;
mod unpack;

pub use catalog::{NAMES, OpenOptions, Validation, data_dir, install, open};
pub use cifar::Cifar;
pub use dataset::{DataSet, Split};
pub use download::{Remote, download};
pub use error::DataError;
pub use images::{CHANNELS, Images, Source};
pub use loader::{Batch, Loader, LoaderOptions, PADDING, Tail};
pub use mnist::read_idx;
pub use progress::{Progress, Stage};
pub use shapes10::Shapes10;
pub use unpack::unpack;
