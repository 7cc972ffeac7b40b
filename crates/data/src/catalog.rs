//! Data sets by name: where each one is looked for, what is downloaded when it is not there, and who reads it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::channels::Channels;
use crate::cifar::Cifar;
use crate::dataset::DataSet;
use crate::error::DataError;
use crate::folder::{Check, FolderOptions, is_list, of_folder, read_folder, read_labels};
use crate::mnist::{self, read_idx};
use crate::progress::Progress;
use crate::published::{self, DataDir, Published};
use crate::shapes10::Shapes10;

/// The names that [`open`] knows, besides folders.
pub const NAMES: [&str; 8] = [
    "shapes10",
    "cifar10",
    "cifar100",
    "cifar100-coarse",
    "mnist",
    "fashion-mnist",
    "flowers",
    "imagenet",
];

/// Which training images become the validation split, when the data set has none of its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Validation {
    /// 10,000 of CIFAR and MNIST, a fifth of the flower photos, a tenth of another folder.
    Default,
    /// This many; 0 for none.
    Count(usize),
    /// This share.
    Fraction(f64),
    /// Those of one of the data set's files, such as CIFAR-10's `data_batch_5`.
    File(String),
}

/// How [`open`] finds and cuts a data set.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// The data directory; see [`data_dir`]. Unless one is given, data sets are also looked for in `./data`, where
    /// torchvision puts them, and in Keras' cache.
    pub data_dir: Option<PathBuf>,
    /// Whether a data set that is not there may be downloaded.
    pub download: bool,
    /// Which training images become the validation split.
    pub validation: Validation,
    /// The seed that draws them.
    pub seed: u64,
    /// What each pixel of a named data set becomes; its own, which is grey for MNIST and Fashion-MNIST, and RGB for the
    /// others, if none is asked for. For images in files, [`FolderOptions::channels`] says it, unless this does.
    pub channels: Option<Channels>,
    /// How a folder of images is read.
    pub folder: FolderOptions,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            data_dir: None,
            download: true,
            validation: Validation::Default,
            seed: 0,
            channels: None,
            folder: FolderOptions::default(),
        }
    }
}

/// Opens a data set by its name (one of [`NAMES`]) or a folder or a list of images by its path (`./cifar10` for a folder with a
/// name of [`NAMES`]). A named one that is in the data directory is used; else it is downloaded.
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
/// which says what to put where; [`DataError::Io`] and [`DataError::Format`] when its files are bad; those of
/// [`read_folder`] and [`read_labels`].
pub fn open(
    name: &Path,
    options: &OpenOptions,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<DataSet, DataError> {
    let folder = &FolderOptions {
        channels: options.channels.unwrap_or(options.folder.channels),
        ..options.folder.clone()
    };
    let mut find = |files: &Published| {
        let dir = DataDir {
            path: data_dir(options.data_dir.as_deref())?,
            is_chosen: options.data_dir.is_some(),
        };
        files.find(&dir, options.download, &mut *progress)
    };
    let read_cifar = |cifar: Cifar, folder: &Path| match &options.validation {
        Validation::File(file) => cifar.read_with_validation(folder, file),
        _ => cifar.read(folder),
    };
    let set = match name.to_str() {
        Some("shapes10") => Shapes10::default().generate()?,
        Some("cifar10") => read_cifar(Cifar::ten(), &find(&published::CIFAR10)?)?,
        Some("cifar100") => read_cifar(Cifar::hundred_fine(), &find(&published::CIFAR100)?)?,
        Some("cifar100-coarse") => {
            read_cifar(Cifar::hundred_coarse(), &find(&published::CIFAR100)?)?
        }
        Some("mnist") => read_idx("mnist", &find(&published::MNIST)?, &mnist::DIGITS)?,
        Some("fashion-mnist") => read_idx(
            "fashion-mnist",
            &find(&published::FASHION)?,
            &mnist::FASHION,
        )?,
        Some("flowers") => {
            let path = find(&published::FLOWERS)?;
            let set = named("flowers", read_folder(&path, folder, progress)?);
            return validated(set, options, Validation::Fraction(0.2));
        }
        Some("imagenet") => {
            let path = imagenet(&data_dir(options.data_dir.as_deref())?)?;
            let folder = FolderOptions {
                // More than a million files: to read them all first would take hours.
                check: Check::Names,
                ..folder.clone()
            };
            let set = named("imagenet", read_folder(&path, &folder, progress)?);
            // The labels of its test are secret: what is published are figures of the validation images.
            return Ok(DataSet {
                test: set.validation.clone(),
                ..set
            });
        }
        _ if name.is_dir() => {
            let set = match of_folder(name)? {
                Some(list) => read_labels(&list, folder, progress)?,
                None => read_folder(name, folder, progress)?,
            };
            return validated(set, options, Validation::Fraction(0.1));
        }
        _ if name.exists() && is_list(name) => {
            let set = read_labels(name, folder, progress)?;
            return validated(set, options, Validation::Fraction(0.1));
        }
        _ => return Err(unknown(name)),
    };
    let set = match options.channels {
        Some(channels) => set.with_channels(channels),
        None => set,
    };
    validated(set, options, Validation::Count(10_000))
}

/// Whether [`open`] knows what `name` means, before it reads anything.
///
/// ```
/// assert!(data::check_name("cifar10".as_ref()).is_ok());
/// assert!(data::check_name("no/such/folder".as_ref()).is_err());
/// ```
///
/// # Errors
/// [`DataError::UnknownDataSet`] if it is neither a built-in data set's nor a folder or list of images.
pub fn check_name(name: &Path) -> Result<(), DataError> {
    let is_built_in = name.to_str().is_some_and(|name| NAMES.contains(&name));
    if is_built_in || name.is_dir() || name.exists() && is_list(name) {
        return Ok(());
    }
    Err(unknown(name))
}

fn unknown(name: &Path) -> DataError {
    DataError::UnknownDataSet {
        name: files::shown(name),
        known: NAMES.join(", "),
    }
}

fn named(name: &str, set: DataSet) -> DataSet {
    DataSet {
        name: name.to_owned(),
        ..set
    }
}

/// The folder of ImageNet, which nobody may download without an account.
fn imagenet(dir: &Path) -> Result<PathBuf, DataError> {
    let folder = dir.join("imagenet");
    for split in ["train", "val"] {
        let looked_for = folder.join(split);
        if !looked_for.is_dir() {
            return Err(DataError::Missing {
                data_set: "ImageNet".to_owned(),
                looked_for,
                url: "the images, with an account, from https://image-net.org/download.php"
                    .to_owned(),
                put_at: folder.join("{train,val}").join("CLASS"),
                source: None,
            });
        }
    }
    Ok(folder)
}

/// Cuts a validation split off, unless the data set has one.
fn validated(
    set: DataSet,
    options: &OpenOptions,
    default: Validation,
) -> Result<DataSet, DataError> {
    let wanted = match &options.validation {
        Validation::Default => &default,
        other => other,
    };
    match wanted {
        _ if set.validation.is_some() => Ok(set),
        Validation::Count(0) | Validation::Default => Ok(set),
        Validation::Count(n) => set.with_validation(*n, options.seed),
        Validation::Fraction(fraction) => set.with_validation_fraction(*fraction, options.seed),
        Validation::File(file) => {
            let expected = "a number or a share such as 20%; only CIFAR-10 has several files";
            Err(DataError::argument("validation", expected, file))
        }
    }
}

/// `[height, width]` of a named data set's images; none for images in files, which have the size that is asked for.
///
/// ```
/// assert_eq!(data::image_size("mnist"), Some([28, 28]));
/// assert_eq!(data::image_size("flowers"), None);
/// ```
#[must_use]
pub fn image_size(name: &str) -> Option<[u32; 2]> {
    match name {
        "shapes10" | "cifar10" | "cifar100" | "cifar100-coarse" => Some([32; 2]),
        "mnist" | "fashion-mnist" => Some([28; 2]),
        _ => None,
    }
}

/// The data directory: `explicit`, else `$ALEXNET_DATA`, else `alexnet` in the platform's cache directory.
///
/// ```
/// let explicit = data::data_dir(Some("big-disk/images".as_ref()))?;
/// assert_eq!(explicit, std::path::Path::new("big-disk/images"));
/// # Ok::<(), data::DataError>(())
/// ```
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
    cache_dir().ok_or_else(|| {
        let expected = "a path or $ALEXNET_DATA";
        DataError::argument("data directory", expected, "no home directory")
    })
}

/// `alexnet` in the platform's cache directory; `None` without a home directory.
#[must_use]
pub fn cache_dir() -> Option<PathBuf> {
    let strategy = etcetera::base_strategy::choose_native_strategy().ok()?;
    Some(strategy.cache_dir().join("alexnet"))
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
