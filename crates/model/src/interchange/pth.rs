//! PyTorch's `.pth` files since 1.6: a zip archive of `NAME/data.pkl`, which says what there is, and `NAME/data/0`, `1` and
//! so on, the elements. Nothing in them is run, and nothing is unpacked to disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use zip::ZipArchive;

use super::pickle::{self, TensorPlace};
use crate::error::{Error, Result};

/// The longest `data.pkl` that is read. That of AlexNet has 2 KiB.
const MOST_PICKLE_BYTES: u64 = 1 << 20;
/// The longest storage that is read: four times that of fc6.
const MOST_STORAGE_BYTES: u64 = 1 << 30;

const WHAT: &str = "a state_dict of tensors, as torch.save writes it";

/// An opened file: what tensors it has is known, their elements are not read.
#[derive(Debug)]
pub(super) struct PthFile {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
    prefix: String,
    tensors: BTreeMap<String, TensorPlace>,
}

impl PthFile {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path, "open"))?;
        let wrong = |found: String| Error::format(path, WHAT, found);
        let mut archive =
            ZipArchive::new(BufReader::new(file)).map_err(|error| wrong(error.to_string()))?;
        let mut pickles = Vec::new();
        for name in archive.file_names() {
            let name = name.map_err(|error| wrong(error.to_string()))?;
            if let Some(prefix) = name.strip_suffix("/data.pkl") {
                pickles.push(prefix.to_owned());
            }
        }
        let [prefix] = &pickles[..] else {
            return Err(wrong(format!("{} entries named data.pkl", pickles.len())));
        };
        let prefix = prefix.clone();
        let mut read =
            |entry: &str, most| entry_bytes(&mut archive, &format!("{prefix}/{entry}"), most);
        let order = read("byteorder", 16);
        if order.is_ok_and(|order| order.trim_ascii() != b"little") {
            return Err(wrong("elements that are not little-endian".to_owned()));
        }
        let bytes = read("data.pkl", MOST_PICKLE_BYTES).map_err(wrong)?;
        let state = pickle::state_dict(&bytes);
        let state = state.map_err(|found| wrong(format!("{found} of {prefix}/data.pkl")))?;
        Ok(Self {
            path: path.to_owned(),
            archive,
            prefix,
            tensors: state.into_iter().collect(),
        })
    }

    /// The tensors' names and shapes.
    pub(super) fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let tensors = self.tensors.iter();
        tensors
            .map(|(name, place)| (name.clone(), place.shape.clone()))
            .collect()
    }

    /// The elements of a tensor of the file, whose shape the caller has checked.
    pub(super) fn read(&mut self, name: &str) -> Result<Vec<f32>> {
        let wrong = |expected: &str, found: String| Error::Tensor {
            path: self.path.clone(),
            tensor: name.to_owned(),
            expected: expected.to_owned(),
            found,
        };
        let place = self.tensors.get(name);
        let place = place.ok_or_else(|| wrong("a tensor", "no such tensor".to_owned()))?;
        let entry = format!("{}/data/{}", self.prefix, place.storage);
        let bytes = entry_bytes(&mut self.archive, &entry, MOST_STORAGE_BYTES);
        let bytes = bytes.map_err(|found| wrong("its elements", found))?;
        let elements = match place.kind.as_str() {
            "FloatStorage" => words(&bytes, f32::from_le_bytes),
            "HalfStorage" => words(&bytes, |word| f16::from_le_bytes(word).to_f32()),
            "BFloat16Storage" => words(&bytes, |word| bf16::from_le_bytes(word).to_f32()),
            other => {
                return Err(wrong(
                    "elements of 32-bit, 16-bit or brain floats",
                    other.to_owned(),
                ));
            }
        };
        strided(&elements, place).ok_or_else(|| {
            let expected = format!("a place within its {} stored elements", elements.len());
            let found = format!(
                "shape {:?} from {} in steps of {:?}",
                place.shape, place.offset, place.strides
            );
            wrong(&expected, found)
        })
    }
}

fn words<const N: usize>(bytes: &[u8], convert: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (words, _) = bytes.as_chunks::<N>();
    words.iter().map(|&word| convert(word)).collect()
}

/// The elements of a tensor out of its storage, row-major; none if one lies outside.
fn strided(storage: &[f32], place: &TensorPlace) -> Option<Vec<f32>> {
    let dimensions = || place.shape.iter().zip(place.strides.iter());
    let count = place
        .shape
        .iter()
        .try_fold(1_usize, |n, &size| n.checked_mul(size))?;
    if count == 0 {
        return Some(Vec::new());
    }
    let last = dimensions().try_fold(place.offset, |last, (&size, &stride)| {
        last.checked_add((size - 1).checked_mul(stride)?)
    })?;
    // Overlapping elements are never more than the caller has expected.
    if last >= storage.len() {
        return None;
    }
    let mut dense = 1;
    let is_dense = dimensions().rev().all(|(&size, &stride)| {
        let is_next = stride == dense || size == 1;
        dense *= size;
        is_next
    });
    if is_dense {
        return Some(storage[place.offset..place.offset + count].to_vec());
    }
    let mut places = vec![place.offset];
    for (&size, &stride) in dimensions() {
        places = places
            .into_iter()
            .flat_map(|start| (0..size).map(move |i| start + i * stride))
            .collect();
    }
    Some(places.into_iter().map(|at| storage[at]).collect())
}

/// An entry's bytes, `most` at most; or what is wrong with it.
fn entry_bytes(
    archive: &mut ZipArchive<BufReader<File>>,
    name: &str,
    most: u64,
) -> Result<Vec<u8>, String> {
    let entry = archive
        .by_name(name)
        .map_err(|error| format!("{name}: {error}"))?;
    if entry.size() > most {
        return Err(format!(
            "{name} of {} bytes, where {most} are the most",
            entry.size()
        ));
    }
    let (size, mut bytes) = (entry.size(), Vec::new());
    let read = entry.take(most).read_to_end(&mut bytes);
    read.map_err(|error| format!("{name}: {error}"))?;
    if bytes.len() as u64 != size {
        return Err(format!(
            "{} bytes of {name} in place of {size}",
            bytes.len()
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/state_dict.pth")
    }

    /// `(0..24) / 4`, of which the recorded tensors are parts.
    fn quarters(places: impl IntoIterator<Item = u8>) -> Vec<f32> {
        places.into_iter().map(|i| f32::from(i) / 4.0).collect()
    }

    #[test]
    fn a_state_dict_of_pytorch_is_read_as_pytorch_means_it() {
        let mut file = PthFile::open(&golden()).unwrap();
        let turned = (0..6).flat_map(|column| (0..4).map(move |row| row * 6 + column));
        for (name, shape, values) in [
            ("plain", &[2, 3, 4][..], quarters(0..24)),
            ("shared.1", &[2, 3], quarters(2..8)),
            ("shared.2", &[6], quarters(6..12)),
            ("turned", &[6, 4], quarters(turned)),
            ("parameter", &[2], vec![1.5, -2.0]),
            ("scalar", &[], vec![7.0]),
            ("half", &[2], vec![1.5, -0.25]),
            ("brain", &[2], vec![1.5, -0.25]),
            ("running_var", &[2], vec![1.0, 1.0]),
        ] {
            assert_eq!(file.shapes()[name], shape, "{name}");
            assert_eq!(file.read(name).unwrap(), values, "{name}");
        }
        for (name, kind) in [
            ("double", "DoubleStorage"),
            ("num_batches_tracked", "LongStorage"),
        ] {
            let message = file.read(name).unwrap_err().to_string();
            assert!(
                message.contains(kind) && message.contains(name),
                "{message}"
            );
        }
    }

    #[test]
    fn tensors_beyond_their_storage_are_errors() {
        let place = |offset, shape: &[usize], strides: &[usize]| TensorPlace {
            kind: "FloatStorage".to_owned(),
            storage: "0".to_owned(),
            offset,
            shape: shape.to_vec(),
            strides: strides.to_vec(),
        };
        let storage = [0.0, 1.0, 2.0, 3.0];
        assert_eq!(
            strided(&storage, &place(1, &[3], &[1])).unwrap(),
            [1.0, 2.0, 3.0]
        );
        assert_eq!(
            strided(&storage, &place(0, &[2], &[3])).unwrap(),
            [0.0, 3.0]
        );
        for bad in [
            place(2, &[3], &[1]),
            place(0, &[2], &[4]),
            place(usize::MAX, &[2], &[1]),
            place(0, &[usize::MAX, 2], &[1, 1]),
            place(0, &[2], &[usize::MAX]),
        ] {
            assert_eq!(strided(&storage, &bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_damaged_archive_is_an_error_that_names_the_file() {
        let bytes = std::fs::read(golden()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.pth");
        for length in [0, 4, 100, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let message = PthFile::open(&path).unwrap_err().to_string();
            assert!(message.contains("cut.pth"), "{message}");
        }
    }
}
