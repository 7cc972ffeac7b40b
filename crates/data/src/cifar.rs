//! The binary layout of the official CIFAR-10 and CIFAR-100 archives: records of one (or two) label bytes and then 1024
//! red, 1024 green and 1024 blue bytes, row by row. Fetching the archives is `catalog`'s job.
//!
//! Krizhevsky: Learning multiple layers of features from tiny images. 2009. <https://www.cs.toronto.edu/~kriz/cifar.html>

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

    /// Reads the unpacked archive's folder. There is no validation split yet: see [`DataSet::with_validation`].
    ///
    /// # Errors
    /// [`DataError::File`] for a file that is missing or unreadable, [`DataError::Format`] for one whose length is not
    /// the number of records it must have, or with a label that is not a class.
    pub fn read(&self, folder: &Path) -> Result<DataSet, DataError> {
        let class_names = self.class_names(folder)?;
        let (train_files, test_file): (&[&str], &str) = match self.kind {
            Kind::Ten => (
                &[
                    "data_batch_1.bin",
                    "data_batch_2.bin",
                    "data_batch_3.bin",
                    "data_batch_4.bin",
                    "data_batch_5.bin",
                ],
                "test_batch.bin",
            ),
            Kind::HundredFine | Kind::HundredCoarse => (&["train.bin"], "test.bin"),
        };
        let train = self.images(folder, train_files, self.train_records, &class_names)?;
        let test = self.images(folder, &[test_file], self.test_records, &class_names)?;
        Ok(DataSet {
            name: self.name().to_owned(),
            train,
            validation: None,
            test: Some(test),
            skipped: Vec::new(),
            left_out: LeftOut::default(),
        })
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

    fn images(
        &self,
        folder: &Path,
        files: &[&str],
        records: usize,
        names: &[String],
    ) -> Result<Images, DataError> {
        let mut read = Records::default();
        for file in files {
            self.read_file(&folder.join(file), records, names.len(), &mut read)?;
        }
        Images::from_pixels([SIDE, SIDE], read.pixels, read.labels, names.to_vec())
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
        let begin = read.pixels.len();
        read.pixels.resize(begin + records * IMAGE, 0);
        let planes = bytes
            .par_chunks_exact(record)
            .map(|record_bytes| &record_bytes[label_bytes..]);
        planes
            .zip(read.pixels[begin..].par_chunks_exact_mut(IMAGE))
            .for_each(|(planes, out)| interleave(planes, out));
        Ok(())
    }
}

/// What was read so far.
#[derive(Default)]
struct Records {
    /// `[n, 32, 32, 3]`.
    pixels: Vec<u8>,
    labels: Vec<u32>,
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
