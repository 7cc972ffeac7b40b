//! Lines of files that may be longer than what is read whole.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::read::open;

/// The lines of a file, one at a time, without their ends.
#[derive(Debug)]
pub struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    most: u64,
    number: u64,
    is_whole: bool,
    is_over: bool,
}

/// The lines of a regular file, each of at most `most` bytes: so much memory is taken and no more. A last line without its
/// end, which may still be being written, is one too.
///
/// # Errors
/// As [`open`]; the iterator's items are errors where a line is too long or can't be read, and it ends there.
pub fn lines(path: &Path, most: u64) -> Result<Lines> {
    Ok(Lines {
        path: path.to_owned(),
        reader: BufReader::new(open(path)?),
        most,
        number: 0,
        is_whole: false,
        is_over: false,
    })
}

impl Lines {
    /// Whether the line that was read last had its end.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.number += 1;
        let mut line = Vec::new();
        let mut bounded = (&mut self.reader).take(self.most.saturating_add(1));
        bounded.read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        self.is_whole = line.last() == Some(&b'\n');
        if self.is_whole {
            line.pop();
        } else if line.len() as u64 > self.most {
            let (number, most) = (self.number, self.most);
            let what = format!("line {number} is longer than {most} bytes");
            return Err(io::Error::new(ErrorKind::FileTooLarge, what));
        }
        Ok(Some(line))
    }
}

impl Iterator for Lines {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let line = self.read().map_err(Error::io(&self.path, "read"));
        self.is_over = !matches!(line, Ok(Some(_)));
        line.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_one_by_one_within_their_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "four\n\nlast").unwrap();
        let read: Vec<_> = lines(&path, 4).unwrap().map(Result::unwrap).collect();
        assert_eq!(read, [b"four".to_vec(), Vec::new(), b"last".to_vec()]);
        let mut all = lines(&path, 4).unwrap();
        let whole = [(); 3].map(|()| all.next().map(|_| all.is_whole()));
        assert_eq!(whole, [Some(true), Some(true), Some(false)]);
        let read: Vec<_> = lines(&path, 3).unwrap().collect();
        assert_eq!(read.len(), 1, "it ends at the long line");
        let message = read[0].as_ref().unwrap_err().source.to_string();
        assert!(message.contains("line 1"), "{message}");
    }
}
