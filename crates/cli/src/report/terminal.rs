//! The only way to standard output and standard error, and names on it. What comes from files - their names, classes,
//! tensors, settings - may hold control characters, which would move a terminal's cursor or lie about what is on it:
//! nothing but line ends passes.

use std::io::{ErrorKind, IsTerminal, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};
use ratatui::crossterm::terminal::size;
use ratatui::text::Span;
use serde_json::{Value, json};

/// How commands begin that are there to be copied: they stay in one piece.
const COMMAND: &str = "  alexnet ";

/// Whether the user has asked for errors alone, and for the result as JSON.
static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// Leaves out what [`to_stdout`] is asked to write from now on.
pub(crate) fn be_quiet() {
    IS_QUIET.store(true, Ordering::Relaxed);
}

/// Writes to standard error, on a terminal in lines that fit. There is nowhere to tell that this failed.
pub(crate) fn to_stderr(text: &str) {
    let stream = std::io::stderr();
    let text = fitting(&escaped(text), &stream);
    drop(stream.lock().write_all(text.as_bytes()));
}

/// Writes to standard output, on a terminal in lines that fit; a closed pipe is not a failure.
pub(crate) fn to_stdout(text: &str) -> Result<()> {
    if IS_QUIET.load(Ordering::Relaxed) {
        return Ok(());
    }
    to_stdout_as_is(&fitting(&escaped(text), &std::io::stdout()))
}

/// The columns of the terminal, if the stream is one.
pub(crate) fn columns(stream: &impl IsTerminal) -> Option<usize> {
    let (columns, _) = stream.is_terminal().then(size)?.ok()?;
    (columns > 0).then_some(columns.into())
}

fn fitting(text: &str, stream: &impl IsTerminal) -> String {
    columns(stream).map_or_else(|| text.to_owned(), |columns| folded(text, columns))
}

/// Lines that are longer than a terminal is wide, broken at spaces; what follows is set in by two.
fn folded(text: &str, columns: usize) -> String {
    let lines = text.split('\n').map(|line| {
        let is_short = Span::raw(line).width() <= columns;
        if is_short || line.starts_with(COMMAND) {
            line.to_owned()
        } else {
            broken(line, columns)
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A line over several. A word that is longer than the terminal is left to it.
fn broken(line: &str, columns: usize) -> String {
    let indent = line.len() - line.trim_start_matches(' ').len() + 2;
    let mut lines = Vec::new();
    let mut last = String::new();
    for word in line.split_inclusive(' ') {
        let width = Span::raw(last.as_str()).width() + Span::raw(word.trim_end()).width();
        if width > columns && !last.trim().is_empty() {
            lines.push(last.trim_end().to_owned());
            last = " ".repeat(indent);
        }
        last.push_str(word);
    }
    lines.push(last);
    lines.join("\n")
}

/// As [`to_stdout`], for texts of our own that a program reads: every character as it is.
pub(crate) fn to_stdout_as_is(text: &str) -> Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// What clap has to say: help, or what is wrong with the arguments, among which may be the names of others' files.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    if error.use_stderr() {
        to_stderr(&text);
    } else if to_stdout(&text).is_err() {
        return ExitCode::FAILURE;
    }
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// A path within a line.
pub(crate) fn shown(path: &Path) -> String {
    files::shown(path)
}

/// Puts a path into a JSON object. A name that is not UTF-8 is text with `\xff` for such bytes under `key`, which is not
/// unique, and under `KEY_bytes` its bytes in hexadecimal, which is (on Windows, those of its WTF-8).
pub(super) fn in_json(object: &mut Value, key: &str, path: &Path) {
    let path = files::native(path);
    if let Some(text) = path.to_str() {
        object[key] = json!(text);
        return;
    }
    object[key] = json!(files::printable(path.as_os_str()));
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let digits: String = bytes.map(|byte| format!("{byte:02x}")).collect();
    object[format!("{key}_bytes")] = json!(digits);
}

pub(super) fn print_json(value: &Value) -> Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    to_stdout_as_is(&format!("{}\n", json_escaped(&text)))
}

/// Every line with its control characters as escapes.
fn escaped(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(files::escape).collect();
    lines.join("\n")
}

/// JSON leaves some characters as they are that a terminal does not: DEL, C1 controls, those that turn the direction of
/// writing. They can only be within strings.
fn json_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n'
            || matches!(
                files::escape(c.encode_utf8(&mut [0; 4])),
                std::borrow::Cow::Borrowed(_)
            )
        {
            escaped.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_json_and_shows_no_control_character() {
        let value = json!({ "name": "a\u{7f}\u{9b}\u{202e}\u{1b}\n\u{1f600}" });
        let text = json_escaped(&value.to_string());
        assert_eq!(text, r#"{"name":"a\u007f\u009b\u202e\u001b\n😀"}"#);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn long_lines_are_broken_at_spaces_and_commands_stay_whole() {
        let text =
            "12345 789 abc\n  a 34567 b\n\n  alexnet train --resume runs/x\nabcdefghijklm n\n";
        let expected = "12345 789\n  abc\n  a 34567\n    b\n\n  alexnet train --resume runs/x\nabcdefghijklm\n  n\n";
        assert_eq!(folded(text, 10), expected);
        assert_eq!(
            folded("\u{4e00}\u{4e01} a\n", 5),
            "\u{4e00}\u{4e01}\n  a\n",
            "wide letters"
        );
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_utf8_can_be_had_back_from_json() {
        use std::os::unix::ffi::OsStrExt as _;
        let mut object = json!({});
        in_json(&mut object, "a", Path::new("caf\u{e9}\\xff"));
        let name = std::ffi::OsStr::from_bytes(b"x\xff\\xfe");
        in_json(&mut object, "b", Path::new(name));
        assert_eq!(
            object,
            json!({ "a": "caf\u{e9}\\xff", "b": "x\\xff\\xfe", "b_bytes": "78ff5c786665" })
        );
    }
}
