//! A lock on a folder that one process writes: `run.lock`, which the operating system frees when its holder ends, however
//! that comes. Its text says who that is. Readers need none.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};

/// The file in a run's or a sweep's folder.
const NAME: &str = "run.lock";
/// More of the text is not read.
const MOST_BYTES: u64 = 1024;

/// The right to write in a folder, for as long as it lives.
#[derive(Debug)]
pub struct FolderLock {
    /// The file that is locked; `None` where the file system has no locks.
    file: Option<File>,
}

impl FolderLock {
    /// Takes the lock of a folder that exists.
    ///
    /// # Errors
    /// [`Error::InUse`] at once if another process (or another run of this one) has it; [`Error::Io`].
    pub fn take(folder: &Path) -> Result<Self> {
        let path = folder.join(NAME);
        // A device or a pipe of that name is not waited for.
        if path.exists() {
            drop(files::open(&path)?);
        }
        let options = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = options.map_err(Error::io(&path, "open"))?;
        match file.try_lock() {
            Ok(()) => {
                note(&mut file).map_err(Error::io(&path, "write"))?;
                Ok(Self { file: Some(file) })
            }
            Err(TryLockError::WouldBlock) => Err(Error::InUse {
                path: folder.to_owned(),
                holder: holder(&mut file),
            }),
            // Some network file systems have no locks; training goes on without one.
            Err(TryLockError::Error(_)) => Ok(Self { file: None }),
        }
    }

    /// Whether it keeps others out: not where the file system has no locks.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.file.is_some()
    }
}

/// Writes down who holds the lock.
fn note(file: &mut File) -> std::io::Result<()> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let since = crate::run::dir::timestamp(now.unwrap_or(Duration::ZERO));
    let text = format!(
        "process {} on {} since {since} UTC\n",
        std::process::id(),
        host()
    );
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text.as_bytes())
}

/// Who holds a lock, as its text says.
fn holder(file: &mut File) -> String {
    let mut bytes = Vec::new();
    // Windows lets nobody else read what is locked.
    let read = file.take(MOST_BYTES).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().next().unwrap_or_default().trim();
    if read.is_err() || line.is_empty() {
        return "another process".to_owned();
    }
    files::escape(line).into_owned()
}

/// This machine's name.
fn host() -> String {
    let of_kernel = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let of_environment = ["HOSTNAME", "COMPUTERNAME"].map(|name| std::env::var(name).ok());
    let names = [of_kernel].into_iter().chain(of_environment).flatten();
    let mut names = names.map(|name| name.trim().to_owned());
    names
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "this machine".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_writer_who_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let lock = FolderLock::take(folder.path()).unwrap();
        assert!(lock.is_held());
        let message = FolderLock::take(folder.path()).unwrap_err().to_string();
        let pid = format!("process {} on ", std::process::id());
        assert!(
            message.contains(&pid) && message.contains(" since 20"),
            "{message}"
        );
        drop(lock);
        assert!(FolderLock::take(folder.path()).unwrap().is_held());
    }
}
