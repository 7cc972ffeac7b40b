//! How long work tells its caller how far it is. This crate prints nothing.

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Bytes of a file arrive.
    Download,
    /// Bytes of an archive are written to files.
    Unpack,
    /// Pictures of a folder are decoded.
    Decode,
}

/// A report, at most every 64 KiB or every picture.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// What is being done.
    pub stage: Stage,
    /// To which file or folder.
    pub what: &'a str,
    /// Bytes or pictures that are done.
    pub done: u64,
    /// Bytes or pictures in all, when that is known.
    pub total: Option<u64>,
}
