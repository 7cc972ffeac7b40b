//! Opening and reading within bounds.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

use crate::error::{Error, Result};
use crate::windows::check_names;

/// The longest text that is read whole: configurations, lists and states are a thousandth of it.
pub const MOST_TEXT_BYTES: u64 = 1 << 20;

/// Opens a regular file for reading. Named pipes, sockets and devices are refused before they are opened, because opening
/// or reading one can wait for ever.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] for anything but a regular file or a link to one; whatever opening gives.
pub fn open(path: &Path) -> Result<File> {
    open_regular(path).map_err(Error::io(path, "open"))
}

fn open_regular(path: &Path) -> io::Result<File> {
    check_names(path)?;
    check(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    // It may have been replaced in between.
    check(&file.metadata()?)?;
    Ok(file)
}

fn check(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let what = if metadata.is_dir() {
        "a folder, not a file"
    } else {
        "not a regular file (a pipe, socket or device)"
    };
    Err(io::Error::new(ErrorKind::InvalidInput, what))
}

/// All bytes of a regular file of at most `most` bytes.
///
/// # Errors
/// As [`open`]; [`ErrorKind::FileTooLarge`] if it has more.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One more byte than allowed tells a longer file, also one that grows while it is read.
    let mut file = open(path)?.take(most.saturating_add(1));
    file.read_to_end(&mut bytes)
        .map_err(Error::io(path, "read"))?;
    if bytes.len() as u64 > most {
        let what = format!("longer than the {most} bytes that are read of such a file");
        let source = io::Error::new(ErrorKind::FileTooLarge, what);
        return Err(Error::io(path, "read")(source));
    }
    Ok(bytes)
}

/// The text of a regular file of at most `most` bytes of UTF-8.
///
/// # Errors
/// As [`read`]; [`ErrorKind::InvalidData`] if it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    String::from_utf8(read(path, most)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let what = format!("not UTF-8 text at byte {at}");
        Error::io(path, "read")(io::Error::new(ErrorKind::InvalidData, what))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_up_to_their_bound_and_not_beyond() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        fs::write(&path, "four").unwrap();
        assert_eq!(read_text(&path, 4).unwrap(), "four");
        assert_eq!(
            read(&path, 3).unwrap_err().source.kind(),
            ErrorKind::FileTooLarge
        );
        fs::write(&path, b"ab\xff").unwrap();
        let error = read_text(&path, 4).unwrap_err();
        assert!(error.source.to_string().contains("byte 2"), "{error:?}");
    }

    #[test]
    fn only_regular_files_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let error = open(folder.path()).unwrap_err();
        assert!(error.source.to_string().contains("folder"), "{error:?}");
        let absent = open(&folder.path().join("absent")).unwrap_err();
        assert_eq!(absent.source.kind(), ErrorKind::NotFound);
        #[cfg(unix)]
        {
            // A pipe without a writer would wait for ever; an endless device would fill the memory.
            let pipe = folder.path().join("pipe");
            let made = std::process::Command::new("mkfifo").arg(&pipe).status();
            assert!(made.unwrap().success(), "mkfifo is part of every Unix");
            for path in [pipe.as_path(), Path::new("/dev/zero")] {
                let error = read(path, 10).unwrap_err();
                assert_eq!(error.source.kind(), ErrorKind::InvalidInput, "{error}");
            }
            let link = folder.path().join("link");
            fs::write(folder.path().join("file"), "x").unwrap();
            std::os::unix::fs::symlink("file", &link).unwrap();
            assert_eq!(
                read_text(&link, 1).unwrap(),
                "x",
                "links to files are files"
            );
        }
    }
}
