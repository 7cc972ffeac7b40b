//! How long work tells its caller how far it is. This crate prints nothing.

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Bytes of a file arrive.
    Download,
    /// Bytes of an archive are written to files.
    Unpack,
    /// Images of a folder are decoded.
    Decode,
    /// Nothing: `what` is a line about files that were found, or not used.
    Note,
}

/// A report, at most every 64 KiB or every image.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// What is being done.
    pub stage: Stage,
    /// To which file or folder.
    pub what: &'a str,
    /// Bytes or images that are done.
    pub done: u64,
    /// Bytes or images in all, when that is known.
    pub total: Option<u64>,
}
