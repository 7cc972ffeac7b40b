//! The official CIFAR-10 and CIFAR-100 archives. In their binary layout, records of one (or two) label bytes and then 1024
//! red, 1024 green and 1024 blue bytes, row by row; `python` reads the other one. Fetching the archives is `catalog`'s job.
//!
//! Krizhevsky: Learning multiple layers of features from tiny images. 2009. <https://www.cs.toronto.edu/~kriz/cifar.html>

mod python;

use std::path::Path;

use rayon::prelude::*;

use crate::channels::CHANNELS;
use crate::dataset::{DataSet, LeftOut};
use crate::error::DataError;
use crate::images::Images;

const SIDE: usize = 32;
const PLANE: usize = SIDE * SIDE;
const IMAGE: usize = PLANE * CHANNELS;

/// One of the three data sets that the archives hold.
///
/// ```no_run
/// let set = data::Cifar::ten().read("cache/cifar-10-batches-bin".as_ref())?;
/// assert_eq!(set.train.len(), 50_000);
/// # Ok::<(), data::DataError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Cifar {
    kind: Kind,
    train_records: usize,
    test_records: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ten,
    HundredFine,
    HundredCoarse,
}

impl Cifar {
    /// CIFAR-10: `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, 10,000 records each, and
    /// `batches.meta.txt`.
    pub const fn ten() -> Self {
        Self {
            kind: Kind::Ten,
            train_records: 10_000,
            test_records: 10_000,
        }
    }

    /// CIFAR-100 by its 100 fine classes: `train.bin` (50,000 records), `test.bin` (10,000), `fine_label_names.txt`.
    pub const fn hundred_fine() -> Self {
        Self {
            kind: Kind::HundredFine,
            train_records: 50_000,
            test_records: 10_000,
        }
    }

    /// CIFAR-100 by its 20 coarse classes.
    pub const fn hundred_coarse() -> Self {
        Self {
            kind: Kind::HundredCoarse,
            train_records: 50_000,
            test_records: 10_000,
        }
    }

    /// The same layout with other numbers of records in each training file and in the test file, for cut-down copies.
    pub const fn with_records(self, train_records: usize, test_records: usize) -> Self {
        Self {
            train_records,
            test_records,
            ..self
        }
    }

    /// Reads the unpacked archive's folder, in its binary or its Python layout. There is no validation split yet: see
    /// [`DataSet::with_validation`].
    ///
    /// # Errors
    /// [`DataError::File`] for a file that is missing, [`DataError::Io`] for one that is unreadable, [`DataError::Format`]
    /// and [`DataError::Pickle`] for one that is not what the layout says.
    pub fn read(&self, folder: &Path) -> Result<DataSet, DataError> {
        self.read_parts(folder, None)
    }

    /// The same with one of the files of training images, such as `data_batch_5`, as the validation split.
    ///
    /// # Errors
    /// As [`Cifar::read`]; [`DataError::Argument`] if there is no such file, or no other one.
    pub fn read_with_validation(&self, folder: &Path, file: &str) -> Result<DataSet, DataError> {
        let files = self.train_files();
        let wanted = file.strip_suffix(".bin").unwrap_or(file);
        if files.len() < 2 || !files.contains(&wanted) {
            let expected = match files {
                [first, .., last] => {
                    format!("a number, a share such as 20%, or a file from {first} to {last}")
                }
                _ => format!(
                    "a number or a share, as {} has one training file",
                    self.name()
                ),
            };
            return Err(DataError::argument("validation", expected, file));
        }
        self.read_parts(folder, Some(wanted))
    }

    fn read_parts(&self, folder: &Path, aside: Option<&str>) -> Result<DataSet, DataError> {
        let is_binary = folder
            .join(format!("{}.bin", self.train_files()[0]))
            .exists();
        let mut reader = Reader {
            cifar: *self,
            folder,
            class_names: if is_binary {
                self.class_names(folder)?
            } else {
                python::class_names(*self, folder)?
            },
            is_binary,
            differing: Vec::new(),
        };
        let rest = self.train_files().iter().copied();
        let rest: Vec<_> = rest.filter(|file| Some(*file) != aside).collect();
        let train = reader.images(&rest, self.train_records)?;
        let aside = self.train_files().iter().find(|file| Some(**file) == aside);
        let validation = aside.map(|file| reader.images(&[*file], self.train_records));
        let validation = validation.transpose()?;
        let test = reader.images(&[self.test_file()], self.test_records)?;
        let mut left_out = LeftOut::default();
        left_out.notes.extend(reader.note());
        Ok(DataSet {
            name: self.name().to_owned(),
            train,
            validation,
            test: Some(test),
            skipped: Vec::new(),
            left_out,
        })
    }

    /// The files of training images, without the ending of the binary layout.
    fn train_files(self) -> &'static [&'static str] {
        match self.kind {
            Kind::Ten => &[
                "data_batch_1",
                "data_batch_2",
                "data_batch_3",
                "data_batch_4",
                "data_batch_5",
            ],
            Kind::HundredFine | Kind::HundredCoarse => &["train"],
        }
    }

    fn test_file(self) -> &'static str {
        match self.kind {
            Kind::Ten => "test_batch",
            Kind::HundredFine | Kind::HundredCoarse => "test",
        }
    }

    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Ten => "cifar10",
            Kind::HundredFine => "cifar100",
            Kind::HundredCoarse => "cifar100-coarse",
        }
    }

    fn class_names(&self, folder: &Path) -> Result<Vec<String>, DataError> {
        let (file, classes) = match self.kind {
            Kind::Ten => ("batches.meta.txt", 10),
            Kind::HundredFine => ("fine_label_names.txt", 100),
            Kind::HundredCoarse => ("coarse_label_names.txt", 20),
        };
        let path = folder.join(file);
        let bytes = files::read(&path, 64 << 10)?;
        let text = String::from_utf8_lossy(&bytes);
        let names: Vec<String> = text
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .map(str::to_owned)
            .collect();
        if names.len() != classes {
            let expected = format!("{classes} class names, one a line");
            return Err(DataError::Format {
                path,
                offset: 0,
                expected,
                found: names.len().to_string(),
            });
        }
        Ok(names)
    }

    /// Reads one file of `records` records, and appends its pixels (`[records, 32, 32, 3]`) and labels.
    fn read_file(
        &self,
        path: &Path,
        records: usize,
        classes: usize,
        read: &mut Records,
    ) -> Result<(), DataError> {
        let label_bytes = if self.kind == Kind::Ten { 1 } else { 2 };
        let record = label_bytes + IMAGE;
        let expected = records.saturating_mul(record);
        // The length is checked before anything is read, so that a huge file is never allocated for.
        let length = files::open(path)?
            .metadata()
            .map_err(DataError::io(path, "read"))?
            .len();
        if length != expected as u64 {
            let (whole, rest) = (length / record as u64, length % record as u64);
            let rest = if rest > 0 {
                format!(" and {rest} bytes of the next")
            } else {
                String::new()
            };
            return Err(DataError::Format {
                path: path.into(),
                offset: length.min(expected as u64),
                expected: format!("{expected} bytes ({records} records of {record})"),
                found: format!("{length} bytes ({whole} records{rest})"),
            });
        }
        let bytes = files::read(path, expected as u64)?;
        // CIFAR-100 stores the coarse label first.
        let label_at = usize::from(self.kind == Kind::HundredFine);
        for (index, record_bytes) in bytes.chunks_exact(record).enumerate() {
            let label = record_bytes[label_at];
            if usize::from(label) >= classes {
                return Err(DataError::Format {
                    path: path.into(),
                    offset: (index * record + label_at) as u64,
                    expected: format!("a label below {classes} in record {index}"),
                    found: label.to_string(),
                });
            }
            read.labels.push(u32::from(label));
        }
        read.add_pixels(&bytes, record);
        Ok(())
    }
}

/// A folder that is being read.
struct Reader<'a> {
    cifar: Cifar,
    folder: &'a Path,
    class_names: Vec<String>,
    is_binary: bool,
    /// Files that are not the published ones.
    differing: Vec<&'static str>,
}

impl Reader<'_> {
    /// The images of these files; of the binary layout, each has so many records.
    fn images(&mut self, files: &[&'static str], records: usize) -> Result<Images, DataError> {
        let mut read = Records::default();
        for &file in files {
            let classes = self.class_names.len();
            if self.is_binary {
                let path = self.folder.join(format!("{file}.bin"));
                self.cifar.read_file(&path, records, classes, &mut read)?;
            } else if !python::read_file(self.cifar, &self.folder.join(file), classes, &mut read)? {
                self.differing.push(file);
            }
        }
        let names = self.class_names.clone();
        Images::from_pixels([SIDE, SIDE], read.pixels, read.labels, names)
    }

    fn note(&self) -> Option<String> {
        let files = self.differing.join(", ");
        let what = "not the published files by their MD5, read all the same";
        let folder = files::escape(&self.folder.to_string_lossy()).into_owned();
        (!files.is_empty()).then(|| format!("{folder}: {files}: {what}"))
    }
}

/// What was read so far.
#[derive(Default)]
struct Records {
    /// `[n, 32, 32, 3]`.
    pixels: Vec<u8>,
    labels: Vec<u32>,
}

impl Records {
    /// Appends the pixels of records of so many bytes, whose last are three planes.
    fn add_pixels(&mut self, bytes: &[u8], record: usize) {
        let begin = self.pixels.len();
        self.pixels.resize(begin + bytes.len() / record * IMAGE, 0);
        let planes = bytes
            .par_chunks_exact(record)
            .map(|record_bytes| &record_bytes[record - IMAGE..]);
        planes
            .zip(self.pixels[begin..].par_chunks_exact_mut(IMAGE))
            .for_each(|(planes, out)| interleave(planes, out));
    }
}

/// Three planes of one colour each to pixels of three colours.
fn interleave(planes: &[u8], out: &mut [u8]) {
    let (red, rest) = planes.split_at(PLANE);
    let (green, blue) = rest.split_at(PLANE);
    for ((pixel, r), (g, b)) in out
        .chunks_exact_mut(CHANNELS)
        .zip(red)
        .zip(green.iter().zip(blue))
    {
        pixel.copy_from_slice(&[*r, *g, *b]);
    }
}
