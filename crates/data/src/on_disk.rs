//! What followers of other programs have on disk already: the folders and archives that PyTorch's torchvision, Keras and
//! Kaggle leave, looked for before anything is downloaded. What is there and of no use is told, with the reason.

use std::fs;
use std::path::{Path, PathBuf};

use crate::download::md5_of;
use crate::error::DataError;
use crate::mnist::idx_path;
use crate::progress::{Progress, Stage};
use crate::unpack::unpack;

/// A folder that may be there, under a folder that is searched, and what makes it whole.
pub(crate) struct Place {
    pub(crate) folder: &'static str,
    pub(crate) needs: Needs,
}

/// What a folder must have.
#[derive(Clone, Copy)]
pub(crate) enum Needs {
    /// Each of these files.
    Files(&'static [&'static str]),
    /// The four files of MNIST, as anybody writes their names.
    Idx,
    /// Folders, of classes or of splits.
    Folders,
}

/// An archive that may be there: its name, the folder in it, and the published MD5.
pub(crate) struct Packed {
    pub(crate) file: &'static str,
    pub(crate) folder: &'static str,
    pub(crate) md5: &'static str,
}

/// A search for one data set.
pub(crate) struct Search<'a> {
    /// What the data set is called in messages.
    pub(crate) title: &'a str,
    pub(crate) places: &'a [Place],
    pub(crate) packed: &'a [Packed],
    /// More bytes than this are not unpacked.
    pub(crate) max_unpacked: u64,
    /// Where archives are unpacked to.
    pub(crate) data_dir: &'a Path,
}

impl Place {
    /// What a folder lacks; none if it is whole.
    fn lack(&self, folder: &Path) -> Option<String> {
        match self.needs {
            Needs::Files(names) => {
                let mut absent = names.iter().filter(|name| !folder.join(name).is_file());
                absent.next().map(|name| format!("no {name} in it"))
            }
            Needs::Idx => {
                let names = [
                    "train-images-idx3-ubyte",
                    "train-labels-idx1-ubyte",
                    "t10k-images-idx3-ubyte",
                    "t10k-labels-idx1-ubyte",
                ];
                let mut absent = names
                    .iter()
                    .filter(|name| !idx_path(folder, name).is_file());
                absent.next().map(|name| format!("no {name} in it"))
            }
            Needs::Folders => {
                let mut entries = fs::read_dir(folder).ok().into_iter().flatten().flatten();
                let has_one = entries.any(|entry| entry.path().is_dir());
                (!has_one).then(|| "no folders in it".to_owned())
            }
        }
    }
}

impl Search<'_> {
    /// The first whole folder under the data directory and then under the other ones, where archives are unpacked; each
    /// thing that was seen and not used is told.
    pub(crate) fn run(
        &self,
        others: &[PathBuf],
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Option<PathBuf> {
        let roots: Vec<&Path> = std::iter::once(self.data_dir)
            .chain(others.iter().map(PathBuf::as_path))
            .collect();
        for (number, root) in roots.iter().enumerate() {
            for place in self.places {
                // Only the data directory may be the data set's own folder: of others, nobody says whose it is.
                let is_root = place.folder.is_empty();
                let folder = root.join(place.folder);
                if !folder.is_dir() || (is_root && number > 0) {
                    continue;
                }
                match place.lack(&folder) {
                    None => {
                        note(
                            progress,
                            &format!("{}: using {}", self.title, shown(&folder)),
                        );
                        return Some(folder);
                    }
                    Some(lack) if !is_root => note(progress, &self.unused(&folder, &lack)),
                    Some(_) => {}
                }
            }
        }
        for root in &roots {
            for packed in self.packed {
                let archive = root.join(packed.file);
                if !archive.is_file() {
                    continue;
                }
                match self.unpacked(&archive, packed, progress) {
                    Ok(folder) => return Some(folder),
                    Err(error) => {
                        let reason = std::error::Error::source(&error).map_or_else(
                            || error.to_string(),
                            |source| format!("{error}: {source}"),
                        );
                        let line = self.unused(&archive, &files::escape(&reason));
                        note(progress, &line);
                    }
                }
            }
        }
        None
    }

    fn unused(&self, path: &Path, reason: &str) -> String {
        format!(
            "{}: {} is there and not used: {reason}",
            self.title,
            shown(path)
        )
    }

    /// Unpacks an archive into the data directory.
    fn unpacked(
        &self,
        archive: &Path,
        packed: &Packed,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf, DataError> {
        fs::create_dir_all(self.data_dir).map_err(DataError::io(self.data_dir, "create"))?;
        let _lock = crate::published::lock(self.data_dir)?;
        let into = self.data_dir.join(packed.folder);
        if into.exists() {
            // Of another process that waited for the same, or half of one, which the search has told.
            let whole = self
                .places
                .iter()
                .find(|place| place.folder == packed.folder);
            if whole.is_some_and(|place| place.lack(&into).is_none()) {
                return Ok(into);
            }
            return Err(DataError::Archive {
                path: archive.to_owned(),
                entry: packed.folder.to_owned(),
                expected: "a new folder".to_owned(),
                found: format!("{}, which is not whole: remove it", shown(&into)),
            });
        }
        let md5 = md5_of(archive)?;
        let (archive_name, title) = (shown(archive), self.title);
        let line = if md5 == packed.md5 {
            format!("{title}: unpacking {archive_name}")
        } else {
            let published = packed.md5;
            format!(
                "{title}: unpacking {archive_name}, which is not the published file (MD5 {md5}, not {published})"
            )
        };
        note(progress, &line);
        unpack(
            archive,
            packed.folder,
            self.data_dir,
            self.max_unpacked,
            progress,
        )?;
        Ok(into)
    }
}

/// Where other programs keep data sets: torchvision's usual `data` here, and Keras' cache.
pub(crate) fn others() -> Vec<PathBuf> {
    let keras = std::env::var_os("KERAS_HOME").map(PathBuf::from);
    let keras = keras.or_else(|| Some(etcetera::home_dir().ok()?.join(".keras")));
    let keras = keras.map(|folder| folder.join("datasets"));
    std::iter::once(PathBuf::from("data"))
        .chain(keras)
        .collect()
}

fn note(progress: &mut dyn FnMut(Progress<'_>), line: &str) {
    progress(Progress {
        stage: Stage::Note,
        what: line,
        done: 0,
        total: None,
    });
}

fn shown(path: &Path) -> String {
    files::escape(&path.to_string_lossy()).into_owned()
}
