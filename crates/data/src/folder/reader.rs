//! Files and labels to images: listed, checked, and decoded where a budget lasts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rayon::prelude::*;
use walkdir::{DirEntry, WalkDir};

use crate::dataset::{LeftOut, Skipped};
use crate::decode::{FORMATS, check_header};
use crate::error::DataError;
use crate::images::{Images, Source};
use crate::progress::{Progress, Stage};

use super::image_files::ImageFiles;
use super::layout::class_folders;
use super::line::Places;
use super::names::{ending, is_ignored, is_image, natural};
use super::{Check, FolderOptions, Unreadable};

/// What is being read, over all splits.
pub(super) struct Reader<'a> {
    options: &'a FolderOptions,
    classes: Vec<String>,
    /// Bytes that may still be kept decoded.
    left: Arc<AtomicU64>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) left_out: LeftOut,
    progress: &'a mut dyn FnMut(Progress<'_>),
}

/// The files of a split and their classes.
#[derive(Default)]
pub(super) struct Labelled {
    pub(super) files: Vec<PathBuf>,
    pub(super) labels: Vec<u32>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        options: &'a FolderOptions,
        classes: Vec<String>,
        progress: &'a mut dyn FnMut(Progress<'_>),
    ) -> Self {
        Self {
            options,
            classes,
            left: Arc::new(options.cache_bytes.into()),
            skipped: Vec::new(),
            left_out: LeftOut::default(),
            progress,
        }
    }

    /// The images of a folder of classes.
    pub(super) fn split(&mut self, root: &Path) -> Result<Images, DataError> {
        let mut found = Labelled::default();
        let folders = class_folders(root)?;
        let mut has = vec![false; self.classes.len()];
        for folder in &folders {
            let label = self.classes.iter().position(|class| *class == folder.name);
            let Some(label) = label else {
                return Err(DataError::Folder {
                    path: folder.path.clone(),
                    expected: "a class of the training folder".to_owned(),
                    found: folder.name.clone(),
                });
            };
            has[label] = true;
            self.list(&folder.path, &mut found.files)?;
            let label = u32::try_from(label).unwrap_or(u32::MAX);
            found.labels.resize(found.files.len(), label);
        }
        let missing = self.classes.iter().zip(has).filter(|(_, has)| !has);
        let missing: Vec<_> = missing.map(|(class, _)| class.clone()).collect();
        if !missing.is_empty() {
            let places = Places::of(missing).shown("classes");
            let note = format!("{}: no folder for {places}", files::shown(root));
            self.left_out.notes.push(note);
        }
        // Kept for the check below: which folders have a readable image.
        let (images, labels) = self.images(root, found)?;
        for folder in folders {
            let label = self.classes.iter().position(|class| *class == folder.name);
            if !labels.iter().any(|l| Some(*l as usize) == label) {
                return Err(DataError::Folder {
                    found: self.instead(&folder.path),
                    path: folder.path,
                    expected: format!("at least 1 readable image ({FORMATS})"),
                });
            }
        }
        images.ok_or_else(|| DataError::Folder {
            path: root.to_owned(),
            expected: "images".to_owned(),
            found: "none".to_owned(),
        })
    }

    /// What is in a folder without a readable image.
    fn instead(&self, folder: &Path) -> String {
        let mut files = std::collections::BTreeMap::new();
        let walk = WalkDir::new(folder).into_iter().flatten();
        for entry in walk.filter(|entry| !entry.file_type().is_dir() && !is_image(entry.path())) {
            *files.entry(ending(&entry)).or_default() += 1;
        }
        let left_out = LeftOut {
            files,
            notes: Vec::new(),
        };
        match left_out.files_line() {
            Some(files) => format!("none, but {files}"),
            None => "none".to_owned(),
        }
    }

    /// Checks the files, and leaves out those that can't be read if it should. `None` if none is left; the labels of
    /// those that are.
    pub(super) fn images(
        &mut self,
        root: &Path,
        found: Labelled,
    ) -> Result<(Option<Images>, Vec<u32>), DataError> {
        let [height, width] = self.options.size.map(|side| side as usize);
        let mut labels = found.labels;
        let mut images = ImageFiles::new(found.files, self.options, &self.left);
        let bad = self.check(&images, root)?;
        if !bad.is_empty() {
            let mut place = 0..;
            let good = |place: usize| bad.binary_search(&place).is_err();
            labels.retain(|_| place.next().is_some_and(good));
            images.remove(&bad);
        }
        if labels.is_empty() {
            return Ok((None, labels));
        }
        let (source, names) = (Arc::new(images), self.classes.clone());
        let shape = [height, width, self.options.channels.count()];
        let images = Images::from_source(shape, source, labels.clone(), names)?;
        Ok((Some(images), labels))
    }

    /// Appends the images under a class folder.
    fn list(&mut self, folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), DataError> {
        let walk = WalkDir::new(folder)
            .follow_links(true)
            .sort_by(|a, b| natural(a.file_name(), b.file_name()));
        let mut walk = walk
            .into_iter()
            .filter_entry(|entry| entry.depth() == 0 || !is_ignored(entry.file_name()));
        while let Some(entry) = walk.next() {
            match entry {
                Ok(entry) if leads_out_of(&entry, folder) => {
                    walk.skip_current_dir();
                    let reason = "a link to a folder around its class".to_owned();
                    self.give_up(DataError::Image {
                        path: entry.into_path(),
                        reason,
                    })?;
                }
                Ok(entry) if entry.file_type().is_file() && is_image(entry.path()) => {
                    files.push(entry.into_path());
                }
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => *self.left_out.files.entry(ending(&entry)).or_default() += 1,
                Err(error) => self.give_up(walk_error(error, folder))?,
            }
        }
        Ok(())
    }

    /// Fails, or notes that a file is left out.
    pub(super) fn give_up(&mut self, error: DataError) -> Result<(), DataError> {
        match (self.options.unreadable, error) {
            (Unreadable::Skip, DataError::Image { path, reason }) => {
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

    /// Reads every image once, in parallel, if it should; gives the indices of those that are left out.
    fn check(&mut self, images: &ImageFiles, root: &Path) -> Result<Vec<usize>, DataError> {
        let n_files = images.files.len();
        let what = files::shown(root);
        let mut bad = Vec::new();
        if self.options.check == Check::Names {
            return Ok(bad);
        }
        let indices: Vec<usize> = (0..n_files).collect();
        for indices in indices.chunks(64) {
            let done = indices[0] as u64;
            (self.progress)(Progress {
                stage: Stage::Decode,
                what: &what,
                done,
                total: Some(n_files as u64),
            });
            let new_buffer = || vec![0; images.image_bytes()];
            let results =
                indices
                    .par_iter()
                    .map_init(new_buffer, |buffer, place| match self.options.check {
                        Check::Pixels => images.read(*place, buffer),
                        Check::Headers => {
                            check_header(&images.files[*place], self.options.memory_bytes)
                                .map(|_| ())
                        }
                        Check::Names => Ok(()),
                    });
            let results: Vec<Result<(), DataError>> = results.collect();
            for (place, result) in indices.iter().zip(results) {
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
        .map(|to| format!("a link that leads back to {}", files::shown(to)));
    let reason = loops.unwrap_or_else(|| {
        error
            .into_io_error()
            .map_or_else(|| "unreadable".to_owned(), |error| error.to_string())
    });
    DataError::Image { path, reason }
}
