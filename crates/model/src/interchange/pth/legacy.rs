//! Files of `torch.save` before 1.6, or with `_use_new_zipfile_serialization=False`: a magic number, a version, facts about
//! the machine, the object and the storages' keys, each a pickle; then the storages, each behind its number of elements.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::{MOST_PICKLE_BYTES, element_bytes};
use crate::error::Result;
use crate::interchange::pickle::{self, State};

/// The pickle of the magic number, 0x1950a86a20f9469cfc6c.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
/// The pickle of the version, 1001.
const VERSION: &[u8] = b"\x80\x02M\xe9\x03.";

/// The storages of an opened file.
#[derive(Debug)]
pub(super) struct Storages {
    file: File,
    /// First byte and bytes, by key.
    places: BTreeMap<String, (u64, u64)>,
}

pub(super) fn is_one(path: &Path) -> Result<bool> {
    crate::interchange::begins_with(path, MAGIC)
}

impl Storages {
    /// Reads the pickles and finds the storages; or what is wrong with them.
    pub(super) fn open(path: &Path, mut file: File) -> Result<(Self, State), String> {
        let failed = |error: std::io::Error| format!("{}: {error}", files::shown(path));
        let length = file.metadata().map_err(failed)?.len();
        let mut head = Vec::new();
        (&mut file)
            .take(MOST_PICKLE_BYTES)
            .read_to_end(&mut head)
            .map_err(failed)?;
        let mut rest = head
            .strip_prefix(MAGIC)
            .and_then(|rest| rest.strip_prefix(VERSION))
            .ok_or_else(|| "another version than 1001".to_owned())?;
        let facts = pickle::length(rest)?;
        rest = &rest[facts..];
        let state = pickle::state_dict(rest)?;
        rest = &rest[state.length..];
        let (keys, bytes) = pickle::list_of_texts(rest)?;
        rest = &rest[bytes..];
        let kinds: BTreeMap<&str, &str> = state
            .storages
            .iter()
            .map(|(name, kind)| (name.as_str(), kind.as_str()))
            .collect();
        let mut at = (head.len() - rest.len()) as u64;
        let mut places = BTreeMap::new();
        for key in keys {
            let kind = kinds.get(key.as_str()).copied().unwrap_or("no storage");
            let width = element_bytes(kind).ok_or_else(|| format!("a storage {key} of {kind}"))?;
            file.seek(SeekFrom::Start(at)).map_err(failed)?;
            let mut count = [0; 8];
            file.read_exact(&mut count)
                .map_err(|_short| format!("its end before storage {key}"))?;
            let bytes = u64::from_le_bytes(count).checked_mul(width);
            let begin = at + 8;
            let end = bytes.and_then(|bytes| begin.checked_add(bytes));
            let end = end.filter(|&end| end <= length);
            let end = end.ok_or_else(|| format!("its end at byte {length} in storage {key}"))?;
            places.insert(key, (begin, end - begin));
            at = end;
        }
        if at != length {
            return Err(format!("{length} bytes in place of {at}"));
        }
        Ok((Self { file, places }, state))
    }

    /// A storage's bytes, `most` at most; or what is wrong with it.
    pub(super) fn read(&mut self, key: &str, most: u64) -> Result<Vec<u8>, String> {
        let place = self.places.get(key);
        let &(begin, bytes) = place.ok_or_else(|| format!("no storage {key}"))?;
        if bytes > most {
            return Err(format!(
                "a storage of {bytes} bytes, where {most} are the most"
            ));
        }
        let failed = |error: std::io::Error| format!("storage {key}: {error}");
        self.file.seek(SeekFrom::Start(begin)).map_err(failed)?;
        let mut read = Vec::new();
        (&mut self.file)
            .take(bytes)
            .read_to_end(&mut read)
            .map_err(failed)?;
        if read.len() as u64 != bytes {
            return Err(format!("{} bytes in place of {bytes}", read.len()));
        }
        Ok(read)
    }
}
