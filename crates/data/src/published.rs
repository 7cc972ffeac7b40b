//! The data sets that are published as files: where they are, what they must be, and how they get into the data directory.

mod sets;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::download::{Remote, download};
use crate::error::DataError;
use crate::on_disk::{self, Packed, Place, Search};
use crate::progress::Progress;
use crate::unpack::unpack;

pub(crate) use sets::{CIFAR10, CIFAR100, FASHION, FLOWERS, MNIST};

/// The most bytes of a file that is downloaded by itself.
const MOST_FILE: u64 = 40 << 20;

/// A data set that is published as files.
pub(crate) struct Published {
    title: &'static str,
    /// Where its files are, under the data directory.
    folder: &'static str,
    /// A file that tells that they are there.
    mark: &'static str,
    form: Form,
    /// The folders in which other programs have it.
    places: &'static [Place],
    /// Archives of it.
    packed: &'static [Packed],
}

/// The data directory, and whether somebody chose it: then data sets are looked for nowhere else.
pub(crate) struct DataDir {
    pub(crate) path: PathBuf,
    pub(crate) is_chosen: bool,
}

enum Form {
    /// A gzipped tar archive that holds the folder.
    Archive {
        remote: Remote<'static>,
        max_unpacked: u64,
    },
    /// Files of their own: where they are, and the names and checksums.
    Files {
        base: &'static str,
        files: [(&'static str, &'static str); 4],
    },
}

impl Published {
    /// The folder of its files, which are downloaded when they are neither in the data directory nor, unless that
    /// `is_chosen`, where other programs keep data sets, and may be.
    pub(crate) fn find(
        &self,
        dir: &DataDir,
        may_download: bool,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf, DataError> {
        let DataDir {
            path: dir,
            is_chosen,
        } = dir;
        // The data directory may be the data set's own folder.
        for folder in [dir.join(self.folder), dir.clone()] {
            if self.is_in(&folder) {
                return Ok(folder);
            }
        }
        let search = Search {
            title: self.title,
            places: self.places,
            packed: self.packed,
            max_unpacked: match self.form {
                Form::Archive { max_unpacked, .. } => max_unpacked,
                Form::Files { .. } => 0,
            },
            data_dir: dir,
        };
        let others = if *is_chosen {
            Vec::new()
        } else {
            on_disk::others()
        };
        if let Some(folder) = search.run(&others, progress) {
            return Ok(folder);
        }
        if !may_download || !cfg!(feature = "download") {
            return Err(self.missing(dir, None));
        }
        self.fetch(dir, progress)
            .map_err(|source| self.missing(dir, Some(source)))
    }

    fn is_in(&self, folder: &Path) -> bool {
        folder.join(self.mark).exists() || folder.join(format!("{}.gz", self.mark)).exists()
    }

    fn missing(&self, dir: &Path, source: Option<DataError>) -> DataError {
        let folder = dir.join(self.folder);
        let looked_for = folder.join(self.mark);
        let (url, put_at) = match &self.form {
            Form::Archive { remote, .. } => (remote.url.to_owned(), archive_path(remote, dir)),
            Form::Files { base, files } => (
                format!("{base}{{{}}}", files.map(|(name, _)| name).join(",")),
                folder,
            ),
        };
        let (data_set, source) = (self.title.to_owned(), source.map(Box::new));
        DataError::Missing {
            data_set,
            looked_for,
            url,
            put_at,
            source,
        }
    }

    fn fetch(
        &self,
        dir: &Path,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf, DataError> {
        match &self.form {
            Form::Archive {
                remote,
                max_unpacked,
            } => install(remote, self.folder, dir, *max_unpacked, progress),
            Form::Files { base, files } => {
                let folder = dir.join(self.folder);
                fs::create_dir_all(&folder).map_err(DataError::io(&folder, "create"))?;
                let _lock = lock(&folder)?;
                // The marking file comes last, so that an interrupted download does not look complete.
                for (name, md5) in files {
                    let to = folder.join(name);
                    if !to.exists() {
                        let url = format!("{base}{name}");
                        download(
                            &Remote {
                                url: &url,
                                md5,
                                max_bytes: MOST_FILE,
                            },
                            &to,
                            progress,
                        )?;
                    }
                }
                Ok(folder)
            }
        }
    }
}

/// Downloads an archive and unpacks `folder` out of it into the folder `into`, which is made when it is not there. An
/// archive that is in `into` already is used; one that was downloaded is removed. Of two processes that do this at a
/// time, one waits and uses what the other unpacked.
///
/// ```no_run
/// let remote = data::Remote {
///     url: "https://example.org/photos.tar.gz",
///     md5: "5d41402abc4b2a76b9719d911017c592",
///     max_bytes: 1 << 30,
/// };
/// let folder = data::install(&remote, "photos", "data".as_ref(), 2 << 30, &mut |_| {})?;
/// let set = data::read_folder(&folder, &data::FolderOptions::default(), &mut |_| {})?;
/// # Ok::<(), data::DataError>(())
/// ```
///
/// # Errors
/// Those of [`download`] and [`unpack`].
pub fn install(
    remote: &Remote<'_>,
    folder: &str,
    into: &Path,
    max_unpacked: u64,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, DataError> {
    fs::create_dir_all(into).map_err(DataError::io(into, "create"))?;
    let _lock = lock(into)?;
    let put_at = into.join(folder);
    if put_at.exists() {
        return Ok(put_at);
    }
    let archive = archive_path(remote, into);
    let was_there = archive.exists();
    download(remote, &archive, progress)?;
    unpack(&archive, folder, into, max_unpacked, progress)?;
    if !was_there {
        fs::remove_file(&archive).map_err(DataError::io(archive, "remove"))?;
    }
    Ok(put_at)
}

/// An archive's place: the data directory, under the name that it has on the server.
fn archive_path(remote: &Remote<'_>, dir: &Path) -> PathBuf {
    dir.join(
        remote
            .url
            .rsplit('/')
            .next()
            .filter(|name| !name.is_empty())
            .unwrap_or("archive"),
    )
}

/// Waits until no other process downloads into this folder; the lock ends with the file's life.
pub(crate) fn lock(folder: &Path) -> Result<File, DataError> {
    let path = folder.join(".download-lock");
    let file = File::create(&path).map_err(DataError::io(&path, "create"))?;
    file.lock().map_err(DataError::io(path, "lock"))?;
    Ok(file)
}
