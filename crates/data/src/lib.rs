//! Image data sets: from files, archives, folders or nothing at all to batches of `u8` pixels.

mod cifar;
mod dataset;
mod error;
mod images;
mod loader;
mod random;
mod shapes10;

pub use cifar::Cifar;
pub use dataset::{DataSet, Split};
pub use error::DataError;
pub use images::{CHANNELS, Images, Source};
pub use loader::{Batch, Loader, LoaderOptions, PADDING, Tail};
pub use shapes10::Shapes10;
