//! Gzipped tar archives to folders, with nothing taken on trust: no entry leaves the folder, no links, sizes bounded
//! before a byte is written, and the folder has its name only once it is whole.

use std::fs::{self, OpenOptions};
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tar::{Entry, EntryType};

use crate::error::DataError;
use crate::progress::{Progress, Stage};

/// More entries than this are refused: the archives of this crate have about ten.
const MAX_ENTRIES: u64 = 10_000;
/// An entry's header and padding.
const ENTRY_OVERHEAD: u64 = 4096;

/// Unpacks `folder` out of the archive into the folder `into`, where nothing of that name may exist.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let archive = folder.path().join("photos.tar.gz");
/// let gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
/// let mut tar = tar::Builder::new(gz);
/// let mut header = tar::Header::new_gnu();
/// header.set_size(5);
/// tar.append_data(&mut header, "photos/about.txt", &b"hello"[..])?;
/// std::fs::write(&archive, tar.into_inner()?.finish()?)?;
/// data::unpack(&archive, "photos", folder.path(), 1 << 20, &mut |_| {})?;
/// assert_eq!(folder.path().join("photos/about.txt").metadata()?.len(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`DataError::Archive`] for an entry that is neither file nor folder, leaves the folder, or makes it larger than
/// `max_bytes`, and for an archive without that folder; [`DataError::Io`] for a damaged archive or the disk.
pub fn unpack(
    archive: &Path,
    folder: &str,
    into: &Path,
    max_bytes: u64,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), DataError> {
    // Beside its destination, so that the last step is a rename; removed when anything fails.
    let temporary = tempfile::Builder::new()
        .prefix(".unpacking-")
        .tempdir_in(into);
    let temporary = temporary.map_err(DataError::io(into, "create a temporary folder in"))?;
    let file = files::open(archive)?;
    let length = file
        .metadata()
        .map_err(DataError::io(archive, "read"))?
        .len();
    // Whatever the entries claim, no more than this is ever decompressed.
    let bytes =
        MultiGzDecoder::new(BufReader::new(file)).take(max_bytes + MAX_ENTRIES * ENTRY_OVERHEAD);
    let mut unpacker = Unpacker {
        archive,
        root: temporary.path(),
        left: max_bytes,
        max_bytes,
    };
    let (mut n_entries, what) = (0, archive.to_string_lossy());
    for entry in tar::Archive::new(bytes)
        .entries()
        .map_err(DataError::io(archive, "unpack"))?
    {
        let mut entry = entry.map_err(DataError::io(archive, "unpack"))?;
        n_entries += 1;
        if n_entries > MAX_ENTRIES {
            return Err(unpacker.refuse(&entry, format!("at most {MAX_ENTRIES} entries"), "more"));
        }
        unpacker.entry(&mut entry)?;
        let done = max_bytes - unpacker.left;
        progress(Progress {
            stage: Stage::Unpack,
            what: &what,
            done,
            total: None,
        });
    }
    let whole = temporary.path().join(folder);
    if !whole.is_dir() {
        let (path, entry) = (archive.to_owned(), folder.to_owned());
        let found = format!("{n_entries} others in {length} bytes");
        return Err(DataError::Archive {
            path,
            entry,
            expected: "a folder of this name".to_owned(),
            found,
        });
    }
    let put_at = into.join(folder);
    files::rename(&whole, &put_at).map_err(DataError::io(&put_at, "create"))
}

struct Unpacker<'a> {
    archive: &'a Path,
    root: &'a Path,
    /// Bytes that may still be written.
    left: u64,
    max_bytes: u64,
}

impl Unpacker<'_> {
    fn entry<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> Result<(), DataError> {
        match entry.header().entry_type() {
            EntryType::Regular => self.file(entry),
            EntryType::Directory => {
                let path = self.place(entry)?;
                fs::create_dir_all(&path).map_err(DataError::io(path, "create"))
            }
            // A comment on the whole archive, which git and others write.
            EntryType::XGlobalHeader => Ok(()),
            other => Err(self.refuse(entry, "a file or a folder", format!("{other:?}"))),
        }
    }

    fn file<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> Result<(), DataError> {
        let path = self.place(entry)?;
        let size = entry.size();
        if size > self.left {
            let expected = format!("at most {} bytes in all", self.max_bytes);
            return Err(self.refuse(
                entry,
                expected,
                format!("{size} bytes when {} are left", self.left),
            ));
        }
        self.left -= size;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(DataError::io(parent, "create"))?;
        }
        // An entry that comes twice is refused by `create_new`, as is anything through a link.
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let mut file = file.map_err(DataError::io(&path, "create"))?;
        let written = io::copy(&mut entry.take(size), &mut file)
            .map_err(DataError::io(self.archive, "unpack"))?;
        if written != size {
            return Err(self.refuse(entry, format!("{size} bytes"), format!("{written} bytes")));
        }
        file.sync_all().map_err(DataError::io(path, "write"))
    }

    /// Where an entry goes: under the root, by plain names only.
    fn place<R: Read>(&self, entry: &Entry<'_, R>) -> Result<PathBuf, DataError> {
        let name = entry
            .path()
            .map_err(DataError::io(self.archive, "unpack"))?;
        let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if name.components().all(plain) {
            Ok(self.root.join(&name))
        } else {
            Err(self.refuse(entry, "a path inside the archive's folder", name.display()))
        }
    }

    fn refuse<R: Read>(
        &self,
        entry: &Entry<'_, R>,
        expected: impl Into<String>,
        found: impl ToString,
    ) -> DataError {
        DataError::Archive {
            path: self.archive.to_owned(),
            entry: String::from_utf8_lossy(&entry.path_bytes()).into_owned(),
            expected: expected.into(),
            found: found.to_string(),
        }
    }
}
