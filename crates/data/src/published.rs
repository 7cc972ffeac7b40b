//! The data sets that are published as files: where they are, what they must be, and how they get into the data directory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::download::{Remote, download};
use crate::error::DataError;
use crate::on_disk::{self, Needs, Packed, Place, Search};
use crate::progress::Progress;
use crate::unpack::unpack;

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

const MIB: u64 = 1 << 20;
const CIFAR10_FILES: [&str; 7] = [
    "data_batch_1",
    "data_batch_2",
    "data_batch_3",
    "data_batch_4",
    "data_batch_5",
    "test_batch",
    "batches.meta",
];
const CIFAR100_FILES: [&str; 3] = ["train", "test", "meta"];
const CIFAR10_MD5: &str = "c58f30108f718f92721af3b95e74349a";
const CIFAR100_MD5: &str = "eb9058c3a382ffc7106e4002c42a8d85";
const FLOWERS_MD5: &str = "6f87fb78e9cc9ab41eff2015b380011d";

pub(crate) const CIFAR10: Published = Published {
    title: "CIFAR-10",
    folder: "cifar-10-batches-bin",
    mark: "data_batch_1.bin",
    form: Form::Archive {
        remote: Remote {
            url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            md5: "c32a1d4ab5d03f1284b67883e8d87530",
            max_bytes: 200 * MIB,
        },
        max_unpacked: 200 * MIB,
    },
    places: &[
        Place {
            folder: "cifar-10-batches-py",
            needs: Needs::Files(&CIFAR10_FILES),
        },
        // Keras 3 unpacks into a folder of its own.
        Place {
            folder: "cifar-10-batches-py-target/cifar-10-batches-py",
            needs: Needs::Files(&CIFAR10_FILES),
        },
        Place {
            folder: "",
            needs: Needs::Files(&CIFAR10_FILES),
        },
    ],
    packed: &[
        Packed {
            file: "cifar-10-binary.tar.gz",
            folder: "cifar-10-batches-bin",
            md5: "c32a1d4ab5d03f1284b67883e8d87530",
        },
        Packed {
            file: "cifar-10-python.tar.gz",
            folder: "cifar-10-batches-py",
            md5: CIFAR10_MD5,
        },
        Packed {
            file: "cifar-10-batches-py.tar.gz",
            folder: "cifar-10-batches-py",
            md5: CIFAR10_MD5,
        },
        Packed {
            file: "cifar-10-batches-py-target_archive",
            folder: "cifar-10-batches-py",
            md5: CIFAR10_MD5,
        },
    ],
};

pub(crate) const CIFAR100: Published = Published {
    title: "CIFAR-100",
    folder: "cifar-100-binary",
    mark: "train.bin",
    form: Form::Archive {
        remote: Remote {
            url: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
            md5: "03b5dce01913d631647c71ecec9e9cb8",
            max_bytes: 200 * MIB,
        },
        max_unpacked: 200 * MIB,
    },
    places: &[
        Place {
            folder: "cifar-100-python",
            needs: Needs::Files(&CIFAR100_FILES),
        },
        Place {
            folder: "cifar-100-python-target/cifar-100-python",
            needs: Needs::Files(&CIFAR100_FILES),
        },
        Place {
            folder: "",
            needs: Needs::Files(&CIFAR100_FILES),
        },
    ],
    packed: &[
        Packed {
            file: "cifar-100-binary.tar.gz",
            folder: "cifar-100-binary",
            md5: "03b5dce01913d631647c71ecec9e9cb8",
        },
        Packed {
            file: "cifar-100-python.tar.gz",
            folder: "cifar-100-python",
            md5: CIFAR100_MD5,
        },
        Packed {
            file: "cifar-100-python-target_archive",
            folder: "cifar-100-python",
            md5: CIFAR100_MD5,
        },
    ],
};

/// TensorFlow's flower photos. Their checksum is the one that several projects have published for this address.
pub(crate) const FLOWERS: Published = Published {
    title: "flower photos",
    folder: "flower_photos",
    mark: "daisy",
    form: Form::Archive {
        remote: Remote {
            url: "https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz",
            md5: FLOWERS_MD5,
            max_bytes: 228_813_984,
        },
        max_unpacked: 300 * MIB,
    },
    places: &[
        Place {
            folder: "flower_photos",
            needs: Needs::Folders,
        },
        Place {
            folder: "flowers256",
            needs: Needs::Folders,
        },
        Place {
            folder: "flower_data",
            needs: Needs::Folders,
        },
    ],
    packed: &[
        Packed {
            file: "flower_photos.tgz",
            folder: "flower_photos",
            md5: FLOWERS_MD5,
        },
        Packed {
            file: "flower_photos.tar.gz",
            folder: "flower_photos",
            md5: FLOWERS_MD5,
        },
    ],
};

pub(crate) const MNIST: Published = Published {
    title: "MNIST",
    folder: "mnist",
    mark: "train-images-idx3-ubyte",
    form: Form::Files {
        base: "https://ossci-datasets.s3.amazonaws.com/mnist/",
        files: [
            (
                "train-labels-idx1-ubyte.gz",
                "d53e105ee54ea40749a09fcbcd1e9432",
            ),
            (
                "t10k-images-idx3-ubyte.gz",
                "9fb629c4189551a2d022fa330f9573f3",
            ),
            (
                "t10k-labels-idx1-ubyte.gz",
                "ec29112dd5afa0611ce80d1b7f02629c",
            ),
            (
                "train-images-idx3-ubyte.gz",
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            ),
        ],
    },
    places: &[
        Place {
            folder: "mnist",
            needs: Needs::Idx,
        },
        Place {
            folder: "MNIST/raw",
            needs: Needs::Idx,
        },
        Place {
            folder: "MNIST",
            needs: Needs::Idx,
        },
        Place {
            folder: "",
            needs: Needs::Idx,
        },
    ],
    packed: &[],
};

pub(crate) const FASHION: Published = Published {
    title: "Fashion-MNIST",
    folder: "fashion-mnist",
    mark: "train-images-idx3-ubyte",
    form: Form::Files {
        base: "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        files: [
            (
                "train-labels-idx1-ubyte.gz",
                "25c81989df183df01b3e8a0aad5dffbe",
            ),
            (
                "t10k-images-idx3-ubyte.gz",
                "bef4ecab320f06d8554ea6380940ec79",
            ),
            (
                "t10k-labels-idx1-ubyte.gz",
                "bb300cfdad3c16e7a12a480ee83cd310",
            ),
            (
                "train-images-idx3-ubyte.gz",
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            ),
        ],
    },
    places: &[
        Place {
            folder: "fashion-mnist",
            needs: Needs::Idx,
        },
        Place {
            folder: "FashionMNIST/raw",
            needs: Needs::Idx,
        },
        Place {
            folder: "FashionMNIST",
            needs: Needs::Idx,
        },
        Place {
            folder: "fashionmnist",
            needs: Needs::Idx,
        },
        Place {
            folder: "",
            needs: Needs::Idx,
        },
    ],
    packed: &[],
};

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
                                max_bytes: 40 * MIB,
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
