//! The idx layout of MNIST and Fashion-MNIST: four files, plain or gzipped, under the names of several programs. Images have
//! one channel.
//!
//! The format: a big-endian magic number (0x00000801 for labels, 0x00000803 for images), the big-endian sizes, the bytes.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::dataset::{DataSet, LeftOut};
use crate::error::DataError;
use crate::images::Images;

/// More pixels in a file than this are refused; the real files have 47 million.
const MAX_BYTES: u64 = 1 << 30;

/// Fashion-MNIST's classes.
pub(crate) const FASHION: [&str; 10] = [
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
];

/// MNIST's classes.
pub(crate) const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// Reads `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte` from
/// a folder, each either as it is or with `.gz` added, or with a dot before `idx`.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// for split in ["train", "t10k"] {
///     let path = |kind| folder.path().join(format!("{split}-{kind}-ubyte"));
///     // Two images of 1x2 pixels: a magic number, the sizes, the bytes.
///     std::fs::write(path("images-idx3"), [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 230, 240])?;
///     std::fs::write(path("labels-idx1"), [0, 0, 8, 1, 0, 0, 0, 2, 0, 1])?;
/// }
/// let set = data::read_idx("shades", folder.path(), &["dark", "light"])?;
/// assert_eq!((set.train.shape(), set.train.labels()), ([1, 2, 1], &[0, 1][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`DataError::File`] for a file that is missing, [`DataError::Io`] for one that is unreadable, [`DataError::Format`] for one whose header, length or
/// labels are wrong.
pub fn read_idx(name: &str, folder: &Path, class_names: &[&str]) -> Result<DataSet, DataError> {
    let names: Vec<String> = class_names.iter().map(|name| (*name).to_owned()).collect();
    let train = images(folder, "train", &names)?;
    let test = images(folder, "t10k", &names)?;
    if train.size() != test.size() {
        let [height, width] = train.size();
        let [h, w] = test.size();
        let path = folder.join("t10k-images-idx3-ubyte");
        let (expected, found) = (
            format!("{height}x{width} as in training"),
            format!("{h}x{w}"),
        );
        return Err(DataError::Format {
            path,
            offset: 8,
            expected,
            found,
        });
    }
    Ok(DataSet {
        name: name.to_owned(),
        train,
        validation: None,
        test: Some(test),
        skipped: Vec::new(),
        left_out: LeftOut::default(),
    })
}

fn images(folder: &Path, part: &str, names: &[String]) -> Result<Images, DataError> {
    let (image_path, [n, height, width], pixels) =
        idx::<3>(folder, &format!("{part}-images-idx3-ubyte"), 0x803)?;
    let (label_path, [n_labels], labels) =
        idx::<1>(folder, &format!("{part}-labels-idx1-ubyte"), 0x801)?;
    if n_labels != n {
        let expected = format!("{n} labels, as {} has images", files::shown(&image_path));
        return Err(DataError::Format {
            path: label_path,
            offset: 4,
            expected,
            found: n_labels.to_string(),
        });
    }
    if let Some(place) = labels
        .iter()
        .position(|label| usize::from(*label) >= names.len())
    {
        let expected = format!("a label below {} in record {place}", names.len());
        let found = labels[place].to_string();
        return Err(DataError::Format {
            path: label_path,
            offset: 8 + place as u64,
            expected,
            found,
        });
    }
    Images::from_pixels(
        [height, width, 1],
        pixels,
        labels.into_iter().map(u32::from).collect(),
        names.to_vec(),
    )
}

/// Where a file is: under its own name, as Kaggle spells it with a dot (`train-images.idx3-ubyte`) or puts it into a folder of
/// its name, or compressed. Its own name if it is nowhere.
pub(crate) fn idx_path(folder: &Path, name: &str) -> PathBuf {
    let dotted = name.replace("-idx", ".idx");
    let plain = folder.join(name);
    let names = [
        plain.clone(),
        folder.join(&dotted),
        plain.join(name),
        plain.join(&dotted),
        folder.join(&dotted).join(&dotted),
        folder.join(format!("{name}.gz")),
        folder.join(format!("{dotted}.gz")),
    ];
    names
        .into_iter()
        .find(|path| path.is_file())
        .unwrap_or(plain)
}

/// Reads a file of `N` sizes: its path, the sizes and the bytes behind the header.
fn idx<const N: usize>(
    folder: &Path,
    name: &str,
    magic: u32,
) -> Result<(PathBuf, [usize; N], Vec<u8>), DataError> {
    let path = idx_path(folder, name);
    let file = files::open(&path)?;
    let mut reader: Box<dyn Read> = if path.extension().is_some_and(|e| e == "gz") {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let header = 4 + 4 * N as u64;
    let mut words = Vec::new();
    reader
        .by_ref()
        .take(header)
        .read_to_end(&mut words)
        .map_err(DataError::io(&path, "read"))?;
    let mut words = words
        .chunks_exact(4)
        .map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    let found = words.next().unwrap_or(0);
    if found != magic {
        let expected = format!("the magic number {magic:#010x}");
        return Err(DataError::Format {
            path,
            offset: 0,
            expected,
            found: format!("{found:#010x}"),
        });
    }
    // A size that is cut off counts as 0, which the next check refuses.
    let sizes: [usize; N] = std::array::from_fn(|_| words.next().unwrap_or(0) as usize);
    let length = sizes
        .iter()
        .fold(1, |product: u64, size| product.saturating_mul(*size as u64));
    if length == 0 || length > MAX_BYTES {
        let expected = format!("sizes whose product is 1 to {MAX_BYTES}");
        return Err(DataError::Format {
            path,
            offset: 4,
            expected,
            found: format!("{sizes:?}"),
        });
    }
    let mut bytes = Vec::new();
    // One byte more than there should be tells a file that is too long.
    reader
        .take(length + 1)
        .read_to_end(&mut bytes)
        .map_err(DataError::io(&path, "read"))?;
    if bytes.len() as u64 != length {
        let found = if bytes.len() as u64 > length {
            "more".to_owned()
        } else {
            bytes.len().to_string()
        };
        let offset = header + length.min(bytes.len() as u64);
        return Err(DataError::Format {
            path,
            offset,
            expected: format!("{length} bytes behind the header"),
            found,
        });
    }
    Ok((path, sizes, bytes))
}
