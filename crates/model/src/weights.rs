//! Safetensors files of f32 tensors, read with every size checked before anything is allocated for it.
//!
//! Not here: which tensors a network has (that is `network`), and other programs' formats.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, View};
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// The longest header that is read. The networks' are a few KiB.
const MOST_HEADER_BYTES: u64 = 1 << 20;
/// The key of the metadata for the file's own SHA-256: of all its bytes, with [`NO_DIGEST`] in place of the digest.
const DIGEST_KEY: &str = "sha256";
/// As long as a digest, so that putting the digest in moves nothing.
const NO_DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An opened file, its header read and checked against its length.
#[derive(Debug)]
pub struct TensorFile {
    path: PathBuf,
    file: File,
    header: Metadata,
    /// What precedes the data, to check the file's digest when the data are read.
    head: Vec<u8>,
}

impl TensorFile {
    /// Opens a file and reads its header.
    ///
    /// ```
    /// let tensors = vec![("fc.bias".to_owned(), vec![3], vec![0.0, 0.5, 1.0])];
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("bias.safetensors");
    /// std::fs::write(&path, model::tensor_file_bytes(tensors, "epoch", "7")?)?;
    /// let file = model::TensorFile::open(&path)?;
    /// assert_eq!((file.metadata("epoch"), &file.tensors()["fc.bias"].1), (Some("7"), &vec![3]));
    /// assert_eq!(file.read(&[("fc.bias".to_owned(), vec![3])])?, [[0.0, 0.5, 1.0]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Io`] if it can't be read; [`Error::Format`] if it is not a safetensors file or has another length than its
    /// header says.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = files::open(path)?;
        let length = file.metadata().map_err(Error::io(path, "read"))?.len();
        if length < 8 {
            return Err(Error::format(
                path,
                "a safetensors file",
                format!("{length} bytes"),
            ));
        }
        let mut prefix = [0; 8];
        file.read_exact(&mut prefix)
            .map_err(Error::io(path, "read"))?;
        let n = u64::from_le_bytes(prefix);
        if n > MOST_HEADER_BYTES.min(length - 8) {
            let most = MOST_HEADER_BYTES.min(length - 8);
            let expected = format!("a safetensors file with a header of at most {most} bytes");
            return Err(Error::format(path, expected, format!("{n} bytes")));
        }
        let mut bytes = Vec::new();
        let mut head = (&file).take(n);
        head.read_to_end(&mut bytes)
            .map_err(Error::io(path, "read"))?;
        let header: Metadata = serde_json::from_slice(&bytes)
            .map_err(|error| Error::format(path, "a safetensors header", error.to_string()))?;
        let whole = 8 + n + header.data_len() as u64;
        if length != whole {
            let found = format!("{length} bytes");
            return Err(Error::format(
                path,
                format!("{whole} bytes as its header says"),
                found,
            ));
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            header,
            head: [prefix.as_slice(), &bytes].concat(),
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A value of the metadata.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&str> {
        let metadata = self.header.metadata().as_ref()?;
        metadata.get(key).map(String::as_str)
    }

    /// All entries of the metadata, by key.
    #[must_use]
    pub fn all_metadata(&self) -> BTreeMap<&str, &str> {
        let metadata = self.header.metadata().iter().flatten();
        metadata
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect()
    }

    /// The tensors' names with what their elements are and their shapes, by name.
    #[must_use]
    pub fn tensors(&self) -> BTreeMap<String, (String, Vec<usize>)> {
        let tensors = self.header.tensors().into_iter();
        tensors
            .map(|(name, info)| (name, (info.dtype.to_string(), info.shape.clone())))
            .collect()
    }

    /// The elements of exactly these tensors, in this order.
    ///
    /// # Errors
    /// [`Error::Tensor`] if one is missing, has another shape or type, or there is one more; [`Error::Io`].
    pub fn read(mut self, expected: &[(String, Vec<usize>)]) -> Result<Vec<Vec<f32>>> {
        let offsets = self.check(expected)?;
        let data = self.data()?;
        let tensors = offsets.into_iter().map(|place| self.elements(&data, place));
        tensors.collect()
    }

    /// The elements of these tensors, in this order, whatever else there is.
    ///
    /// # Errors
    /// [`Error::Tensor`] if one is missing, or has another shape or type; [`Error::Io`].
    pub(crate) fn read_some(mut self, expected: &[(String, Vec<usize>)]) -> Result<Vec<Vec<f32>>> {
        let (offsets, _) = self.offsets(expected)?;
        let data = self.data()?;
        let tensors = offsets.into_iter().map(|place| self.elements(&data, place));
        tensors.collect()
    }

    /// The elements of those of these tensors that the file has in this shape, in this order, and the names of what else
    /// is in it, in alphabetical order.
    ///
    /// # Errors
    /// [`Error::Io`].
    #[expect(
        clippy::type_complexity,
        reason = "a tensor or none for each, and names"
    )]
    pub fn read_matching(
        mut self,
        wanted: &[(String, Vec<usize>)],
    ) -> Result<(Vec<Option<Vec<f32>>>, Vec<String>)> {
        let data = self.data()?;
        let mut in_file = self.header.tensors();
        let mut tensors = Vec::new();
        for (name, shape) in wanted {
            let info = in_file.get(name);
            let suits = info.filter(|info| is_float(info.dtype) && info.shape == *shape);
            let place = suits.map(|info| Place::from(*info));
            if place.is_some() {
                in_file.remove(name);
            }
            let elements = place.map(|place| self.elements(&data, place));
            tensors.push(elements.transpose()?);
        }
        let mut rest: Vec<String> = in_file.into_keys().collect();
        rest.sort();
        Ok((tensors, rest))
    }

    /// All bytes behind the header, after the file's own digest was checked, if it has one.
    fn data(&mut self) -> Result<Vec<u8>> {
        let mut data = Vec::new();
        self.file
            .read_to_end(&mut data)
            .map_err(Error::io(&self.path, "read"))?;
        if let Some(expected) = self.metadata(DIGEST_KEY) {
            let found = digest(&self.head, expected, &data);
            if found.as_deref() != Some(expected) {
                let expected = format!("a file whose SHA-256 is {expected}, as its metadata says");
                let found = "another one: it is damaged or was changed";
                return Err(Error::format(&self.path, expected, found));
            }
        }
        Ok(data)
    }

    /// The elements at a place in the data, as f32.
    fn elements(&self, data: &[u8], place: Place) -> Result<Vec<f32>> {
        let bytes = data.get(place.bytes).ok_or_else(|| {
            Error::format(&self.path, "a file that does not change", "a shorter one")
        })?;
        Ok(match place.dtype {
            Dtype::F16 => words(bytes, |word| f16::from_le_bytes(word).to_f32()),
            Dtype::BF16 => words(bytes, |word| bf16::from_le_bytes(word).to_f32()),
            Dtype::F64 => words(bytes, |word| single(f64::from_le_bytes(word))),
            _ => words(bytes, f32::from_le_bytes),
        })
    }

    /// Where each of the tensors lies in the data, if there are no others.
    fn check(&self, expected: &[(String, Vec<usize>)]) -> Result<Vec<Place>> {
        let (offsets, others) = self.offsets(expected)?;
        match others.first_key_value() {
            Some((name, info)) => Err(self.mismatch(name, NO_TENSOR.to_owned(), describe(info))),
            None => Ok(offsets),
        }
    }

    /// Where each of the tensors lies in the data, and the others.
    fn offsets(
        &self,
        expected: &[(String, Vec<usize>)],
    ) -> Result<(Vec<Place>, BTreeMap<String, &TensorInfo>)> {
        let mut offsets = Vec::new();
        let mut in_file = self.header.tensors();
        for (name, shape) in expected {
            match in_file.remove(name) {
                Some(info) if is_float(info.dtype) && info.shape == *shape => {
                    offsets.push(Place::from(info));
                }
                found => {
                    let found = found.map_or_else(|| NO_TENSOR.to_owned(), describe);
                    return Err(self.mismatch(name, format!("F32 {shape:?}"), found));
                }
            }
        }
        Ok((offsets, in_file.into_iter().collect()))
    }

    fn mismatch(&self, tensor: &str, expected: String, found: String) -> Error {
        Error::Tensor {
            path: self.path.clone(),
            tensor: tensor.to_owned(),
            expected,
            found,
        }
    }
}

/// Where a tensor is in the data.
struct Place {
    dtype: Dtype,
    bytes: Range<usize>,
}

impl From<&TensorInfo> for Place {
    fn from(info: &TensorInfo) -> Self {
        let (begin, end) = info.data_offsets;
        Self {
            dtype: info.dtype,
            bytes: begin..end,
        }
    }
}

/// Whether elements are floats that become 32-bit ones.
fn is_float(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16 | Dtype::F64)
}

/// The words of some bytes as floats.
pub(crate) fn words<const N: usize>(bytes: &[u8], convert: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (words, _) = bytes.as_chunks::<N>();
    words.iter().map(|&word| convert(word)).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the networks compute in 32 bits: rounding is the purpose"
)]
pub(crate) fn single(value: f64) -> f32 {
    value as f32
}

const NO_TENSOR: &str = "no such tensor";

fn describe(info: &TensorInfo) -> String {
    format!("{} {:?}", info.dtype, info.shape)
}

/// Elements with a shape, on their way into a file.
struct Elements {
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for Elements {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// A safetensors file of named f32 tensors (name, shape, elements) with one metadata entry, `value` under `key`.
///
/// ```
/// let tensors = vec![("fc.bias".to_owned(), vec![2], vec![0.0, 0.5])];
/// let bytes = model::tensor_file_bytes(tensors, "epoch", "7")?;
/// assert!(bytes.len() > 2 * size_of::<f32>(), "the elements, and what they are");
/// # Ok::<(), model::Error>(())
/// ```
///
/// # Errors
/// If a tensor's elements do not fill its shape.
pub fn tensor_file_bytes(
    tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
    key: &str,
    value: &str,
) -> Result<Vec<u8>> {
    file_bytes(tensors, &[(key, value)])
}

/// The digest of a file with `value` as its digest in the head: that is blanked first. `None` if it is not there.
fn digest(head: &[u8], value: &str, data: &[u8]) -> Option<String> {
    let place = place_of(head, value)?;
    let (before, rest) = head.split_at_checked(place)?;
    let after = rest.get(value.len()..)?;
    Some(files::sha256(&[before, NO_DIGEST.as_bytes(), after, data]))
}

/// Where the digest's value begins in a head, by the entry's text as [`file_bytes`] writes it.
fn place_of(head: &[u8], value: &str) -> Option<usize> {
    let entry = format!("\"{DIGEST_KEY}\":\"{value}\"");
    let at = head
        .windows(entry.len())
        .position(|part| part == entry.as_bytes())?;
    Some(at + DIGEST_KEY.len() + 4)
}

/// A safetensors file of named f32 tensors with metadata in the order given, and its own digest after them. The same arguments
/// give the same bytes: the crate's own way keeps metadata in a hash table, whose order changes from run to run, so they are
/// put in here.
pub(crate) fn file_bytes(
    tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
    metadata: &[(&str, &str)],
) -> Result<Vec<u8>> {
    let elements = tensors.into_iter().map(|(name, shape, data)| {
        let bytes = data.iter().flat_map(|value| value.to_le_bytes()).collect();
        (name, Elements { shape, bytes })
    });
    let wrong = |found: String| Error::format("weights", "tensors that fill their shapes", found);
    let plain = safetensors::serialize(elements, None).map_err(|error| wrong(error.to_string()))?;
    let (length, rest) = plain
        .split_first_chunk::<8>()
        .ok_or_else(|| wrong("no header".to_owned()))?;
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (header, data) = rest
        .split_at_checked(length)
        .ok_or_else(|| wrong("half a header".to_owned()))?;
    let mut entries: Map<String, Value> =
        serde_json::from_slice(header).map_err(|error| wrong(error.to_string()))?;
    let metadata: Map<_, _> = metadata
        .iter()
        .chain([&(DIGEST_KEY, NO_DIGEST)])
        .map(|&(key, value)| (key.to_owned(), Value::from(value)))
        .collect();
    entries.shift_insert(0, "__metadata__".to_owned(), Value::Object(metadata));
    let mut header = Value::Object(entries).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut bytes = Vec::with_capacity(8 + header.len() + data.len());
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header);
    let place = place_of(&bytes, NO_DIGEST).ok_or_else(|| wrong("no digest".to_owned()))?;
    let digest = files::sha256(&[&bytes, data]);
    bytes[place..place + digest.len()].copy_from_slice(digest.as_bytes());
    bytes.extend(data);
    Ok(bytes)
}
