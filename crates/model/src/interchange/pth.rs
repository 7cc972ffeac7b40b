//! PyTorch's `.pth` files. Since 1.6: a zip archive of `NAME/data.pkl`, which says what there is, and `NAME/data/0`, `1` and
//! so on, the elements; `TorchScript`'s archives too. Before, and on request since: pickles one behind the other, then each
//! storage with its length. Nothing in them is run, and nothing is unpacked to disk.

mod legacy;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use zip::ZipArchive;

use super::pickle::{self, State, TensorPlace};
use crate::error::{Error, Result};
use crate::weights::{single, words};
use legacy::Storages;

/// The longest `data.pkl` that is read. That of AlexNet has 2 KiB, with its optimizer 10 KiB.
const MOST_PICKLE_BYTES: u64 = 1 << 20;
/// The longest storage that is read: four times that of fc6, of doubles.
const MOST_STORAGE_BYTES: u64 = 1 << 30;

const WHAT: &str = "a state_dict of tensors, as torch.save writes it";

/// An opened file: what tensors it has is known, their elements are not read.
#[derive(Debug)]
pub(super) struct PthFile {
    path: PathBuf,
    elements: Elements,
    tensors: BTreeMap<String, TensorPlace>,
    ignored: Vec<String>,
}

/// Where the storages are.
#[derive(Debug)]
enum Elements {
    Archive {
        archive: ZipArchive<BufReader<File>>,
        prefix: String,
    },
    Legacy(Storages),
}

impl PthFile {
    /// Whether a file begins as one of these does.
    pub(super) fn is_one(path: &Path) -> Result<bool> {
        Ok(super::begins_with(path, b"PK\x03\x04")? || legacy::is_one(path)?)
    }

    pub(super) fn open(path: &Path) -> Result<Self> {
        let wrong = |found: String| Error::format(path, WHAT, found);
        let (elements, state) = if legacy::is_one(path)? {
            let (storages, state) = Storages::open(path, files::open(path)?).map_err(wrong)?;
            (Elements::Legacy(storages), state)
        } else {
            Self::open_archive(files::open(path)?).map_err(wrong)?
        };
        let (mut tensors, n) = (BTreeMap::new(), state.tensors.len());
        tensors.extend(state.tensors);
        if tensors.len() != n {
            return Err(wrong("two tensors of one name".to_owned()));
        }
        Ok(Self {
            path: path.to_owned(),
            elements,
            tensors,
            ignored: state.ignored,
        })
    }

    fn open_archive(file: File) -> Result<(Elements, State), String> {
        let mut archive =
            ZipArchive::new(BufReader::new(file)).map_err(|error| error.to_string())?;
        let mut pickles = Vec::new();
        for name in archive.file_names() {
            let name = name.map_err(|error| error.to_string())?;
            if let Some(prefix) = name.strip_suffix("/data.pkl") {
                pickles.push(prefix.to_owned());
            }
        }
        let [prefix] = &pickles[..] else {
            return Err(format!("{} entries named data.pkl", pickles.len()));
        };
        let prefix = prefix.clone();
        let mut read =
            |entry: &str, most| entry_bytes(&mut archive, &format!("{prefix}/{entry}"), most);
        let order = read("byteorder", 16);
        if order.is_ok_and(|order| order.trim_ascii() != b"little") {
            return Err("elements that are not little-endian".to_owned());
        }
        let bytes = read("data.pkl", MOST_PICKLE_BYTES)?;
        let state = pickle::state_dict(&bytes);
        let state = state.map_err(|found| format!("{found} of {prefix}/data.pkl"))?;
        Ok((Elements::Archive { archive, prefix }, state))
    }

    /// The tensors' names and shapes.
    pub(super) fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let tensors = self.tensors.iter();
        tensors
            .map(|(name, place)| (name.clone(), place.shape.clone()))
            .collect()
    }

    /// What is in the file beside the network.
    pub(super) fn ignored(&self) -> &[String] {
        &self.ignored
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
        if element_bytes(&place.kind).is_none_or(|_| !is_float(&place.kind)) {
            return Err(wrong("elements that are floats", place.kind.clone()));
        }
        let bytes = match &mut self.elements {
            Elements::Archive { archive, prefix } => {
                let entry = format!("{prefix}/data/{}", place.storage);
                entry_bytes(archive, &entry, MOST_STORAGE_BYTES)
            }
            Elements::Legacy(storages) => storages.read(&place.storage, MOST_STORAGE_BYTES),
        };
        let bytes = bytes.map_err(|found| wrong("its elements", found))?;
        let elements = match place.kind.as_str() {
            "FloatStorage" => words(&bytes, f32::from_le_bytes),
            "HalfStorage" => words(&bytes, |word| f16::from_le_bytes(word).to_f32()),
            "BFloat16Storage" => words(&bytes, |word| bf16::from_le_bytes(word).to_f32()),
            _ => words(&bytes, |word| single(f64::from_le_bytes(word))),
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

fn is_float(kind: &str) -> bool {
    matches!(
        kind,
        "FloatStorage" | "HalfStorage" | "BFloat16Storage" | "DoubleStorage"
    )
}

/// Bytes of an element of a storage of this class, if it is known.
fn element_bytes(kind: &str) -> Option<u64> {
    Some(match kind {
        "ByteStorage" | "CharStorage" | "BoolStorage" | "UntypedStorage" => 1,
        "ShortStorage" | "HalfStorage" | "BFloat16Storage" => 2,
        "IntStorage" | "FloatStorage" => 4,
        "LongStorage" | "DoubleStorage" | "ComplexFloatStorage" => 8,
        "ComplexDoubleStorage" => 16,
        _ => return None,
    })
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
    let mut indices = vec![place.offset];
    for (&size, &stride) in dimensions() {
        indices = indices
            .into_iter()
            .flat_map(|start| (0..size).map(move |i| start + i * stride))
            .collect();
    }
    Some(indices.into_iter().map(|at| storage[at]).collect())
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
    fn quarters(indices: impl IntoIterator<Item = u8>) -> Vec<f32> {
        indices.into_iter().map(|i| f32::from(i) / 4.0).collect()
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
        // Doubles are rounded to what the networks compute in; integers are no weights.
        assert_eq!(file.read("double").unwrap(), [0.1_f32]);
        let message = file.read("num_batches_tracked").unwrap_err().to_string();
        assert!(
            message.contains("LongStorage") && message.contains("num_batches_tracked"),
            "{message}"
        );
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
