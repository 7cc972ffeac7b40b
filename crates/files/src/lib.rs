//! Files that other people bring and that we leave behind: only regular ones are opened, text is read within bounds,
//! what is written replaces a file as a whole, and no name reaches a terminal with its control characters.
//!
//! Not here: what is in a file.

mod digest;
mod error;
mod lines;
mod names;
mod read;
mod replace;
mod size;
mod windows;

pub use digest::sha256;
pub use error::{Error, Result};
pub use lines::{Lines, lines};
pub use names::{escape, native, pasted, portable, printable, shown};
pub use read::{MOST_TEXT_BYTES, open, read, read_text};
pub use replace::{create_folder, replace, replace_if};
pub use size::folder_bytes;
pub use windows::{remove_folder, rename};

/// The example in README.md, which is tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
