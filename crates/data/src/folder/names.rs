//! Names of files and folders: which are passed over, how they are ordered, how they are shown.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::path::Path;

const EXTENSIONS: [&str; 13] = [
    "jpg", "jpeg", "jpe", "jfif", "jif", "png", "apng", "webp", "bmp", "dib", "gif", "tif", "tiff",
];

pub(crate) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

pub(crate) fn is_picture(path: &Path) -> bool {
    let extension = path
        .extension()
        .and_then(OsStr::to_str)
        .map(str::to_ascii_lowercase);
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

/// A name as text, in which bytes that are not UTF-8 are written as `\xff`: no two names become the same.
pub(super) fn printable(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
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
