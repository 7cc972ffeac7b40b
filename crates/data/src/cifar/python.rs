//! CIFAR's Python layout: a pickled dictionary a file, with the images as `NumPy`'s array `[n, 3072]` of three planes each.
//! As its authors wrote it with Python 2, and as people save it again with Python 3.

use std::path::Path;

use pickle::{Arrays, Graph, Value};

use super::{Cifar, IMAGE, Kind, PLANE, Records, SIDE};
use crate::channels::CHANNELS;
use crate::download::md5_of_bytes;
use crate::error::DataError;

/// Longer files are refused: CIFAR-100's training images have 156 MB, and half more where bytes are written as text.
const MOST_BYTES: u64 = 256 << 20;
/// The longest file of class names: the real ones have a KiB.
const MOST_NAMES: u64 = 64 << 10;
/// Images of a file, at most.
const MOST_IMAGES: usize = 60_000;

/// The published files' MD5, by name.
const PUBLISHED: [(&str, &str); 8] = [
    ("data_batch_1", "c99cafc152244af753f735de768cd75f"),
    ("data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"),
    ("data_batch_3", "54ebc095f3ab1f0389bbae665268c751"),
    ("data_batch_4", "634d18415352ddfa80567beed471001a"),
    ("data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"),
    ("test_batch", "40351d587109b95175f43aff81a1287e"),
    ("train", "16019d7e3df5f24257cddd939b257f8d"),
    ("test", "f0ef6b0ae62326f3e7ffdfab6717acfc"),
];

/// The class names, from `batches.meta` or `meta`.
pub(super) fn class_names(cifar: Cifar, folder: &Path) -> Result<Vec<String>, DataError> {
    let (file, key, classes) = match cifar.kind {
        Kind::Ten => ("batches.meta", "label_names", 10),
        Kind::HundredFine => ("meta", "fine_label_names", 100),
        Kind::HundredCoarse => ("meta", "coarse_label_names", 20),
    };
    let path = folder.join(file);
    let bytes = files::read(&path, MOST_NAMES)?;
    let wrong = wrong(&path);
    let pickle = pickle::read(&bytes, &mut Arrays).map_err(&wrong)?;
    let graph = &pickle.graph;
    let names = graph.item(pickle.root, key.as_bytes());
    let names = names.and_then(|names| graph.sequence(names));
    let names = names.ok_or_else(|| wrong(format!("no list under '{key}'")))?;
    if names.len() != classes {
        let found = names.len();
        return Err(wrong(format!(
            "{found} names under '{key}' in place of {classes}"
        )));
    }
    let name = |value: &Value| {
        let bytes = graph.bytes(*value)?;
        let name = String::from_utf8(bytes.into_owned()).ok()?;
        (!name.is_empty()).then_some(name)
    };
    let names: Option<Vec<String>> = names.iter().map(name).collect();
    names.ok_or_else(|| wrong(format!("something else than names under '{key}'")))
}

/// Reads a file and appends its images and labels; whether it is the published file.
pub(super) fn read_file(
    cifar: Cifar,
    path: &Path,
    classes: usize,
    read: &mut Records,
) -> Result<bool, DataError> {
    let bytes = files::read(path, MOST_BYTES)?;
    let (is_published, added) = rayon::join(
        || is_published(path, &bytes),
        || add(cifar, &bytes, classes, read),
    );
    added.map_err(wrong(path))?;
    Ok(is_published)
}

/// The error of a file, with what was found in it.
fn wrong(path: &Path) -> impl Fn(String) -> DataError {
    let path = path.to_owned();
    move |found| DataError::Pickle {
        path: path.clone(),
        found: files::escape(&found).into_owned(),
    }
}

fn is_published(path: &Path, bytes: &[u8]) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let published = PUBLISHED.iter().find(|(own, _)| Some(*own) == name);
    published.is_some_and(|(_, md5)| md5_of_bytes(bytes) == *md5)
}

fn add(cifar: Cifar, bytes: &[u8], classes: usize, read: &mut Records) -> pickle::Result<()> {
    let key = match cifar.kind {
        Kind::Ten => "labels",
        Kind::HundredFine => "fine_labels",
        Kind::HundredCoarse => "coarse_labels",
    };
    let pickle = pickle::read(bytes, &mut Arrays)?;
    let item = |key: &str| item(&pickle.graph, pickle.root, key);
    let array = pickle.graph.array(item("data")?)?;
    let n = array.shape.first().copied().unwrap_or(0);
    let is_image = matches!(
        array.shape[..],
        [_, IMAGE] | [_, CHANNELS, SIDE, SIDE] | [_, CHANNELS, PLANE]
    );
    if !is_image || array.kind.width != 1 || array.kind.is_signed {
        let found = &array.shape;
        return Err(format!(
            "'data' of shape {found:?} in place of [n, {IMAGE}] bytes"
        ));
    }
    if !(1..=MOST_IMAGES).contains(&n) {
        return Err(format!("{n} images, where 1 to {MOST_IMAGES} can be"));
    }
    let labels = pickle.graph.integers(item(key)?, MOST_IMAGES)?;
    if labels.len() != n {
        return Err(format!("{} '{key}' for {n} images", labels.len()));
    }
    for (image, label) in labels.iter().enumerate() {
        let label = u32::try_from(*label).ok();
        let label = label.filter(|&label| (label as usize) < classes);
        let found = labels[image];
        read.labels.push(label.ok_or_else(|| {
            format!(
                "the label {found} of image {image}, where 0 to {} can be",
                classes - 1
            )
        })?);
    }
    read.add_pixels(&array.bytes, IMAGE);
    Ok(())
}

fn item(graph: &Graph<'_>, root: Value, key: &str) -> pickle::Result<Value> {
    if graph.items(root).is_none() {
        return Err("no dictionary".to_owned());
    }
    let value = graph.item(root, key.as_bytes());
    value.ok_or_else(|| format!("no '{key}' in its dictionary"))
}
