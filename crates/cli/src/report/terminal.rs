//! The only way to standard output and standard error, and names on it. What comes from files - their names, classes,
//! tensors, settings - may hold control characters, which would move a terminal's cursor or lie about what is on it:
//! nothing but line ends passes.

use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// Writes to standard error. There is nowhere to tell that this failed.
pub(crate) fn to_stderr(text: &str) {
    drop(std::io::stderr().lock().write_all(escaped(text).as_bytes()));
}

/// Writes to standard output; a closed pipe is not a failure.
pub(crate) fn to_stdout(text: &str) -> Result<()> {
    to_stdout_as_is(&escaped(text))
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
