//! Opens devices, and keeps each from what a probe found wrong. A GPU is probed once for each driver; what was found is kept in the
//! platform's cache directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use tensor::{Avoided, Device, TileKind, probe};

use crate::args::OutputArgs;
use crate::report;

/// Raised when a probe looks at more than it did, so that devices are probed again.
const PROBE_VERSION: u32 = 1;

/// More bytes of kept probes are not read; one takes about 200.
const MOST_BYTES: u64 = 1 << 20;

/// What a probe found, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    is_usable: bool,
    avoids_f16: bool,
    avoided_tiles: Vec<String>,
}

/// What was found, by device, driver and version.
type Probes = BTreeMap<String, Kept>;

/// The device that `selector` names, without what it gets wrong.
///
/// # Errors
/// If no device answers to the selector, or its results are wrong whatever it is kept from.
pub(crate) fn open(selector: &str, output: OutputArgs) -> Result<Device> {
    let device = Device::open(selector)?;
    heed(&device, output)?;
    Ok(device)
}

/// Keeps an open device from what its probe found wrong, and says what that is.
///
/// # Errors
/// As [`open`].
pub(crate) fn heed(device: &Device, output: OutputArgs) -> Result<()> {
    if device.is_cpu() {
        return Ok(());
    }
    let key = format!(
        "{} | {} | alexnet {} | probe {PROBE_VERSION}",
        device.name(),
        device.driver(),
        env!("CARGO_PKG_VERSION")
    );
    let file = cache_file();
    let mut probes = file.as_deref().map(read).unwrap_or_default();
    let kept = match probes.get(&key) {
        Some(kept) => kept.clone(),
        None => {
            let kept = keep(&probe(device)?);
            probes.insert(key, kept.clone());
            if let Some(file) = &file {
                write(file, &probes);
            }
            kept
        }
    };
    anyhow::ensure!(
        kept.is_usable,
        "{} ({}) computes wrong results: see alexnet doctor; --device cpu works",
        device.name(),
        device.driver()
    );
    let avoided = avoided(&kept);
    if avoided.f16 {
        let text = format!(
            "{}: its floats of 16 bits are not used, see alexnet doctor",
            device.name()
        );
        report::working(&text, output);
    }
    if !avoided.tiles.is_empty() {
        let names = kept.avoided_tiles.join(", ");
        let text = format!(
            "{}: tiles {names} are not used, see alexnet doctor",
            device.name()
        );
        report::working(&text, output);
    }
    device.avoid(avoided);
    Ok(())
}

fn keep(probe: &tensor::Probe) -> Kept {
    let avoided = probe.avoided();
    Kept {
        is_usable: probe.is_usable(),
        avoids_f16: avoided.f16,
        avoided_tiles: avoided
            .tiles
            .iter()
            .map(|tile| tile.name().to_owned())
            .collect(),
    }
}

fn avoided(kept: &Kept) -> Avoided {
    let is_named = |tile: &TileKind| kept.avoided_tiles.iter().any(|name| name == tile.name());
    Avoided {
        f16: kept.avoids_f16,
        tiles: TileKind::ALL.into_iter().filter(is_named).collect(),
    }
}

/// Where probes are kept; nowhere without a home directory.
fn cache_file() -> Option<PathBuf> {
    let folder = data::cache_dir()?;
    Some(folder.join("probes.json"))
}

/// The probes that were kept. A file that is missing or damaged holds none: they are made again.
fn read(file: &Path) -> Probes {
    let text = files::read(file, MOST_BYTES).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Keeps them. Where that can't be, the next start probes again.
fn write(file: &Path, probes: &Probes) {
    let Ok(text) = serde_json::to_vec_pretty(probes) else {
        return;
    };
    if let Some(folder) = file.parent() {
        drop(std::fs::create_dir_all(folder));
    }
    drop(files::replace(file, &text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_what_is_avoided() {
        let kept = Kept {
            is_usable: true,
            avoids_f16: true,
            avoided_tiles: vec!["large".to_owned(), "of a later version".to_owned()],
        };
        let expected = Avoided {
            f16: true,
            tiles: vec![TileKind::Large],
        };
        assert_eq!(avoided(&kept), expected);
    }

    #[test]
    fn a_damaged_file_holds_no_probes_and_a_written_one_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new").join("probes.json");
        assert_eq!(read(&file), Probes::new(), "missing");
        let kept = Kept {
            is_usable: true,
            avoids_f16: false,
            avoided_tiles: Vec::new(),
        };
        let probes = Probes::from([("a GPU".to_owned(), kept)]);
        write(&file, &probes);
        assert_eq!(read(&file), probes, "written");
        std::fs::write(&file, "{\"a GPU\": 3").unwrap();
        assert_eq!(read(&file), Probes::new(), "damaged");
    }
}
