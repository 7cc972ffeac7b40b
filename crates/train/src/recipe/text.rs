//! What is wrong with a TOML text, in one line: where, which key, what.

use std::path::Path;

use toml::de::{DeTable, Error};

use crate::error::Error as TrainError;

/// A parse error in the text itself.
pub(crate) fn fault(error: &Error, text: &str) -> String {
    match error.span() {
        Some(span) => format!("{}: {}", place(text, span.start), message(error)),
        None => message(error),
    }
}

/// A fault of the text `all`, which is `source` from `path` with the settings that it leaves out: the place is told in
/// `source`, if the key is there.
pub(super) fn error_of_key(error: &Error, all: &str, source: &str, path: &Path) -> TrainError {
    let wrong = |message| TrainError::Format {
        path: path.to_owned(),
        message,
    };
    let keys = error
        .span()
        .map_or_else(Vec::new, |span| keys_at(all, span.start));
    let at = if all == source {
        error.span().map(|span| span.start)
    } else {
        find(source, &keys)
    };
    if let Some((key, known)) = unknown_field(error.message()) {
        let path = files::shown(path);
        let is_whole = keys.last().is_some_and(|last| *last == key);
        return TrainError::UnknownSetting {
            place: match at {
                Some(at) => format!("{path}: {}", place(source, at)),
                None => path,
            },
            key: if is_whole { keys.join(".") } else { key },
            known,
        };
    }
    if all == source {
        return wrong(fault(error, source));
    }
    let message = message(error);
    let dotted = keys.join(".");
    wrong(match (at, dotted.as_str()) {
        (_, "") => message,
        (Some(at), _) => format!("{}: {dotted}: {message}", place(source, at)),
        (None, _) => format!("{dotted}: {message}"),
    })
}

/// What serde says of a field that there is not: its name, and those that there are.
fn unknown_field(message: &str) -> Option<(String, Vec<String>)> {
    let (key, rest) = message.strip_prefix("unknown field `")?.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2);
    Some((key.to_owned(), known.map(str::to_owned).collect()))
}

/// Where the text sets this key, as `line 3, column 1: `, or nothing: a key `b` or `a.b` may also be one within a table.
pub(super) fn place_of_key(text: &str, key: &str) -> String {
    let keys: Vec<_> = key.split('.').map(str::to_owned).collect();
    find(text, &keys).map_or_else(String::new, |at| format!("{}: ", place(text, at)))
}

/// The library's message, which may have several lines, as one line.
fn message(error: &Error) -> String {
    let lines: Vec<_> = error.message().lines().map(str::trim).collect();
    let text = lines.join(", ");
    files::escape(&in_words(&text)).into_owned()
}

/// What serde says of a value, without the names of Rust's types.
fn in_words(text: &str) -> String {
    if let Some((value, expected)) = text
        .strip_prefix("invalid type: ")
        .or_else(|| text.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "))
    {
        let expected = match expected {
            "u64" | "u32" | "usize" => "a whole number of 0 or more",
            "i64" | "i32" | "isize" => "a whole number",
            "f64" | "f32" => "a number",
            "a boolean" => "true or false",
            other => other,
        };
        return format!("expected {expected}, got {value}");
    }
    let unknown = text.strip_prefix("unknown variant `");
    if let Some((value, rest)) = unknown.and_then(|rest| rest.split_once("`, ")) {
        return format!("{}, got {value}", rest.replace('`', ""));
    }
    text.to_owned()
}

/// Line and column, in letters, from 1.
fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    format!("line {line}, column {column}")
}

/// The keys that lead to a place in a text that `toml` has written: its last header's, and that of its line.
fn keys_at(text: &str, at: usize) -> Vec<String> {
    let end = text[at.min(text.len())..]
        .find('\n')
        .map_or(text.len(), |end| at + end);
    let mut keys = Vec::new();
    let mut last = "";
    for line in text[..end].lines() {
        if let Some(header) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            // A table, or one of an array of them.
            let header = header.trim_matches(['[', ']']);
            keys = header.split('.').map(str::to_owned).collect();
        }
        last = line;
    }
    if let (false, Some((key, _))) = (last.starts_with('['), last.split_once(" = ")) {
        keys.push(key.trim_matches('"').to_owned());
    }
    keys
}

/// The place of a key, from the outermost table on or within one of its tables; of a part of the way, if there is no more.
fn find(text: &str, keys: &[String]) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let table = table.get_ref();
    let tables = table
        .values()
        .filter_map(|value| value.get_ref().as_table());
    std::iter::once(table)
        .chain(tables)
        .find_map(|table| find_in(table, keys))
}

fn find_in(table: &DeTable<'_>, keys: &[String]) -> Option<usize> {
    let (first, rest) = keys.split_first()?;
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == first)?;
    let deeper = value.get_ref().as_table();
    let deeper = deeper.and_then(|table| find_in(table, rest));
    Some(deeper.unwrap_or(key.span().start))
}
