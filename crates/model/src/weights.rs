//! Safetensors files of f32 tensors, read with every size checked before anything is allocated for it.
//!
//! Not here: which tensors a network has (that is `network`), and other programs' formats.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, View};

use crate::error::{Error, Result};

/// The longest header that is read. The networks' are a few KiB.
const MOST_HEADER_BYTES: u64 = 1 << 20;

/// An opened file, its header read and checked against its length.
#[derive(Debug)]
pub struct TensorFile {
    path: PathBuf,
    file: File,
    header: Metadata,
}

impl TensorFile {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`Error::Io`] if it can't be read; [`Error::Format`] if it is no safetensors file or has another length than its
    /// header says.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(Error::io(path, "open"))?;
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

    /// The elements of exactly these tensors, in this order.
    ///
    /// # Errors
    /// [`Error::Tensor`] if one is missing, has another shape or type, or there is one more; [`Error::Io`].
    pub fn read(mut self, expected: &[(String, Vec<usize>)]) -> Result<Vec<Vec<f32>>> {
        let places = self.check(expected)?;
        let data = self.data()?;
        let tensors = places.into_iter().map(|place| self.elements(&data, place));
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
            let suits = info.filter(|info| info.dtype == Dtype::F32 && info.shape == *shape);
            let place = suits.map(|info| info.data_offsets);
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

    /// All bytes behind the header.
    fn data(&mut self) -> Result<Vec<u8>> {
        let mut data = Vec::new();
        self.file
            .read_to_end(&mut data)
            .map_err(Error::io(&self.path, "read"))?;
        Ok(data)
    }

    /// The f32 elements at a place in the data.
    fn elements(&self, data: &[u8], (begin, end): (usize, usize)) -> Result<Vec<f32>> {
        let bytes = data.get(begin..end).ok_or_else(|| {
            Error::format(&self.path, "a file that does not change", "a shorter one")
        })?;
        let words = bytes.chunks_exact(4);
        Ok(words
            .map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]]))
            .collect())
    }

    /// Where each of the tensors lies in the data.
    fn check(&self, expected: &[(String, Vec<usize>)]) -> Result<Vec<(usize, usize)>> {
        let mut places = Vec::new();
        let mut in_file = self.header.tensors();
        for (name, shape) in expected {
            match in_file.remove(name) {
                Some(info) if info.dtype == Dtype::F32 && info.shape == *shape => {
                    places.push(info.data_offsets);
                }
                found => {
                    let found = found.map_or_else(|| NO_TENSOR.to_owned(), describe);
                    return Err(self.mismatch(name, format!("F32 {shape:?}"), found));
                }
            }
        }
        // The smallest name, so that the message does not depend on the order of a hash table.
        match in_file.into_iter().min_by(|a, b| a.0.cmp(&b.0)) {
            Some((name, info)) => Err(self.mismatch(&name, NO_TENSOR.to_owned(), describe(info))),
            None => Ok(places),
        }
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

/// A safetensors file of named f32 tensors (name, shape, elements). It has one metadata entry and no more, because the
/// order of several would change from run to run.
///
/// # Errors
/// If a tensor's elements do not fill its shape.
pub fn tensor_file_bytes(
    tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
    (key, value): (&str, &str),
) -> Result<Vec<u8>> {
    let elements = tensors.into_iter().map(|(name, shape, data)| {
        let bytes = data.iter().flat_map(|value| value.to_le_bytes()).collect();
        (name, Elements { shape, bytes })
    });
    let metadata = HashMap::from([(key.to_owned(), value.to_owned())]);
    safetensors::serialize(elements, Some(metadata)).map_err(|error| {
        Error::format(
            "weights",
            "tensors that fill their shapes",
            error.to_string(),
        )
    })
}
