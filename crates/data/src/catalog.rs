//! Data sets by name: where each one is looked for, what is downloaded when it is not there, and who reads it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::cifar::Cifar;
use crate::dataset::DataSet;
use crate::download::{Remote, download};
use crate::error::DataError;
use crate::mnist::{self, read_idx};
use crate::progress::Progress;
use crate::shapes10::Shapes10;
use crate::unpack::unpack;

/// The names that [`open`] knows, besides folders.
pub const NAMES: [&str; 6] = [
    "shapes10",
    "cifar10",
    "cifar100",
    "cifar100-coarse",
    "mnist",
    "fashion-mnist",
];

/// Which training images become the validation split, when the data set has none of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Validation {
    /// 10,000 of CIFAR and MNIST.
    Default,
    /// This many; 0 for none.
    Count(usize),
    /// This share.
    Fraction(f64),
}

/// How [`open`] finds and cuts a data set.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// The data directory; see [`data_dir`].
    pub data_dir: Option<PathBuf>,
    /// Whether a data set that is not there may be downloaded.
    pub download: bool,
    /// Which training images become the validation split.
    pub validation: Validation,
    /// The seed that draws them.
    pub seed: u64,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            data_dir: None,
            download: true,
            validation: Validation::Default,
            seed: 0,
        }
    }
}

/// Opens a data set by its name (one of [`NAMES`]). One that is in the data directory is used; else it is downloaded.
///
/// ```
/// let options = data::OpenOptions::default();
/// let set = data::open("shapes10".as_ref(), &options, &mut |_| {})?;
/// assert_eq!(set.train.len(), 8000);
/// # Ok::<(), data::DataError>(())
/// ```
///
/// # Errors
/// [`DataError::UnknownDataSet`]; [`DataError::Missing`] when it is not there and was not, or could not be, downloaded,
/// which says what to put where; [`DataError::Io`] and [`DataError::Format`] when its files are bad.
pub fn open(
    name: &Path,
    options: &OpenOptions,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<DataSet, DataError> {
    let set = match name.to_str() {
        Some("shapes10") => Shapes10::default().generate()?,
        Some("cifar10") => Cifar::ten().read(&CIFAR10.find(options, progress)?)?,
        Some("cifar100") => Cifar::hundred_fine().read(&CIFAR100.find(options, progress)?)?,
        Some("cifar100-coarse") => {
            Cifar::hundred_coarse().read(&CIFAR100.find(options, progress)?)?
        }
        Some("mnist") => read_idx("mnist", &MNIST.find(options, progress)?, &mnist::DIGITS)?,
        Some("fashion-mnist") => read_idx(
            "fashion-mnist",
            &FASHION.find(options, progress)?,
            &mnist::FASHION,
        )?,
        _ => {
            let name = name.display().to_string();
            return Err(DataError::UnknownDataSet {
                name,
                known: NAMES.join(", "),
            });
        }
    };
    match options.validation {
        _ if set.validation.is_some() => Ok(set),
        Validation::Count(0) => Ok(set),
        Validation::Count(n) => set.with_validation(n, options.seed),
        Validation::Fraction(fraction) => set.with_validation_fraction(fraction, options.seed),
        Validation::Default => set.with_validation(10_000, options.seed),
    }
}

/// The data directory: `explicit`, else `$ALEXNET_DATA`, else `alexnet` in the platform's cache directory.
///
/// # Errors
/// [`DataError::Argument`] when none of them exists, because there is no home directory.
pub fn data_dir(explicit: Option<&Path>) -> Result<PathBuf, DataError> {
    choose(explicit, std::env::var_os("ALEXNET_DATA"))
}

fn choose(explicit: Option<&Path>, variable: Option<OsString>) -> Result<PathBuf, DataError> {
    if let Some(path) = explicit {
        return Ok(path.to_owned());
    }
    if let Some(path) = variable.filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    match etcetera::base_strategy::choose_native_strategy() {
        Ok(strategy) => Ok(strategy.cache_dir().join("alexnet")),
        Err(error) => Err(DataError::argument(
            "data directory",
            "a path or $ALEXNET_DATA",
            error,
        )),
    }
}

/// A data set that is published as files.
struct Published {
    title: &'static str,
    /// Where its files are, under the data directory.
    folder: &'static str,
    /// A file that tells that they are there.
    mark: &'static str,
    form: Form,
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

const CIFAR10: Published = Published {
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
};

const CIFAR100: Published = Published {
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
};

const MNIST: Published = Published {
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
};

const FASHION: Published = Published {
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
};

impl Published {
    /// The folder of its files, which are downloaded when they are not there.
    fn find(
        &self,
        options: &OpenOptions,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf, DataError> {
        let dir = data_dir(options.data_dir.as_deref())?;
        // The data directory may be the data set's own folder.
        for folder in [dir.join(self.folder), dir.clone()] {
            if self.is_in(&folder) {
                return Ok(folder);
            }
        }
        let fetched = if options.download {
            self.fetch(&dir, progress).map_err(Some)
        } else {
            Err(None)
        };
        fetched.map_err(|source| self.missing(dir, source))
    }

    fn is_in(&self, folder: &Path) -> bool {
        folder.join(self.mark).exists() || folder.join(format!("{}.gz", self.mark)).exists()
    }

    fn missing(&self, looked_in: PathBuf, source: Option<DataError>) -> DataError {
        let url = match &self.form {
            Form::Archive { remote, .. } => remote.url.to_owned(),
            Form::Files { base, files } => {
                format!("{base}{{{}}}", files.map(|(name, _)| name).join(","))
            }
        };
        let put_at = match &self.form {
            Form::Archive { .. } => looked_in.join(self.folder).join(self.mark),
            Form::Files { files, .. } => looked_in.join(self.folder).join(files[3].0),
        };
        DataError::Missing {
            data_set: self.title.to_owned(),
            looked_in,
            url,
            put_at,
            source: source.map(Box::new),
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

/// Downloads an archive and unpacks `folder` out of it into the folder `into`, which is made when it is not there. The
/// archive is removed afterwards. Of two processes that do this at a time, one waits and uses what the other unpacked.
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
    let archive = into.join(format!("{folder}.tar.gz"));
    download(remote, &archive, progress)?;
    unpack(&archive, folder, into, max_unpacked, progress)?;
    fs::remove_file(&archive).map_err(DataError::io(archive, "remove"))?;
    Ok(put_at)
}

/// Waits until no other process downloads into this folder; the lock ends with the file's life.
fn lock(folder: &Path) -> Result<File, DataError> {
    let path = folder.join(".download-lock");
    let file = File::create(&path).map_err(DataError::io(&path, "create"))?;
    file.lock().map_err(DataError::io(path, "lock"))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    #[test]
    fn an_explicit_directory_wins_over_the_variable_and_that_over_the_cache() {
        let explicit = Some(Path::new("given"));
        assert_eq!(
            super::choose(explicit, Some("variable".into())).unwrap(),
            PathBuf::from("given")
        );
        assert_eq!(
            super::choose(None, Some("variable".into())).unwrap(),
            PathBuf::from("variable")
        );
        assert!(
            super::choose(None, Some("".into()))
                .unwrap()
                .ends_with("alexnet")
        );
    }
}
