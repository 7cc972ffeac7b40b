//! Names, paths and texts from files, fit to be shown.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::{MAIN_SEPARATOR, Path};

/// A path as [`printable`] text, in the platform's way: see [`native`].
#[must_use]
pub fn shown(path: &Path) -> String {
    printable(native(path).as_os_str())
}

/// A path in the platform's way: where `\` separates names, as on Windows, `/` becomes that, which means the same there.
/// What people write with `/` and what we put behind it are of one kind then.
#[must_use]
pub fn native(path: &Path) -> Cow<'_, Path> {
    let separated = path.to_str().map(|text| separated(text, MAIN_SEPARATOR));
    match separated {
        Some(Cow::Owned(text)) => Cow::Owned(text.into()),
        _ => Cow::Borrowed(path),
    }
}

/// A relative path as [`printable`] text with `/` on every platform, for files that go from one to another.
#[must_use]
pub fn portable(path: &Path) -> String {
    let text = printable(path.as_os_str());
    if MAIN_SEPARATOR == '/' {
        return text;
    }
    text.replace(MAIN_SEPARATOR, "/")
}

/// `path` with this separator. Where `/` separates, `\` is a letter like others.
fn separated(path: &str, separator: char) -> Cow<'_, str> {
    if separator == '/' || !path.contains('/') {
        return Cow::Borrowed(path);
    }
    Cow::Owned(path.replace('/', separator.encode_utf8(&mut [0; 4])))
}

/// A name as text without control characters, in which bytes that are not UTF-8 are written as `\xff`: no two names
/// become the same, and none moves a terminal's cursor.
#[must_use]
pub fn printable(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(&escape(chunk.valid()));
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// A word of a command as a shell takes it, for commands that are shown to be copied: in quotes where it needs them.
///
/// ```
/// # if cfg!(unix) {
/// assert_eq!(files::pasted("runs/a-1"), "runs/a-1");
/// assert_eq!(files::pasted("my run's"), r"'my run'\''s'");
/// # }
/// ```
#[must_use]
pub fn pasted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=,:@%".contains(c);
    if !word.is_empty()
        && word
            .chars()
            .all(|c| is_plain(c) || cfg!(windows) && c == '\\')
    {
        return word.to_owned();
    }
    if cfg!(windows) {
        return format!("\"{word}\"");
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A text with its control characters, and those that turn the direction of writing, as escapes such as `\u{1b}`.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unprintable(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Control characters (Unicode's category Cc), and the format characters that hide or reorder what follows (CVE-2021-42574).
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_is_left() {
        assert_eq!(escape("caf\u{e9} \u{4e2d}"), "caf\u{e9} \u{4e2d}");
        assert_eq!(escape("\u{1b}[2Jred\r\n"), "\\u{1b}[2Jred\\r\\n");
        assert_eq!(escape("a\u{202e}b\u{9b}"), "a\\u{202e}b\\u{9b}");
    }

    #[test]
    fn paths_are_shown_with_one_separator() {
        let mixed = r"C:\runs\a/plots/b c.svg";
        assert_eq!(separated(mixed, '\\'), r"C:\runs\a\plots\b c.svg");
        assert_eq!(separated(mixed, '/'), mixed, "a backslash is a letter");
        assert_eq!(separated("runs/a", '/'), "runs/a");
        let joined = Path::new("runs/a").join("plots");
        let expected = ["runs", "a", "plots"].join(std::path::MAIN_SEPARATOR_STR);
        assert_eq!(shown(&joined), expected);
        assert_eq!(portable(&joined), "runs/a/plots");
        assert!(!shown(Path::new("a\u{1b}[2J/b")).contains('\u{1b}'));
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_utf8_stay_apart() {
        use std::os::unix::ffi::OsStrExt as _;
        let name = |bytes: &'static [u8]| printable(OsStr::from_bytes(bytes));
        assert_eq!(name(b"a\xff\x1b"), "a\\xff\\u{1b}");
        assert_ne!(name(b"a\xff"), name(b"a\xfe"));
    }
}
