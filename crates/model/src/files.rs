//! Files that are whole or not there: written under a temporary name, synced, renamed.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use crate::error::{Error, Result};

/// Puts `bytes` at `path`. Whenever this is interrupted, what was there before is there, or the new bytes.
///
/// # Errors
/// [`Error::Io`] if a step fails; the temporary file is removed then.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_file_if(path, bytes, |_| Ok(()))
}

/// As [`replace_file`], if `check` finds no fault with the temporary file.
pub(crate) fn replace_file_if<T>(
    path: &Path,
    bytes: &[u8],
    check: impl FnOnce(&Path) -> Result<T>,
) -> Result<T> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = Path::new(&temporary);
    let failed = || Error::io(path, "write");
    let written = write_synced(temporary, bytes)
        .map_err(failed())
        .and_then(|()| check(temporary))
        .and_then(|checked| {
            fs::rename(temporary, path)
                .and_then(|()| sync_folder(path))
                .map_err(failed())?;
            Ok(checked)
        });
    if written.is_err() {
        // The first error is the one to tell; that cleaning up fails too adds nothing.
        drop(fs::remove_file(temporary));
    }
    written
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the renaming last through a power cut. Windows has no such call, and needs none.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}
