//! Files that are whole or not there: written under a temporary name, synced, renamed.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::error::{Error, Result};
use crate::windows::{check_names, rename};

/// Puts `bytes` at `path`. Whenever this is interrupted, what was there before is there, or the new bytes.
///
/// # Errors
/// If a step fails; the temporary file is removed then.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_if(path, bytes, |_| Ok(()))
}

/// As [`replace`], if `check` finds no fault with the temporary file.
///
/// # Errors
/// As [`replace`]; the fault that `check` finds.
pub fn replace_if<T, E: From<Error>>(
    path: &Path,
    bytes: &[u8],
    check: impl FnOnce(&Path) -> Result<T, E>,
) -> Result<T, E> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = Path::new(&temporary);
    let failed = |source| E::from(Error::io(path, "write")(source));
    let written = check_names(path)
        .and_then(|()| write_synced(temporary, bytes))
        .map_err(failed)
        .and_then(|()| check(temporary))
        .and_then(|checked| {
            rename(temporary, path)
                .and_then(|()| sync_folder(path))
                .map_err(failed)?;
            Ok(checked)
        });
    if written.is_err() {
        // The first error is the one to tell; that cleaning up fails too adds nothing.
        drop(fs::remove_file(temporary));
    }
    written
}

/// Makes a folder, and those above it that are missing.
///
/// # Errors
/// If it can't be made, or has a name that this platform does not take.
pub fn create_folder(path: &Path) -> Result<()> {
    check_names(path)
        .and_then(|()| fs::create_dir_all(path))
        .map_err(Error::io(path, "create the folder"))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the renaming last through a power cut. Windows has no such call, and needs none.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_is_written_has_the_permissions_that_the_umask_leaves() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mode = |name: &str| {
            let path = folder.path().join(name);
            fs::metadata(path).unwrap().permissions().mode() & 0o777
        };
        fs::write(folder.path().join("plain"), b"").unwrap();
        fs::create_dir(folder.path().join("below")).unwrap();
        replace(&folder.path().join("file"), b"x").unwrap();
        create_folder(&folder.path().join("made/deep")).unwrap();
        assert_eq!(mode("file"), mode("plain"));
        assert_eq!([mode("made"), mode("made/deep")], [mode("below"); 2]);
    }

    #[test]
    fn a_fault_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"old").unwrap();
        let fault = replace_if(&path, b"new", |written| {
            assert_eq!(fs::read(written).unwrap(), b"new");
            Err::<(), _>(Error::io(written, "like")(io::Error::other("no good")))
        });
        assert_eq!(fault.unwrap_err().source.to_string(), "no good");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no temporary file is left"
        );
    }
}
