//! Image data sets: from files, archives, folders or nothing at all to batches of `u8` pixels.

mod catalog;
mod cifar;
mod contact_sheet;
mod dataset;
mod decode;
mod download;
mod error;
mod folder;
mod images;
mod loader;
mod mnist;
mod progress;
mod published;
mod random;
mod shapes10;
mod statistics;
mod unpack;

pub use catalog::{NAMES, OpenOptions, Validation, data_dir, open};
pub use cifar::Cifar;
pub use contact_sheet::{Picture, SheetRow, contact_sheet, rows_by_class};
pub use dataset::{DataSet, Skipped, Split};
pub use decode::Fit;
pub use download::{Remote, download};
pub use error::DataError;
pub use folder::{Check, FolderOptions, Unreadable, read_folder};
pub use images::{CHANNELS, Images, Source};
pub use loader::{Batch, Loader, LoaderOptions, PADDING, Tail};
pub use mnist::read_idx;
pub use progress::{Progress, Stage};
pub use published::install;
pub use shapes10::Shapes10;
pub use statistics::{PrincipalComponents, Statistics, statistics};
pub use unpack::unpack;
