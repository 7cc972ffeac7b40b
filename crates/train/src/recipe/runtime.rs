//! Settings of the runtime: they change the speed of a run and not its result.

use data::Images;
use serde::{Deserialize, Serialize};
use tensor::Device;
use tensor::pixels::can_be_resident;

use crate::error::{Error, Result};

/// The largest split that [`Residency::Auto`] keeps on a GPU, in bytes: CIFAR has 150 MB, and 5,000 photos of 256x256 just
/// fit. It is little beside what training takes on the GPUs that would train on more.
const MOST_BYTES: usize = 1 << 30;

/// See [`data::DECODE_BYTES`].
const DECODE_MIB: u64 = data::DECODE_BYTES >> 20;
/// 10,922 images of 256x256.
const CACHE_MIB: u64 = 2048;
/// More MiB than a machine has.
const MOST_MIB: u64 = 1 << 30;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_default_decode(mib: &u64) -> bool {
    *mib == DECODE_MIB
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_default_cache(mib: &u64) -> bool {
    *mib == CACHE_MIB
}

/// Settings of the runtime: they change the speed of a run and not its result, but for rounding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuntimeRecipe {
    /// The device, as `--device` takes it.
    pub device: String,
    /// Threads that make batches.
    pub loader_threads: usize,
    /// Whether the training and the validation images stay on the device, so that a step sends their numbers alone.
    pub resident: Residency,
    /// Memory that all images take together while they are decoded, in MiB. One that needs more is an error.
    #[serde(skip_serializing_if = "is_default_decode")]
    pub decode_mib: u64,
    /// Memory for decoded images of a folder, in MiB. Those beyond it are decoded whenever they are asked for.
    #[serde(skip_serializing_if = "is_default_cache")]
    pub cache_mib: u64,
    /// The data directory, if not the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<String>,
    /// Whether the norms of parameters and gradients are written to `norms.csv`, and histograms of gradients to
    /// `histograms.jsonl`, once an epoch.
    pub norms: bool,
    /// Whether convolutions of 3 x 3 filters may be computed by Winograd's transforms: the same but for rounding. A `config.toml`
    /// of a time when they seldom were leaves it out: see [`Recipe::of_run`](super::Recipe::of_run).
    pub winograd: Winograd,
}

impl Default for RuntimeRecipe {
    fn default() -> Self {
        Self {
            device: "auto".to_owned(),
            loader_threads: 2,
            resident: Residency::default(),
            decode_mib: DECODE_MIB,
            cache_mib: CACHE_MIB,
            data_dir: None,
            norms: false,
            winograd: Winograd::default(),
        }
    }
}

impl RuntimeRecipe {
    /// An error if a number makes no sense.
    pub(super) fn check(&self) -> Result<()> {
        for (setting, mib, least) in [
            ("runtime.decode_mib", self.decode_mib, 1),
            ("runtime.cache_mib", self.cache_mib, 0),
        ] {
            if !(least..=MOST_MIB).contains(&mib) {
                return Err(Error::setting(
                    setting,
                    format!("{least} to {MOST_MIB} MiB"),
                    mib,
                ));
            }
        }
        Ok(())
    }
}

/// Whether convolutions are computed by Winograd's transforms (Lavin and Gray 2015).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Winograd {
    /// Those of 3 x 3 filters with stride 1 that are predicted to be faster so.
    #[default]
    Auto,
    /// None.
    Never,
}

impl From<Winograd> for tensor::Winograd {
    fn from(winograd: Winograd) -> Self {
        match winograd {
            Winograd::Auto => Self::Auto,
            Winograd::Never => Self::Never,
        }
    }
}

/// Whether the images of a split stay on the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Residency {
    /// On a GPU, if they are decoded anyway, one binding holds them and they take at most 1 GiB.
    #[default]
    Auto,
    /// Yes, or it is an error; they are decoded first if need be.
    Always,
    /// No: each batch's pixels are sent.
    Never,
}

impl Residency {
    /// Whether it keeps these images on this device.
    ///
    /// # Errors
    /// [`Error::Setting`] if it should and can't.
    pub(crate) fn keeps(self, images: &Images, device: &Device) -> Result<bool> {
        let can_be = can_be_resident(device, images.len(), images.image_bytes());
        let bytes = images.len().saturating_mul(images.image_bytes());
        match self {
            Self::Never => Ok(false),
            Self::Always if can_be => Ok(true),
            Self::Always => {
                let expected = "images that one binding of the device holds for `always`";
                let got = format!("{bytes} bytes of them");
                Err(Error::setting("runtime.resident", expected, got))
            }
            Self::Auto => {
                Ok(can_be && bytes <= MOST_BYTES && !device.is_cpu() && images.are_decoded())
            }
        }
    }
}
