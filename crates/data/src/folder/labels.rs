//! Images whose classes are in a list: a CSV with a row for each (`image,label`, Kaggle's `id,label`), or a text file with
//! `path label` lines, as Caffe and ImageNet's tools have them. Lists are streamed: a million rows are no text of bounded
//! length, but a row is, and so is the file.

mod find;
mod rows;

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::dataset::{DataSet, Skipped};
use crate::error::DataError;
use crate::images::Images;
use crate::progress::Progress;

use super::layout::{Folder, class_folders, has_class_folders, split_of};
use super::line::Places;
use super::names::{is_image, natural};
use super::reader::{Labelled, Reader};
use super::{FolderOptions, Unreadable, named_by};
use find::{Finder, Found, is_of_images};
use rows::Rows;

/// Endings of lists.
const ENDINGS: [&str; 5] = ["csv", "tsv", "txt", "lst", "list"];
/// Lists that give a folder of images its labels, in lower case.
const BESIDE: [&str; 8] = [
    "trainlabels.csv",
    "train_labels.csv",
    "labels.csv",
    "train.csv",
    "labels.txt",
    "train.txt",
    "labels.tsv",
    "train.tsv",
];
const VALIDATION: [&str; 3] = ["val", "valid", "validation"];

/// Whether a path is a list by its ending.
pub(crate) fn is_list(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str);
    ending.is_some_and(|ending| ENDINGS.contains(&ending.to_ascii_lowercase().as_str()))
}

/// What a list's name means in place of one file.
fn not_one(name: &str, found: &Found) -> String {
    let name = files::escape(name);
    match found {
        Found::Several(files) => format!("{} for {name}", files::escape(&files.join(" and "))),
        _ => format!("no file {name}"),
    }
}

/// The one list of labels in a folder.
fn beside(folder: &Path) -> Result<Option<PathBuf>, DataError> {
    let mut lists = Vec::new();
    for entry in fs::read_dir(folder).map_err(DataError::io(folder, "read"))? {
        let path = entry.map_err(DataError::io(folder, "read"))?.path();
        let name = path.file_name().and_then(OsStr::to_str);
        if name.is_some_and(|name| BESIDE.contains(&name.to_lowercase().as_str())) {
            lists.push(path);
        }
    }
    lists.sort_by(|a, b| natural(a.as_os_str(), b.as_os_str()));
    match lists.as_slice() {
        [] => Ok(None),
        [_] => Ok(lists.pop()),
        [first, second, ..] => Err(DataError::Folder {
            path: folder.to_owned(),
            expected: "one list of labels (name the one that counts)".to_owned(),
            found: format!("{} and {}", named_by(first), named_by(second)),
        }),
    }
}

/// Reads the images that a list names, with their labels: `list` has a row for each. Separators are commas, semicolons,
/// tabs, or spaces where there is none of these. A first row that names the columns is found by its words, or because it
/// names no file. Paths are relative to [`FolderOptions::images_dir`], else to the list's folder or `train`, `images` or
/// `train_images` in it; endings may be missing. Beside a list for training, `val` and `test` of the same ending count.
/// Classes are the labels, in natural order.
///
/// ```
/// let root = tempfile::tempdir()?;
/// for (name, shade) in [("a.png", 20), ("b.png", 230)] {
///     image::GrayImage::from_pixel(40, 30, image::Luma([shade])).save(root.path().join(name))?;
/// }
/// let list = root.path().join("labels.csv");
/// std::fs::write(&list, "file,label\na.png,dark\nb.png,light\n")?;
/// let set = data::read_labels(&list, &data::FolderOptions::default(), &mut |_| {})?;
/// assert_eq!((set.train.labels(), set.class_names().len()), (&[0, 1][..], 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`DataError::Line`] for a row that makes no sense, contradicts an earlier one or, when [`Unreadable::Fail`] is chosen,
/// names no file; those of [`super::read_folder`].
pub fn read_labels(
    list: &Path,
    options: &FolderOptions,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<DataSet, DataError> {
    options.check()?;
    let train = List::read(list, options)?;
    let mut classes: Vec<String> = train.classes.clone();
    classes.sort_by(|a, b| natural(OsStr::new(a), OsStr::new(b)));
    if classes.len() < 2 {
        return Err(DataError::Folder {
            path: list.to_owned(),
            expected: "labels of at least 2 classes".to_owned(),
            found: match train.skipped.first() {
                Some(first) => {
                    format!("{}, as files are missing ({})", classes.len(), first.reason)
                }
                None => classes.len().to_string(),
            },
        });
    }
    let mut reader = Reader::new(options, classes.clone(), progress);
    let mut images = |list: &Path, read: List| -> Result<Images, DataError> {
        let labelled = read.labelled(&classes)?;
        reader.skipped.extend(read.skipped);
        reader.left_out.notes.extend(read.notes);
        let (images, _) = reader.images(list, labelled)?;
        images.ok_or_else(|| DataError::Folder {
            path: list.to_owned(),
            expected: "at least 1 readable image".to_owned(),
            found: "none".to_owned(),
        })
    };
    let train = images(list, train)?;
    let (mut validation, mut test, mut notes) = (None, None, Vec::new());
    for (split, names) in [(&mut validation, &VALIDATION[..]), (&mut test, &["test"])] {
        let Some(other) = sibling(list, names) else {
            continue;
        };
        if rows::has_labels(&other)? {
            *split = Some(images(&other, List::read(&other, options)?)?);
        } else {
            notes.push(format!("{}: no labels: not used", named_by(&other)));
        }
    }
    reader.left_out.notes.extend(notes);
    Ok(DataSet {
        name: list
            .file_stem()
            .map_or_else(|| "list".to_owned(), files::printable),
        train,
        validation,
        test,
        skipped: reader.skipped,
        left_out: reader.left_out,
    })
}

/// The list for another split beside one for training.
fn sibling(list: &Path, names: &[&str]) -> Option<PathBuf> {
    let stem = list.file_stem()?.to_str()?.to_lowercase();
    if !stem.starts_with("train") && stem != "labels" {
        return None;
    }
    let ending = list.extension()?;
    let path = |name: &&str| list.with_file_name(name).with_extension(ending);
    names.iter().map(path).find(|path| path.is_file())
}

/// What a list says.
struct List {
    path: PathBuf,
    files: Vec<PathBuf>,
    /// An index into `classes` and the number of the line, for each file.
    labels: Vec<(usize, u64)>,
    /// In the order of their first lines.
    classes: Vec<String>,
    skipped: Vec<Skipped>,
    notes: Vec<String>,
}

impl List {
    fn read(path: &Path, options: &FolderOptions) -> Result<Self, DataError> {
        let mut list = Self {
            path: path.to_owned(),
            files: Vec::new(),
            labels: Vec::new(),
            classes: Vec::new(),
            skipped: Vec::new(),
            notes: Vec::new(),
        };
        let mut finder = Finder::new(path, options.images_dir.as_deref());
        let mut rows = Rows::open(path, &mut finder)?;
        list.notes.extend(rows.note.take());
        let mut class_of: HashMap<String, usize> = HashMap::new();
        let mut place_of: HashMap<PathBuf, usize> = HashMap::new();
        let (mut repeated, mut missing) = (Places::default(), Places::default());
        let mut first_missing = None;
        while let Some(row) = rows.next()? {
            let file = match finder.find(&row.file) {
                Found::One(file) => file,
                found => {
                    missing.add(|| format!("line {}", row.line));
                    let what = not_one(&row.file, &found);
                    let reason = format!("line {}: {what}", row.line);
                    first_missing.get_or_insert((row.line, what));
                    list.skipped.push(Skipped {
                        path: path.to_owned(),
                        reason,
                    });
                    continue;
                }
            };
            let class = *class_of.entry(row.label).or_insert_with_key(|label| {
                list.classes.push(label.clone());
                list.classes.len() - 1
            });
            if let Some(place) = place_of.get(&file) {
                let (before, line) = list.labels[*place];
                if before != class {
                    let expected = format!("{} as in line {line}", list.classes[before]);
                    return Err(rows.wrong(row.line, &expected, &list.classes[class]));
                }
                repeated.add(|| format!("line {}", row.line));
                continue;
            }
            place_of.insert(file.clone(), list.files.len());
            list.files.push(file);
            list.labels.push((class, row.line));
        }
        if let Some((line, what)) = first_missing
            && (options.unreadable == Unreadable::Fail || list.files.is_empty())
        {
            let found = format!("{what}; {}", missing.shown("lines name no file"));
            let expected = format!("an image in {}", finder.shown());
            return Err(rows.wrong(line, &expected, &found));
        }
        if repeated.count > 0 {
            let lines = repeated.shown("lines repeat an image");
            list.notes
                .push(format!("{}: {lines}: used once", named_by(path)));
        }
        list.note_extra(&place_of)?;
        Ok(list)
    }

    /// Tells of images in the listed ones' folders that the list does not name.
    fn note_extra(&mut self, listed: &HashMap<PathBuf, usize>) -> Result<(), DataError> {
        let folders = self
            .files
            .iter()
            .filter_map(|file| Some((file.parent()?, ())));
        let folders: BTreeMap<&Path, ()> = folders.collect();
        let mut extra = Places::default();
        for folder in folders.into_keys() {
            let mut here = Vec::new();
            for entry in fs::read_dir(folder).map_err(DataError::io(folder, "read"))? {
                let path = entry.map_err(DataError::io(folder, "read"))?.path();
                if is_image(&path) && !listed.contains_key(&path) {
                    here.push(path);
                }
            }
            here.sort_by(|a, b| natural(a.as_os_str(), b.as_os_str()));
            here.iter().for_each(|path| extra.add(|| named_by(path)));
        }
        if extra.count > 0 {
            let images = extra.shown("images are not in the list");
            self.notes
                .push(format!("{}: {images}: not used", named_by(&self.path)));
        }
        Ok(())
    }

    /// The files with their indices among the training list's classes.
    fn labelled(&self, classes: &[String]) -> Result<Labelled, DataError> {
        let indices: HashMap<&str, u32> = classes.iter().map(String::as_str).zip(0..).collect();
        let mut labels = Vec::with_capacity(self.labels.len());
        for (class, line) in &self.labels {
            let name = &self.classes[*class];
            let Some(label) = indices.get(name.as_str()) else {
                let expected = "a class of the training list";
                return Err(rows::wrong(&self.path, *line, expected, name));
            };
            labels.push(*label);
        }
        Ok(Labelled {
            files: self.files.clone(),
            labels,
        })
    }
}

/// The list that has the classes of a folder's images, if they are not in class folders.
///
/// # Errors
/// [`DataError::Folder`] if there are several.
pub(crate) fn of_folder(folder: &Path) -> Result<Option<PathBuf>, DataError> {
    // `train/` with images right inside, or nothing but images.
    let folders = class_folders(folder)?;
    let is_split = |folder: &Folder| split_of(&folder.name).is_some() || is_of_images(&folder.name);
    if folders
        .iter()
        .any(|folder| !is_split(folder) || has_class_folders(&folder.path))
    {
        return Ok(None);
    }
    beside(folder)
}
