//! Class-per-folder pictures: `ROOT/CLASS/picture.jpg`, or `ROOT/train/CLASS/...` with `val` (or `validation`) and `test`
//! beside `train`. All pictures are checked when the folder is opened; those that fit a budget stay decoded in memory.

pub(crate) mod names;
mod pictures;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rayon::prelude::*;
use walkdir::{DirEntry, WalkDir};

use crate::budget::DECODE_BYTES;
use crate::dataset::{DataSet, Skipped};
use crate::decode::{DecodeOptions, FORMATS, Fit, check_header};
use crate::error::DataError;
use crate::images::{Images, Source};
use crate::progress::{Progress, Stage};

use names::{is_hidden, is_picture, natural, printable};
use pictures::Pictures;

/// What becomes of a file that looks like a picture by its name and can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is left out, and listed in [`DataSet::skipped`].
    Skip,
    /// It is an error.
    Fail,
}

/// How thoroughly pictures are checked when a folder is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Each is decoded once: nothing unreadable is left to be found in the middle of training.
    Pixels,
    /// Only formats and sizes are read: for folders so large that decoding takes too long.
    Headers,
    /// Nothing is read: for folders so large that reading takes too long. An unreadable picture is an error when its
    /// turn comes.
    Names,
}

/// How a folder of pictures is read.
#[derive(Clone, Copy, Debug)]
pub struct FolderOptions {
    /// `[height, width]` that every picture is brought to.
    pub size: [u32; 2],
    /// How a picture of another shape becomes one of that size.
    pub fit: Fit,
    /// Whether a picture is turned as its EXIF orientation says.
    pub exif_rotation: bool,
    /// Bytes that all decodes of this process may take together.
    pub memory_bytes: u64,
    /// What becomes of unreadable files.
    pub unreadable: Unreadable,
    /// How thoroughly files are checked.
    pub check: Check,
    /// Bytes of decoded pixels that stay in memory. Pictures beyond it are decoded each time they are asked for.
    pub cache_bytes: u64,
}

impl Default for FolderOptions {
    fn default() -> Self {
        Self {
            size: [256, 256],
            fit: Fit::Crop,
            exif_rotation: true,
            memory_bytes: DECODE_BYTES,
            unreadable: Unreadable::Fail,
            check: Check::Pixels,
            cache_bytes: 2 << 30,
        }
    }
}

impl FolderOptions {
    /// What concerns a single picture.
    fn decode(&self) -> DecodeOptions {
        DecodeOptions {
            size: self.size,
            fit: self.fit,
            exif_rotation: self.exif_rotation,
            memory_bytes: self.memory_bytes,
        }
    }
}

/// Names of the splits' folders: the first that exists is taken.
const VALIDATION_FOLDERS: [&str; 3] = ["val", "validation", "valid"];

/// Reads a folder of classes. Classes and pictures are in natural order (`2.png` before `10.png`), whatever order the
/// file system has; files without a picture's extension and names with a leading dot are passed over.
///
/// # Errors
/// [`DataError::Folder`] for fewer than two classes, a class without pictures, or a validation or test class that training
/// does not have; [`DataError::Picture`] or [`DataError::Io`] for an unreadable file when [`Unreadable::Fail`] is chosen.
pub fn read_folder(
    root: &Path,
    options: &FolderOptions,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<DataSet, DataError> {
    let [height, width] = options.size;
    if height == 0 || width == 0 {
        return Err(DataError::argument(
            "image size",
            "at least 1x1",
            format!("{height}x{width}"),
        ));
    }
    // Pictures right inside make `train` a class: of vehicles, say.
    let train_root =
        Some(root.join("train")).filter(|train| class_folders(train).is_ok_and(|c| !c.is_empty()));
    let train_root = train_root.unwrap_or_else(|| root.to_owned());
    let classes = class_folders(&train_root)?;
    if classes.len() < 2 {
        let expected = "at least 2 folders, one a class".to_owned();
        return Err(DataError::Folder {
            path: train_root,
            expected,
            found: classes.len().to_string(),
        });
    }
    let mut reader = Reader {
        options,
        classes,
        left: Arc::new(options.cache_bytes.into()),
        skipped: vec![],
        progress,
    };
    let train = reader.split(&train_root)?;
    let [mut validation, mut test] = [None, None];
    if train_root != root {
        let folder = VALIDATION_FOLDERS
            .iter()
            .map(|name| root.join(name))
            .find(|folder| folder.is_dir());
        validation = folder.map(|folder| reader.split(&folder)).transpose()?;
        let folder = Some(root.join("test")).filter(|folder| folder.is_dir());
        test = folder.map(|folder| reader.split(&folder)).transpose()?;
    }
    let name = root
        .file_name()
        .map_or_else(|| "folder".to_owned(), printable);
    Ok(DataSet {
        name,
        train,
        validation,
        test,
        skipped: reader.skipped,
    })
}

struct Reader<'a> {
    options: &'a FolderOptions,
    /// The classes of the training folder: path and name.
    classes: Vec<(PathBuf, String)>,
    /// Bytes that may still be kept decoded, over all splits.
    left: Arc<AtomicU64>,
    skipped: Vec<Skipped>,
    progress: &'a mut dyn FnMut(Progress<'_>),
}

impl Reader<'_> {
    /// Lists, checks and decodes the pictures of one split.
    fn split(&mut self, root: &Path) -> Result<Images, DataError> {
        let mut files = Vec::new();
        let mut labels = Vec::new();
        for (folder, name) in class_folders(root)? {
            let Some(label) = self.classes.iter().position(|(_, class)| *class == name) else {
                let expected = "a class of the training folder".to_owned();
                return Err(DataError::Folder {
                    path: folder,
                    expected,
                    found: name,
                });
            };
            self.list(&folder, &mut files)?;
            labels.resize(files.len(), u32::try_from(label).unwrap_or(u32::MAX));
        }
        let [height, width] = self.options.size.map(|side| side as usize);
        let mut pictures = Pictures::new(files, self.options, &self.left);
        let bad = self.check(&pictures, root)?;
        if !bad.is_empty() {
            let mut place = 0..;
            labels.retain(|_| {
                place
                    .next()
                    .is_some_and(|place| bad.binary_search(&place).is_err())
            });
            pictures.remove(&bad);
        }
        self.require_pictures(root, &labels)?;
        let names = self.classes.iter().map(|(_, name)| name.clone()).collect();
        Images::from_source([height, width], Arc::new(pictures), labels, names)
    }

    /// Appends the pictures under a class folder.
    fn list(&mut self, folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), DataError> {
        let walk = WalkDir::new(folder)
            .follow_links(true)
            .sort_by(|a, b| natural(a.file_name(), b.file_name()));
        let mut walk = walk
            .into_iter()
            .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.file_name()));
        while let Some(entry) = walk.next() {
            match entry {
                Ok(entry) if leads_out_of(&entry, folder) => {
                    walk.skip_current_dir();
                    let reason = "a link to a folder around its class".to_owned();
                    self.give_up(DataError::Picture {
                        path: entry.into_path(),
                        reason,
                    })?;
                }
                Ok(entry) if entry.file_type().is_file() && is_picture(entry.path()) => {
                    files.push(entry.into_path());
                }
                Ok(_) => {}
                Err(error) => self.give_up(walk_error(error, folder))?,
            }
        }
        Ok(())
    }

    /// Fails, or notes that a file is left out.
    fn give_up(&mut self, error: DataError) -> Result<(), DataError> {
        match (self.options.unreadable, error) {
            (Unreadable::Skip, DataError::Picture { path, reason }) => {
                self.skipped.push(Skipped { path, reason });
                Ok(())
            }
            (Unreadable::Skip, DataError::Io { path, source, .. }) => {
                self.skipped.push(Skipped {
                    path,
                    reason: source.to_string(),
                });
                Ok(())
            }
            (Unreadable::Skip, DataError::File(error)) => {
                self.skipped.push(Skipped {
                    path: error.path,
                    reason: error.source.to_string(),
                });
                Ok(())
            }
            (_, error) => Err(error),
        }
    }

    /// Reads every picture once, in parallel, if it should; gives the places of those that are left out.
    fn check(&mut self, pictures: &Pictures, root: &Path) -> Result<Vec<usize>, DataError> {
        let n_files = pictures.files.len();
        let what = root.display().to_string();
        let mut bad = Vec::new();
        if self.options.check == Check::Names {
            return Ok(bad);
        }
        let places: Vec<usize> = (0..n_files).collect();
        for places in places.chunks(64) {
            let done = places[0] as u64;
            (self.progress)(Progress {
                stage: Stage::Decode,
                what: &what,
                done,
                total: Some(n_files as u64),
            });
            let new_buffer = || vec![0; pictures.image_bytes()];
            let results =
                places
                    .par_iter()
                    .map_init(new_buffer, |buffer, place| match self.options.check {
                        Check::Pixels => pictures.read(*place, buffer),
                        Check::Headers => {
                            check_header(&pictures.files[*place], self.options.memory_bytes)
                                .map(|_| ())
                        }
                        Check::Names => Ok(()),
                    });
            let results: Vec<Result<(), DataError>> = results.collect();
            for (place, result) in places.iter().zip(results) {
                if let Err(error) = result {
                    self.give_up(error)?;
                    bad.push(*place);
                }
            }
        }
        let total = n_files as u64;
        (self.progress)(Progress {
            stage: Stage::Decode,
            what: &what,
            done: total,
            total: Some(total),
        });
        Ok(bad)
    }

    /// Every class folder that a split has must have a readable picture.
    fn require_pictures(&self, root: &Path, labels: &[u32]) -> Result<(), DataError> {
        for (path, name) in class_folders(root)? {
            let label = self.classes.iter().position(|(_, class)| *class == name);
            if !labels.iter().any(|l| Some(*l as usize) == label) {
                let expected = format!("at least 1 readable picture ({FORMATS})");
                return Err(DataError::Folder {
                    path,
                    expected,
                    found: "none".to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// The folders in `root`, in natural order, with printable names.
fn class_folders(root: &Path) -> Result<Vec<(PathBuf, String)>, DataError> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(root).map_err(DataError::io(root, "read"))? {
        let path = entry.map_err(DataError::io(root, "read"))?.path();
        if path.is_dir() && !path.file_name().is_none_or(is_hidden) {
            folders.push(path);
        }
    }
    folders.sort_by(|a, b| natural(a.as_os_str(), b.as_os_str()));
    let named = |path: PathBuf| {
        let name = path.file_name().map(printable).unwrap_or_default();
        (path, name)
    };
    Ok(folders.into_iter().map(named).collect())
}

/// Whether an entry is a link to a folder that contains the class, and with it other classes.
fn leads_out_of(entry: &DirEntry, class: &Path) -> bool {
    entry.depth() > 0
        && entry.path_is_symlink()
        && entry.file_type().is_dir()
        && class.canonicalize().is_ok_and(|class| {
            entry
                .path()
                .canonicalize()
                .is_ok_and(|target| class.starts_with(target))
        })
}

fn walk_error(error: walkdir::Error, class: &Path) -> DataError {
    let path = error.path().unwrap_or(class).to_owned();
    let loops = error
        .loop_ancestor()
        .map(|to| format!("a link that leads back to {}", to.display()));
    let reason = loops.unwrap_or_else(|| {
        error
            .into_io_error()
            .map_or_else(|| "unreadable".to_owned(), |error| error.to_string())
    });
    DataError::Picture { path, reason }
}
