//! Names of files and folders: which are passed over, how they are ordered, how they are shown.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::path::Path;

use walkdir::DirEntry;

pub(super) use files::printable;

pub(super) const EXTENSIONS: [&str; 12] = [
    "jpg", "jpeg", "jpe", "jfif", "jif", "png", "apng", "webp", "bmp", "gif", "tif", "tiff",
];

/// Names that systems, editors and archives leave among other people's files, in lower case. They are no classes, and
/// nothing in them is anybody's image; names with a leading dot (`.DS_Store`, `AppleDouble`'s `._name.jpg`, `.git`, `.idea`,
/// `.vscode`, `.ipynb_checkpoints`, `.thumbnails`, `.Trashes`) are passed over as everywhere.
const IGNORED: [(&str, &str); 12] = [
    ("__macosx", "macOS's second half of a zip archive"),
    ("@eadir", "thumbnails of a Synology NAS"),
    ("#recycle", "the recycle bin of a Synology NAS"),
    ("@recycle", "the recycle bin of a QNAP NAS"),
    ("$recycle.bin", "Windows's recycle bin"),
    ("system volume information", "Windows's, on each drive"),
    ("lost+found", "what a check of an ext file system found"),
    ("thumbs.db", "thumbnails of Windows"),
    ("ehthumbs.db", "thumbnails of Windows's media centre"),
    ("desktop.ini", "how Windows shows a folder"),
    ("__pycache__", "compiled Python"),
    ("node_modules", "packages of JavaScript"),
];

/// Whether a file or folder is passed over without a word.
pub(crate) fn is_ignored(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    let is = |(ignored, _): &(&str, &str)| bytes.eq_ignore_ascii_case(ignored.as_bytes());
    bytes.starts_with(b".") || IGNORED.iter().any(is)
}

/// What a file that is left out is counted by: its ending in lower case with the dot, or what it is instead.
pub(crate) fn ending(entry: &DirEntry) -> String {
    if !entry.file_type().is_file() {
        return "no regular file".to_owned();
    }
    match entry.path().extension() {
        Some(ending) => format!(".{}", printable(ending).to_lowercase()),
        None => "without ending".to_owned(),
    }
}

pub(crate) fn is_image(path: &Path) -> bool {
    let extension = path
        .extension()
        .and_then(OsStr::to_str)
        .map(str::to_ascii_lowercase);
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

/// Orders names with runs of digits by their numbers, and otherwise byte by byte.
pub(crate) fn natural(a: &OsStr, b: &OsStr) -> Ordering {
    let (mut left, mut right) = (a.as_encoded_bytes(), b.as_encoded_bytes());
    while let (Some(l), Some(r)) = (left.first(), right.first()) {
        let order = if l.is_ascii_digit() && r.is_ascii_digit() {
            let (l, r) = (digits(&mut left), digits(&mut right));
            l.len().cmp(&r.len()).then_with(|| l.cmp(r))
        } else {
            (left, right) = (&left[1..], &right[1..]);
            l.cmp(r)
        };
        if order.is_ne() {
            return order;
        }
    }
    // Names that differ in leading zeros only still need an order.
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// Takes a run of digits off, and gives it without leading zeros.
fn digits<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (run, rest) = text.split_at(end);
    *text = rest;
    &run[run.iter().position(|digit| *digit != b'0').unwrap_or(end)..]
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    #[test]
    fn natural_order_counts_digits_as_numbers() {
        let mut names = ["b", "a10", "a2", "a02", "a", "10", "9", "a2b", "A", ""];
        names.sort_by(|a, b| super::natural(OsStr::new(a), OsStr::new(b)));
        assert_eq!(
            names,
            ["", "9", "10", "A", "a", "a02", "a2", "a2b", "a10", "b"]
        );
    }
}
