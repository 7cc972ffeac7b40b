//! What images a run has: `data.json` in its folder, by which a resumed run tells whether they are still the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use data::{DataSet, Images};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The file in a run's folder.
pub(crate) const NAME: &str = "data.json";
/// Of splits with more images, the names are in the digest alone.
const MOST_NAMES: usize = 20_000;
/// A file that names as many in three splits, at 255 bytes each, is shorter.
const MOST_BYTES: u64 = 64 << 20;
/// Changed files that a message names.
const NAMED: usize = 3;

/// The images of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SplitRecord {
    /// The classes, in the order of the labels.
    classes: Vec<String>,
    train: SplitOf,
    validation: Option<SplitOf>,
    test: Option<SplitOf>,
}

/// The images of a split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SplitOf {
    /// Images of each class.
    counts: Vec<u64>,
    /// Of label, file name and file size of each image, in order; of the labels alone where images have no files.
    sha256: String,
    /// `NAME SIZE` of each file, where there are not too many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<String>,
}

impl SplitRecord {
    /// The record of a data set whose files lie under `root`, if it has any.
    pub(crate) fn of(data: &DataSet, root: &Path) -> Self {
        let split = |images: &Images| SplitOf::of(images, root);
        Self {
            classes: data.class_names().to_vec(),
            train: split(&data.train),
            validation: data.validation.as_ref().map(split),
            test: data.test.as_ref().map(split),
        }
    }

    /// The record in a run's folder; `None` for runs that were begun before there were any.
    pub(crate) fn read(run: &Path) -> Result<Option<Self>> {
        let path = run.join(NAME);
        let text = match files::read_text(&path, MOST_BYTES) {
            Err(error) if error.is_not_found() => return Ok(None),
            text => text?,
        };
        let record = serde_json::from_str(&text).map_err(|error| Error::Format {
            path,
            message: error.to_string(),
        })?;
        Ok(Some(record))
    }

    /// What of `now` is not as it was, in words; `None` if nothing.
    pub(crate) fn changes(&self, now: &Self) -> Option<Changes> {
        if self == now {
            return None;
        }
        if self.classes != now.classes {
            let list = |names: &[String]| files::escape(&names.join(", ")).into_owned();
            let text = format!(
                "classes were {}; now {}",
                list(&self.classes),
                list(&now.classes)
            );
            let is_of_classes = true;
            return Some(Changes {
                text,
                is_of_classes,
            });
        }
        let splits = [
            ("training", Some(&self.train), Some(&now.train)),
            (
                "validation",
                self.validation.as_ref(),
                now.validation.as_ref(),
            ),
            ("test", self.test.as_ref(), now.test.as_ref()),
        ];
        let parts = splits.into_iter().filter_map(|(name, before, after)| {
            let text = match (before, after) {
                (Some(before), Some(after)) if before != after => {
                    before.changes(after, &self.classes)
                }
                (Some(before), None) => format!("{} images before, none now", before.images()),
                (None, Some(after)) => format!("none before, {} images now", after.images()),
                _ => return None,
            };
            Some(format!("{name}: {text}"))
        });
        Some(Changes {
            text: parts.collect::<Vec<_>>().join("; "),
            is_of_classes: false,
        })
    }
}

/// How images differ from those of a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Changes {
    pub(crate) text: String,
    /// Whether labels mean something else: nothing can go on with that.
    pub(crate) is_of_classes: bool,
}

impl SplitOf {
    fn of(images: &Images, root: &Path) -> Self {
        let mut counts = vec![0; images.class_names().len()];
        let (mut files, mut lines) = (Vec::new(), String::new());
        for (idx, label) in images.labels().iter().enumerate() {
            counts[*label as usize] += 1;
            let file = images.path(idx).map(|path| {
                let name = path.strip_prefix(root).unwrap_or(path);
                // A file that is gone is told when it is read.
                let size = fs::metadata(path).map_or(0, |metadata| metadata.len());
                format!("{} {size}", files::portable(name))
            });
            lines.push_str(&format!(
                "{label} {}\n",
                file.as_deref().unwrap_or_default()
            ));
            files.extend(file.filter(|_| images.len() <= MOST_NAMES));
        }
        Self {
            counts,
            sha256: files::sha256(&[lines.as_bytes()]),
            files,
        }
    }

    fn images(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Counts by class, and the first files that differ.
    fn changes(&self, now: &Self, classes: &[String]) -> String {
        let counts = self.counts.iter().zip(&now.counts).zip(classes);
        let counts = counts.filter(|((before, after), _)| before != after);
        let mut parts: Vec<_> = counts
            .map(|((before, after), class)| {
                format!(
                    "{} {before} images before, {after} now",
                    files::escape(class)
                )
            })
            .collect();
        let [before, after] = [self, now].map(|it| it.files.iter().collect::<BTreeSet<_>>());
        let sides = [
            ("gone", before.difference(&after)),
            ("new", after.difference(&before)),
        ];
        for (what, names) in sides {
            let names: Vec<_> = names.map(|name| name.as_str()).collect();
            if !names.is_empty() {
                let first = names[..names.len().min(NAMED)].join(", ");
                let more = if names.len() > NAMED { ", ..." } else { "" };
                parts.push(format!("{what} (name, bytes): {first}{more}"));
            }
        }
        if parts.is_empty() {
            parts.push("files, their order or their sizes differ".to_owned());
        }
        parts.join(", ")
    }
}
