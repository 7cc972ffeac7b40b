//! Image data sets for training: found, downloaded or drawn, cut into splits, and handed out in batches of `u8` pixels.
//! Bytes come in, batches go out; tensors, devices and augmentation are other crates' business, and nothing is printed.
//!
//! - [`open`] finds a data set by name ([`NAMES`]) or a folder of images by path. What it uses is public too:
//!   [`Shapes10`], [`Cifar`], [`read_idx`], [`read_folder`], [`install`], [`download`], [`unpack`].
//! - [`DataSet`] is training, validation and test [`Images`]; these are cheap views, which [`DataSet::limit`] and
//!   [`DataSet::with_validation`] cut.
//! - [`Loader`] makes [`Batch`]es ahead of time. Its threads never change what is in them.
//! - [`statistics`] and [`contact_sheet`] show what a data set holds.
//!
//! All images of a data set have one size and 1, 3 or 4 [`Channels`], last: `[n, height, width, channels]`. Images of your own
//! come from [`Images::from_pixels`], [`Images::from_fn`] or a [`Source`], and make a [`DataSet::new`]. Everything random depends on
//! a seed and a place (image, epoch) alone. Files are not trusted: sizes are checked before memory or disk is taken.
//!
//! The feature `download`, on by default, fetches data sets over https; without it, one that is not on disk is an error that
//! says what to put where.
//!
//! ```
//! use data::{Loader, LoaderOptions, OpenOptions, PADDING};
//!
//! // Built in; "cifar10" would be looked for in the data directory, and downloaded if need be.
//! let set = data::open("shapes10".as_ref(), &OpenOptions::default(), &mut |_| {})?.limit(1000)?;
//!
//! let mut training = Loader::new(set.train.clone(), LoaderOptions::training(128, 42))?;
//! for _ in 0..training.n_batches() {
//!     let batch = training.next_batch()?;
//!     assert_eq!((batch.pixels.len(), batch.labels.len()), (128 * 32 * 32 * 3, 128));
//! }
//! println!("waited {:?} for data", training.waited());
//!
//! // Evaluation sees every image once; the last batch is padded.
//! let mut evaluation = Loader::new(set.test.unwrap_or(set.train), LoaderOptions::evaluation(300))?;
//! evaluation.seek(0, 3)?;
//! let last = evaluation.next_batch()?;
//! assert_eq!((last.n_images, last.labels[100]), (100, PADDING));
//! # Ok::<(), data::DataError>(())
//! ```

mod batch;
mod budget;
mod catalog;
mod channels;
mod cifar;
mod colour_picture;
mod contact_sheet;
mod dataset;
mod decode;
mod download;
mod error;
mod folder;
mod image_file;
mod image_sizes;
mod images;
mod jpeg;
mod loader;
mod mnist;
mod on_disk;
mod png_chunks;
mod progress;
mod published;
mod random;
mod resample;
mod shapes10;
mod sources;
mod statistics;
mod unpack;
mod webp_chunks;

pub use batch::{Batch, LoaderOptions, PADDING, Tail};
pub use budget::DECODE_BYTES;
pub use catalog::{
    NAMES, OpenOptions, Validation, cache_dir, check_name, data_dir, image_size, open,
};
pub use channels::{CHANNELS, Channels, ImageShape};
pub use cifar::Cifar;
pub use colour_picture::{ColourShifts, colour_shifts};
pub use contact_sheet::{Raster, SheetRow, captioned, contact_sheet, rows_by_class};
pub use dataset::{DataSet, LeftOut, Skipped, Split};
pub use decode::{DecodeOptions, Fit};
pub use download::{Remote, download};
pub use error::DataError;
pub use folder::{Check, FolderOptions, Unreadable, read_folder, read_labels};
pub use image_file::{Found, heat_map, image_pixels, images_under, read_image};
pub use image_sizes::{ImageSizes, image_sizes};
pub use images::{Images, Source};
pub use loader::Loader;
pub use mnist::read_idx;
pub use progress::{Progress, Stage};
pub use published::install;
pub use resample::{Interpolation, resize};
pub use shapes10::Shapes10;
pub use statistics::{PrincipalComponents, Statistics, statistics};
pub use unpack::unpack;

/// The example in README.md, which is tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
