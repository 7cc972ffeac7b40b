//! Which folders are splits, and which are classes.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::dataset::Split;
use crate::error::DataError;

use super::names::{is_ignored, is_image, natural, printable};

/// Usual names of the splits' folders, in lower case with underscores.
const TRAIN: [&str; 5] = ["train", "training", "training_set", "train_set", "trainset"];
const VALIDATION: [&str; 8] = [
    "val",
    "valid",
    "validation",
    "validation_set",
    "valid_set",
    "val_set",
    "valset",
    "dev",
];
const TEST: [&str; 5] = ["test", "testing", "test_set", "testset", "testing_set"];
/// Archives unpack into a folder of their own name inside one, now and then twice.
const MOST_NESTED: usize = 3;

/// A folder with its printable name.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) name: String,
}

/// Where the splits are.
#[derive(Debug)]
pub(super) struct Layout {
    /// The folder of the training classes.
    pub(super) train: PathBuf,
    pub(super) validation: Option<PathBuf>,
    pub(super) test: Option<PathBuf>,
    /// What is there and not used.
    pub(super) notes: Vec<String>,
}

impl Layout {
    /// Looks for splits in `root`, and for classes where there are none.
    pub(super) fn find(root: &Path) -> Result<Self, DataError> {
        let mut layout = Self {
            train: root.to_owned(),
            validation: None,
            test: None,
            notes: Vec::new(),
        };
        let mut root = root.to_owned();
        for _ in 0..MOST_NESTED {
            let Some(inner) = only_folder(&root)?.filter(|inner| split_of(&inner.name).is_none())
            else {
                break;
            };
            if class_folders(&inner.path)?.len() < 2 && only_folder(&inner.path)?.is_none() {
                break;
            }
            root = inner.path;
        }
        layout.train.clone_from(&root);
        let folders = class_folders(&root)?;
        let found = Found::among(&folders)?;
        let train = found.train.map(|folder| nested(&folder.path)).transpose()?;
        match train {
            Some(train) if has_class_folders(&train) => {
                layout.train = train;
                layout.validation = layout.other(found.validation)?;
                layout.test = layout.other(found.test)?;
                layout.note_others(&root, &folders)?;
            }
            _ if !folders.is_empty() && folders.iter().all(|f| split_of(&f.name).is_some()) => {
                return Err(no_training(&root, &found, &folders)?);
            }
            _ => layout.note_others(&root, &[])?,
        }
        Ok(layout)
    }

    /// A split's folder beside the training folder, if it has classes; else it is told.
    fn other(&mut self, folder: Option<&Folder>) -> Result<Option<PathBuf>, DataError> {
        let Some(folder) = folder else {
            return Ok(None);
        };
        let inside = nested(&folder.path)?;
        if has_class_folders(&inside) {
            return Ok(Some(inside));
        }
        let n = grouped(count_images(&inside)?);
        self.notes.push(format!(
            "{}: {n} images without class folders: not used; `predict` classifies them",
            folder.name
        ));
        Ok(None)
    }

    /// Tells of folders beside the splits, and of images beside folders.
    fn note_others(&mut self, root: &Path, folders: &[Folder]) -> Result<(), DataError> {
        for folder in folders.iter().filter(|f| split_of(&f.name).is_none()) {
            self.notes
                .push(format!("{}: beside the splits: not used", folder.name));
        }
        let n = count_images(root)?;
        if n > 0 {
            let n = grouped(n);
            self.notes.push(format!(
                "{}: {n} images beside the folders: not used",
                files::shown(root)
            ));
        }
        Ok(())
    }
}

/// The folder for each split, among those of a folder.
struct Found<'a> {
    train: Option<&'a Folder>,
    validation: Option<&'a Folder>,
    test: Option<&'a Folder>,
}

impl<'a> Found<'a> {
    fn among(folders: &'a [Folder]) -> Result<Self, DataError> {
        let one = |split| {
            let mut found = folders.iter().filter(|f| split_of(&f.name) == Some(split));
            match (found.next(), found.next()) {
                (Some(first), Some(second))
                    if has_class_folders(&first.path) || has_class_folders(&second.path) =>
                {
                    Err(DataError::Folder {
                        path: first.path.parent().unwrap_or(&first.path).to_owned(),
                        expected: "one folder for each split".to_owned(),
                        found: format!("both {} and {}", first.name, second.name),
                    })
                }
                (first, _) => Ok(first),
            }
        };
        Ok(Self {
            train: one(Split::Train)?,
            validation: one(Split::Validation)?,
            test: one(Split::Test)?,
        })
    }
}

/// Folders of splits alone, and no classes in that of training.
fn no_training(root: &Path, found: &Found<'_>, folders: &[Folder]) -> Result<DataError, DataError> {
    let Some(train) = found.train else {
        let names: Vec<_> = folders.iter().map(|folder| folder.name.as_str()).collect();
        return Ok(DataError::Folder {
            path: root.to_owned(),
            expected: "a training folder (train, training, training_set) beside others".to_owned(),
            found: names.join(" and "),
        });
    };
    Ok(DataError::Folder {
        expected: "folders, one a class, or a list with labels (labels.csv) beside it".to_owned(),
        found: format!("{} images", grouped(count_images(&train.path)?)),
        path: train.path.clone(),
    })
}

/// The split that a folder's name stands for.
pub(super) fn split_of(name: &str) -> Option<Split> {
    let name = name.to_lowercase().replace(['-', ' '], "_");
    let is = |names: &[&str]| names.contains(&name.as_str());
    match () {
        () if is(&TRAIN) => Some(Split::Train),
        () if is(&VALIDATION) => Some(Split::Validation),
        () if is(&TEST) => Some(Split::Test),
        () => None,
    }
}

/// The folder inside one that has nothing but a folder of the same name: `training_set/training_set`.
fn nested(folder: &Path) -> Result<PathBuf, DataError> {
    let inner = only_folder(folder)?.filter(|inner| inner.path.file_name() == folder.file_name());
    Ok(inner.map_or_else(|| folder.to_owned(), |inner| inner.path))
}

/// The only folder in one without images.
fn only_folder(folder: &Path) -> Result<Option<Folder>, DataError> {
    let mut folders = class_folders(folder)?;
    if folders.len() != 1 || count_images(folder)? > 0 {
        return Ok(None);
    }
    Ok(folders.pop())
}

/// Whether a folder has folders that may be classes.
pub(super) fn has_class_folders(folder: &Path) -> bool {
    class_folders(folder).is_ok_and(|folders| !folders.is_empty())
}

/// The folders in `root`, in natural order, with printable names.
pub(super) fn class_folders(root: &Path) -> Result<Vec<Folder>, DataError> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(root).map_err(DataError::io(root, "read"))? {
        let path = entry.map_err(DataError::io(root, "read"))?.path();
        if path.is_dir() && !path.file_name().is_none_or(is_ignored) {
            folders.push(path);
        }
    }
    folders.sort_by(|a, b| natural(a.as_os_str(), b.as_os_str()));
    let named = |path: PathBuf| {
        let name = path.file_name().map(printable).unwrap_or_default();
        Folder { path, name }
    };
    Ok(folders.into_iter().map(named).collect())
}

/// Images right inside a folder, by their names.
fn count_images(folder: &Path) -> Result<u64, DataError> {
    let mut count = 0;
    for entry in fs::read_dir(folder).map_err(DataError::io(folder, "read"))? {
        let path = entry.map_err(DataError::io(folder, "read"))?.path();
        let is_seen = !is_ignored(path.file_name().unwrap_or(OsStr::new("")));
        count += u64::from(is_seen && is_image(&path) && path.is_file());
    }
    Ok(count)
}

/// A number with commas between its thousands: 12,500.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_splits_in_any_case() {
        for name in ["train", "Training", "TRAINING_SET", "training-set", "Train"] {
            assert_eq!(split_of(name), Some(Split::Train), "{name}");
        }
        for name in ["val", "valid", "Validation", "validation set", "DEV"] {
            assert_eq!(split_of(name), Some(Split::Validation), "{name}");
        }
        for name in ["Test", "testing", "test_set"] {
            assert_eq!(split_of(name), Some(Split::Test), "{name}");
        }
        assert_eq!(split_of("trains"), None);
        assert_eq!(grouped(12_500), "12,500");
        assert_eq!(grouped(7), "7");
    }
}
