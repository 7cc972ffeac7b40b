//! What is in an archive, and how it is packed: names in order, one time and one owner for all, so that the same contents
//! always give the same bytes.

use std::io::{Cursor, Write as _};

use anyhow::{Context as _, Result};
use flate2::{Compression, GzBuilder};
use zip::write::SimpleFileOptions;

/// A file on its way into an archive.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Under the archive's folder, with `/`.
    name: String,
    bytes: Vec<u8>,
    is_program: bool,
}

impl Entry {
    pub(super) fn text(name: &str, text: String) -> Self {
        Self {
            name: name.to_owned(),
            bytes: text.into_bytes(),
            is_program: false,
        }
    }

    pub(super) fn program(name: &str, bytes: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            bytes,
            is_program: true,
        }
    }

    fn mode(&self) -> u32 {
        if self.is_program { 0o755 } else { 0o644 }
    }
}

/// Packs the entries into a folder called `name`: a zip archive, which Windows opens by itself, or `.tar.gz`. Gives the
/// archive's file name and its bytes.
///
/// # Errors
/// If there is more than the format takes, or a time that it can't tell.
pub(super) fn pack(
    name: &str,
    is_zip: bool,
    mut entries: Vec<Entry>,
    seconds: u64,
) -> Result<(String, Vec<u8>)> {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    if is_zip {
        Ok((format!("{name}.zip"), zip(name, &entries, seconds)?))
    } else {
        Ok((format!("{name}.tar.gz"), tar_gz(name, &entries, seconds)?))
    }
}

fn tar_gz(folder: &str, entries: &[Entry], seconds: u64) -> Result<Vec<u8>> {
    // Its header has neither a name nor a time.
    let packer = GzBuilder::new().write(Vec::new(), Compression::best());
    let mut tar = tar::Builder::new(packer);
    for entry in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(entry.bytes.len() as u64);
        header.set_mode(entry.mode());
        header.set_mtime(seconds);
        header.set_uid(0);
        header.set_gid(0);
        let path = format!("{folder}/{}", entry.name);
        tar.append_data(&mut header, &path, entry.bytes.as_slice())
            .with_context(|| format!("cannot pack {path}"))?;
    }
    Ok(tar.into_inner()?.finish()?)
}

fn zip(folder: &str, entries: &[Entry], seconds: u64) -> Result<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let time = dos_time(seconds).context("zip tells times from 1980 to 2107")?;
    for entry in entries {
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(time)
            .unix_permissions(entry.mode());
        let path = format!("{folder}/{}", entry.name);
        zip.start_file(&path, options)
            .and_then(|()| Ok(zip.write_all(&entry.bytes)?))
            .with_context(|| format!("cannot pack {path}"))?;
    }
    Ok(zip.finish()?.into_inner())
}

/// A time since 1970 in UTC as zip has it, by Hinnant's `civil_from_days`.
fn dos_time(seconds: u64) -> Option<zip::DateTime> {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = u16::try_from(400 * era + year_of_era + carry).ok()?;
    let byte = |n: u64| u8::try_from(n).ok();
    let (month, day) = (byte(month)?, byte(day)?);
    let (hour, minute, second) = (
        byte(second / 3600)?,
        byte(second / 60 % 60)?,
        byte(second % 60)?,
    );
    zip::DateTime::from_date_and_time(year, month, day, hour, minute, second).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// 2026-11-21 20:07:59 UTC.
    const SECONDS: u64 = 1_795_291_679;

    fn entries() -> Vec<Entry> {
        vec![
            Entry::text("man/man1/alexnet.1", ".TH alexnet 1\n".repeat(100)),
            Entry::program("alexnet", vec![0x7f, b'E', b'L', b'F']),
            Entry::text("LICENSE-MIT", "MIT".to_owned()),
        ]
    }

    const NAMES: [&str; 3] = ["a/LICENSE-MIT", "a/alexnet", "a/man/man1/alexnet.1"];

    #[test]
    fn a_tar_archive_holds_its_entries_in_order() {
        let (file, bytes) = pack("a", false, entries(), SECONDS).unwrap();
        assert_eq!(file, "a.tar.gz");
        let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
        let mut found = Vec::new();
        for entry in tar.entries().unwrap() {
            let mut entry = entry.unwrap();
            let header = entry.header();
            assert_eq!(header.mtime().unwrap(), SECONDS);
            let mode = header.mode().unwrap();
            let path = entry.path().unwrap().display().to_string();
            assert_eq!(mode == 0o755, path == "a/alexnet", "{path}: {mode:o}");
            let mut text = Vec::new();
            entry.read_to_end(&mut text).unwrap();
            assert!(!text.is_empty(), "{path}");
            found.push(path);
        }
        assert_eq!(found, NAMES);
    }

    #[test]
    fn a_zip_archive_holds_its_entries_in_order() {
        let (file, bytes) = pack("a", true, entries(), SECONDS).unwrap();
        assert_eq!(file, "a.zip");
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let names: Vec<_> = zip.file_names().map(Result::unwrap).collect();
        assert_eq!(names, NAMES);
        let mut page = zip.by_name(NAMES[2]).unwrap();
        let time = page.last_modified().unwrap();
        assert_eq!(
            time.to_string(),
            "2026-11-21 20:07:58",
            "zip counts by two seconds"
        );
        let mut text = String::new();
        page.read_to_string(&mut text).unwrap();
        assert_eq!(text, ".TH alexnet 1\n".repeat(100));
        assert!(page.compressed_size() < page.size() / 4, "it is compressed");
    }

    #[test]
    fn the_same_entries_in_any_order_are_the_same_bytes() {
        for is_zip in [false, true] {
            let mut turned = entries();
            turned.reverse();
            let [first, again] =
                [entries(), turned].map(|it| pack("a", is_zip, it, SECONDS).unwrap().1);
            assert!(first == again, "zip: {is_zip}");
            let later = pack("a", is_zip, entries(), SECONDS + 60).unwrap().1;
            assert!(first != later, "the time is told");
        }
    }

    #[test]
    fn zip_tells_no_time_before_1980() {
        assert!(pack("a", true, entries(), 0).is_err());
        assert!(pack("a", false, entries(), 0).is_ok());
    }
}
