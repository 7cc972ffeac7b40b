//! Files over https: resumed, bounded in size, checked against a published MD5, and only then given their name. What goes
//! over the wire is in `transfer`, behind the feature `download`; without it, a file that is there is still checked.
//!
//! MD5 tells a broken transfer from a good one; that the server is the right one is what TLS tells.

#[cfg(feature = "download")]
mod transfer;

use std::io::Read;
use std::path::Path;

use md5::{Digest, Md5};

use crate::error::DataError;
use crate::progress::Progress;

/// A file on a server.
#[derive(Clone, Copy, Debug)]
pub struct Remote<'a> {
    /// An https address; http only of this machine, for tests.
    pub url: &'a str,
    /// The published MD5, 32 lower-case hexadecimal digits.
    pub md5: &'a str,
    /// More bytes than this are never written.
    pub max_bytes: u64,
}

/// Downloads a file to `to`, whose folder exists, unless it is there already with the right checksum. Bytes arrive in `to` with `.part` added, which an interrupted
/// download leaves behind and the next one continues.
///
/// ```no_run
/// let remote = data::Remote {
///     url: "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz",
///     md5: "ec29112dd5afa0611ce80d1b7f02629c",
///     max_bytes: 1 << 20,
/// };
/// data::download(&remote, "labels.gz".as_ref(), &mut |progress| println!("{} bytes", progress.done))?;
/// # Ok::<(), data::DataError>(())
/// ```
///
/// # Errors
/// [`DataError::Argument`] for an address that is not https, [`DataError::Download`] when the server can't be reached or
/// sends too little or too much, [`DataError::Checksum`] when it sends another file, [`DataError::Io`] for the disk;
/// [`DataError::NoDownload`] if this program was built without the feature `download`.
pub fn download(
    remote: &Remote<'_>,
    to: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), DataError> {
    #[cfg(feature = "download")]
    let agent = transfer::agent(remote.url)?;
    if to.exists() && md5_of(to)? == remote.md5 {
        return Ok(());
    }
    #[cfg(feature = "download")]
    return transfer::fetch(agent, remote, to, progress);
    #[cfg(not(feature = "download"))]
    {
        let _: &mut dyn FnMut(Progress<'_>) = progress;
        Err(DataError::NoDownload {
            url: remote.url.to_owned(),
        })
    }
}

/// The MD5 of a file, as 32 hexadecimal digits.
pub(crate) fn md5_of(path: &Path) -> Result<String, DataError> {
    let mut file = files::open(path)?;
    let mut digest = Md5::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let n = file
            .read(&mut buffer)
            .map_err(DataError::io(path, "read"))?;
        if n == 0 {
            break;
        }
        digest.update(&buffer[..n]);
    }
    Ok(hexadecimal(&digest.finalize()))
}

/// The MD5 of bytes, as 32 hexadecimal digits.
pub(crate) fn md5_of_bytes(bytes: &[u8]) -> String {
    hexadecimal(&Md5::digest(bytes))
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
