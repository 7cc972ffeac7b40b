//! The rows of a list: separators, quotes, and whether the first one names the columns.

use std::fs::File;
use std::io::{Read, Take};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, Reader, ReaderBuilder, Trim};

use crate::error::DataError;
use crate::folder::names::is_image;

use super::find::{Finder, Found};

/// Longer lists are refused: ImageNet's has 1.3 million rows in 60 MB.
const MOST_BYTES: u64 = 256 << 20;
/// Longer rows are no rows.
const MOST_ROW_BYTES: usize = 64 << 10;
/// Bytes that the separator is looked for in.
const LOOKED_AT: u64 = 4096;
/// Columns of files, in lower case without underscores.
const FILES: [&str; 13] = [
    "image",
    "images",
    "file",
    "filename",
    "filepath",
    "path",
    "id",
    "imageid",
    "img",
    "imagename",
    "imagepath",
    "imageidx",
    "name",
];
/// Columns of labels.
const LABELS: [&str; 9] = [
    "label",
    "labels",
    "class",
    "classid",
    "classname",
    "category",
    "target",
    "breed",
    "species",
];

/// One image and its class.
pub(super) struct Row {
    /// The number of the line, from 1.
    pub(super) line: u64,
    pub(super) file: String,
    pub(super) label: String,
}

/// The rows of a list, in order.
pub(super) struct Rows {
    path: PathBuf,
    reader: Reader<Take<File>>,
    is_spaced: bool,
    file: usize,
    label: usize,
    /// The first row, if it is one of an image.
    first: Option<ByteRecord>,
    /// What is to be said about the first row.
    pub(super) note: Option<String>,
}

/// How the columns of a list are kept apart.
struct Form {
    separator: u8,
    /// By white space, the last of which counts: paths have spaces.
    is_spaced: bool,
}

impl Form {
    fn of(path: &Path) -> Result<Self, DataError> {
        let mut start = Vec::new();
        files::open(path)?
            .take(LOOKED_AT)
            .read_to_end(&mut start)
            .map_err(DataError::io(path, "read"))?;
        let line = start
            .split(|byte| *byte == b'\n')
            .find(|line| !line.trim_ascii().is_empty());
        let line = line.unwrap_or_default();
        let has = |separator: &u8| line.contains(separator);
        let separator = [b'\t', b',', b';'].into_iter().find(has);
        Ok(Self {
            // Where there is none of them, records are whole lines: no text has this byte.
            separator: separator.unwrap_or(0),
            is_spaced: separator.is_none(),
        })
    }
}

fn reader(path: &Path, form: &Form) -> Result<Reader<Take<File>>, DataError> {
    let file = files::open(path)?;
    let length = file.metadata().map_err(DataError::io(path, "read"))?.len();
    if length > MOST_BYTES {
        let found = format!("{length} bytes");
        return Err(wrong(
            path,
            1,
            &format!("a list of at most {MOST_BYTES} bytes"),
            &found,
        ));
    }
    Ok(ReaderBuilder::new()
        .delimiter(form.separator)
        .quoting(!form.is_spaced)
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(file.take(MOST_BYTES)))
}

/// A line of a list that makes no sense.
pub(super) fn wrong(path: &Path, line: u64, expected: &str, found: &str) -> DataError {
    DataError::Line {
        path: path.to_owned(),
        line,
        expected: files::escape(expected).into_owned(),
        found: files::escape(found).into_owned(),
    }
}

/// A name of a column as it is compared.
fn folded(field: &[u8]) -> String {
    let name = String::from_utf8_lossy(field).to_lowercase();
    name.trim_start_matches('\u{feff}')
        .replace(['_', ' ', '-'], "")
}

fn column(record: &ByteRecord, names: &[&str]) -> Option<usize> {
    record
        .iter()
        .position(|field| names.contains(&folded(field).as_str()))
}

/// Whether a list has labels: Kaggle's `test.csv` often has none.
pub(super) fn has_labels(path: &Path) -> Result<bool, DataError> {
    let form = Form::of(path)?;
    let mut record = ByteRecord::new();
    let mut reader = reader(path, &form)?;
    read(path, &mut reader, &mut record)?;
    if form.is_spaced {
        return Ok(record.iter().any(|line| line.contains(&b' ')));
    }
    Ok(record.len() == 2 || column(&record, &LABELS).is_some())
}

/// The next record that is not empty; false at the end.
fn read(
    path: &Path,
    reader: &mut Reader<Take<File>>,
    record: &mut ByteRecord,
) -> Result<bool, DataError> {
    let line = reader.position().line();
    let is_row = reader
        .read_byte_record(record)
        .map_err(|error| wrong(path, line, "a row", &error.to_string()))?;
    if record.as_slice().len() > MOST_ROW_BYTES {
        let expected = format!("a row of at most {MOST_ROW_BYTES} bytes");
        let found = format!("{} (a quote that does not end?)", record.as_slice().len());
        return Err(wrong(path, line_of(record, line), &expected, &found));
    }
    Ok(is_row)
}

fn line_of(record: &ByteRecord, otherwise: u64) -> u64 {
    record.position().map_or(otherwise, csv::Position::line)
}

impl Rows {
    pub(super) fn open(path: &Path, finder: &mut Finder) -> Result<Self, DataError> {
        let form = Form::of(path)?;
        let mut rows = Self {
            path: path.to_owned(),
            reader: reader(path, &form)?,
            is_spaced: form.is_spaced,
            file: 0,
            label: 1,
            first: None,
            note: None,
        };
        let mut first = ByteRecord::new();
        if !read(path, &mut rows.reader, &mut first)? {
            return Err(wrong(path, 1, "a row for each image", "an empty file"));
        }
        if rows.is_spaced {
            rows.first = Some(first);
            return Ok(rows);
        }
        let name = first
            .get(0)
            .map(|field| String::from_utf8_lossy(field).into_owned());
        let name = name.unwrap_or_default();
        let name = name.trim_start_matches('\u{feff}');
        let named = (column(&first, &FILES), column(&first, &LABELS));
        if finder.find(name) != Found::Nothing || (is_image(Path::new(name)) && named.1.is_none()) {
            rows.first = Some(first);
            return Ok(rows);
        }
        match named {
            (Some(file), Some(label)) => (rows.file, rows.label) = (file, label),
            (None, Some(label)) if first.len() == 2 => (rows.file, rows.label) = (1 - label, label),
            (Some(file), None) if first.len() == 2 => (rows.file, rows.label) = (file, 1 - file),
            (None, None) if first.len() == 2 => {
                rows.note = Some(format!(
                    "{}: line 1 ({}) names no file: taken as the names of the columns",
                    super::named_by(path),
                    files::escape(&String::from_utf8_lossy(first.as_slice())),
                ));
            }
            _ => {
                let names: Vec<_> = first.iter().map(String::from_utf8_lossy).collect();
                let expected =
                    "a column `image` (or `file`, `path`, `id`) and a column `label` (or `class`)";
                return Err(wrong(path, 1, expected, &names.join(", ")));
            }
        }
        Ok(rows)
    }

    /// [`wrong`], in this list.
    pub(super) fn wrong(&self, line: u64, expected: &str, found: &str) -> DataError {
        wrong(&self.path, line, expected, found)
    }

    pub(super) fn next(&mut self) -> Result<Option<Row>, DataError> {
        let mut record = ByteRecord::new();
        loop {
            match self.first.take() {
                Some(first) => record = first,
                None if !read(&self.path, &mut self.reader, &mut record)? => return Ok(None),
                None => {}
            }
            if record.iter().any(|field| !field.is_empty()) {
                break;
            }
        }
        let line = line_of(&record, 1);
        let text = |place: usize| -> Result<&str, DataError> {
            let field = record.get(place).unwrap_or_default();
            let text = std::str::from_utf8(field)
                .map_err(|error| self.wrong(line, "UTF-8 text", &error.to_string()))?;
            Ok(text.trim_start_matches('\u{feff}'))
        };
        let (file, label) = if self.is_spaced {
            let text = text(0)?;
            text.rsplit_once([' ', '\t'])
                .map_or((text, ""), |(file, label)| (file.trim_end(), label))
        } else {
            (text(self.file)?, text(self.label)?)
        };
        if file.is_empty() || label.is_empty() {
            let found = format!("`{file}` and `{label}`");
            return Err(self.wrong(line, "a file and its label", &found));
        }
        Ok(Some(Row {
            line,
            file: file.to_owned(),
            label: label.to_owned(),
        }))
    }
}
