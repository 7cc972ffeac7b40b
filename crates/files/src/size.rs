//! How much a folder takes on disk.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};

/// Bytes of the regular files in a folder and in those below it. Links are not followed, and what goes away meanwhile counts
/// for nothing.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// std::fs::create_dir(folder.path().join("below"))?;
/// for name in ["a", "below/b"] {
///     std::fs::write(folder.path().join(name), [0; 100])?;
/// }
/// assert_eq!(files::folder_bytes(folder.path())?, 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the folder can't be read.
pub fn folder_bytes(folder: &Path) -> Result<u64> {
    let entries = fs::read_dir(folder).map_err(Error::io(folder, "read"))?;
    let mut bytes = 0;
    for entry in entries.flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => bytes += folder_bytes(&entry.path()).unwrap_or(0),
            Ok(kind) if kind.is_file() => bytes += entry.metadata().map_or(0, |it| it.len()),
            _ => {}
        }
    }
    Ok(bytes)
}
