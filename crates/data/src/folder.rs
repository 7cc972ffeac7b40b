//! Images in files: a folder for each class, or labels from a list. All images are checked when they are opened; those
//! that fit a budget stay decoded in memory. `layout` says which folders are splits and classes, `labels` reads lists,
//! `reader` makes images of either.

mod image_files;
mod labels;
mod layout;
mod line;
pub(crate) mod names;
mod reader;

use std::path::{Path, PathBuf};

use crate::budget::DECODE_BYTES;
use crate::channels::Channels;
use crate::dataset::DataSet;
use crate::decode::{DecodeOptions, Fit};
use crate::error::DataError;
use crate::progress::Progress;
use crate::resample::Interpolation;

use layout::Layout;
use names::printable;
use reader::Reader;

pub use labels::read_labels;
pub(crate) use labels::{is_list, of_folder};

/// What becomes of a file that looks like an image by its name and can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is left out, and listed in [`DataSet::skipped`].
    Skip,
    /// It is an error.
    Fail,
}

/// How thoroughly images are checked when a folder is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Each is decoded once: nothing unreadable is left to be found in the middle of training.
    Pixels,
    /// Only formats and sizes are read: for folders so large that decoding takes too long.
    Headers,
    /// Nothing is read: for folders so large that reading takes too long. An unreadable image is an error when its
    /// turn comes.
    Names,
}

/// How a folder of images is read.
#[derive(Clone, Debug)]
pub struct FolderOptions {
    /// Where the images of a list are, if not beside it.
    pub images_dir: Option<PathBuf>,
    /// `[height, width]` that every image is brought to.
    pub size: [u32; 2],
    /// How an image of another shape becomes one of that size.
    pub fit: Fit,
    /// How pixels between pixels are made.
    pub interpolation: Interpolation,
    /// Whether an image is turned as its EXIF orientation says.
    pub exif_rotation: bool,
    /// What each pixel becomes; see [`DecodeOptions::channels`].
    pub channels: Channels,
    /// Bytes that all decodes of this process may take together.
    pub memory_bytes: u64,
    /// What becomes of unreadable files.
    pub unreadable: Unreadable,
    /// How thoroughly files are checked.
    pub check: Check,
    /// Bytes of decoded pixels that stay in memory. Images beyond it are decoded each time they are asked for.
    pub cache_bytes: u64,
}

impl Default for FolderOptions {
    fn default() -> Self {
        Self {
            images_dir: None,
            size: [256, 256],
            fit: Fit::Crop,
            interpolation: Interpolation::default(),
            exif_rotation: true,
            channels: Channels::Rgb,
            memory_bytes: DECODE_BYTES,
            unreadable: Unreadable::Fail,
            check: Check::Pixels,
            cache_bytes: 2 << 30,
        }
    }
}

impl FolderOptions {
    fn check(&self) -> Result<(), DataError> {
        let [height, width] = self.size;
        if height == 0 || width == 0 {
            let found = format!("{height}x{width}");
            return Err(DataError::argument("image size", "at least 1x1", found));
        }
        Ok(())
    }

    /// What concerns a single image.
    fn decode(&self) -> DecodeOptions {
        DecodeOptions {
            size: self.size,
            fit: self.fit,
            interpolation: self.interpolation,
            exif_rotation: self.exif_rotation,
            channels: self.channels,
            memory_bytes: self.memory_bytes,
        }
    }
}

/// Reads a folder of classes: `ROOT/CLASS/image.jpg`, or `ROOT/train/CLASS/image.jpg` with folders for validation and
/// test beside `train`, each under one of its usual names in any case. Classes and images are in natural order (`2.png`
/// before `10.png`), whatever order the file system has. What is left out is told in [`DataSet::left_out`].
///
/// ```
/// let root = tempfile::tempdir()?;
/// for (class, shade) in [("dark", 20), ("light", 230)] {
///     std::fs::create_dir(root.path().join(class))?;
///     image::GrayImage::from_pixel(40, 30, image::Luma([shade])).save(root.path().join(class).join("1.png"))?;
/// }
/// let options = data::FolderOptions { size: [32, 32], ..Default::default() };
/// let set = data::read_folder(root.path(), &options, &mut |_| {})?;
/// assert_eq!((set.train.len(), set.class_names()), (2, &["dark", "light"].map(str::to_owned)[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`DataError::Folder`] for fewer than two classes, a class without images, a validation or test class that training
/// does not have, or two folders for one split; [`DataError::Image`], [`DataError::File`] or [`DataError::Io`] for an
/// unreadable file when [`Unreadable::Fail`] is chosen.
pub fn read_folder(
    root: &Path,
    options: &FolderOptions,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<DataSet, DataError> {
    options.check()?;
    let layout = Layout::find(root)?;
    let classes = layout::class_folders(&layout.train)?;
    if classes.len() < 2 {
        return Err(DataError::Folder {
            path: layout.train,
            expected: "at least 2 folders, one a class".to_owned(),
            found: classes.len().to_string(),
        });
    }
    let classes = classes.into_iter().map(|folder| folder.name).collect();
    let mut reader = Reader::new(options, classes, progress);
    reader.left_out.notes = layout.notes;
    let train = reader.split(&layout.train)?;
    let mut other = |folder: Option<PathBuf>| folder.map(|f| reader.split(&f)).transpose();
    let validation = other(layout.validation)?;
    let test = other(layout.test)?;
    Ok(DataSet {
        name: named_by(root),
        train,
        validation,
        test,
        skipped: reader.skipped,
        left_out: reader.left_out,
    })
}

/// The last part of a path, as a data set's name.
fn named_by(path: &Path) -> String {
    path.file_name()
        .map_or_else(|| "folder".to_owned(), printable)
}
