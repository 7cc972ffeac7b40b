//! What is printed about images that were classified.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use data::LeftOut;
use files::escape;
use serde_json::{Value, json};

use super::{in_json, left_out_lines, print_json, shown, to_stderr, to_stdout, to_stdout_as_is};
use crate::args::{OutputArgs, PredictArgs};

/// Letters of the longest bar.
const BAR: f32 = 30.0;

/// A class with its probability.
#[derive(Debug)]
pub(crate) struct Guess {
    pub(crate) class: usize,
    pub(crate) name: String,
    pub(crate) probability: f32,
}

/// How predictions are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Of a single image, a bar for each class.
    Bars,
    /// Of several, a line each.
    Lines,
    Csv,
    Json,
}

/// Predictions, printed as they come or, as JSON, at the end.
#[derive(Debug)]
pub(crate) struct Predictions {
    form: Form,
    all: Vec<Value>,
    failed: Vec<(PathBuf, String)>,
    left_out: LeftOut,
    /// Files of which kinds were written.
    written: Vec<(&'static str, usize)>,
    output: OutputArgs,
}

impl Predictions {
    /// For this many classes of each of `images` images.
    pub(crate) fn new(args: &PredictArgs, left_out: LeftOut, images: usize) -> Self {
        let form = match (args.output.json, args.csv) {
            (true, _) => Form::Json,
            (_, true) => Form::Csv,
            _ if images > 1 => Form::Lines,
            _ => Form::Bars,
        };
        Self {
            form,
            all: Vec::new(),
            failed: Vec::new(),
            left_out,
            written: Vec::new(),
            output: args.output,
        }
    }

    /// The first line of a table with this many classes for each image.
    pub(crate) fn begin(&self, top: usize) -> Result<()> {
        if self.form != Form::Csv {
            return Ok(());
        }
        let columns = match top {
            1 => "class,probability".to_owned(),
            _ => {
                let pairs = (1..=top).map(|n| format!("class{n},probability{n}"));
                pairs.collect::<Vec<_>>().join(",")
            }
        };
        to_stdout_as_is(&format!("image,{columns}\n"))
    }

    /// The classes of an image, most probable first, and the files that were written for it, each with what it is.
    pub(crate) fn add(
        &mut self,
        path: &Path,
        guesses: &[Guess],
        written: &[(&'static str, PathBuf)],
    ) -> Result<()> {
        for &(kind, _) in written {
            match self.written.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, n)) => *n += 1,
                None => self.written.push((kind, 1)),
            }
        }
        match self.form {
            Form::Json => {
                self.all.push(in_words(path, guesses, written));
                Ok(())
            }
            Form::Csv => to_stdout_as_is(&csv_line(path, guesses)),
            Form::Lines => {
                let guesses = guesses
                    .iter()
                    .map(|guess| format!("{} {:.4}", escape(&guess.name), guess.probability));
                let guesses: Vec<_> = guesses.collect();
                to_stdout(&format!("{}: {}\n", shown(path), guesses.join(", ")))
            }
            Form::Bars => bars(path, guesses, written),
        }
    }

    /// An image that can't be read.
    pub(crate) fn fail(&mut self, path: &Path, reason: String) {
        self.failed.push((path.to_owned(), reason));
    }

    /// The end, with what was left out of `of` images.
    pub(crate) fn finish(self, of: usize) -> Result<ExitCode> {
        if self.form == Form::Json {
            let failed = self.failed.iter().map(|(path, reason)| {
                let mut row = json!({});
                in_json(&mut row, "image", path);
                row["reason"] = json!(reason);
                row
            });
            print_json(&json!({
                "images": self.all,
                "failed": failed.collect::<Vec<_>>(),
                "left_out": self.left_out.files,
            }))?;
        }
        if self.form == Form::Lines {
            for (kind, n) in &self.written {
                let kind = kind.replace('_', " ");
                super::working(&format!("{kind}: {n} files"), self.output);
            }
        }
        if self.failed.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        let mut text = String::new();
        for (path, reason) in &self.failed {
            let (path, reason) = (shown(path), escape(reason));
            writeln!(text, "left out {path}: {reason}")?;
        }
        let failed = self.failed.len();
        writeln!(text, "error: {failed} of {of} images can't be read")?;
        to_stderr(&text);
        Ok(ExitCode::FAILURE)
    }
}

/// Files in a folder whose names are not those of images, and maps and copies of an earlier call.
pub(crate) fn passed_over(folder: &Path, left_out: &LeftOut, own: usize, output: OutputArgs) {
    let folder = shown(folder);
    for line in left_out_lines(left_out) {
        super::working(&format!("{folder}: {line}"), output);
    }
    if own > 0 {
        let text = format!("{folder}: {own} files that this command has written are left out");
        super::working(&text, output);
    }
}

fn in_words(path: &Path, guesses: &[Guess], written: &[(&'static str, PathBuf)]) -> Value {
    let classes = guesses.iter().map(|guess| {
        json!({ "class": guess.name, "index": guess.class, "probability": guess.probability })
    });
    let mut row = json!({});
    in_json(&mut row, "image", path);
    row["predictions"] = classes.collect();
    row["occlusion_map"] = Value::Null;
    for (kind, file) in written {
        in_json(&mut row, kind, file);
    }
    row
}

fn csv_line(path: &Path, guesses: &[Guess]) -> String {
    let mut cells = vec![quoted(&shown(path))];
    for guess in guesses {
        cells.push(quoted(&escape(&guess.name)));
        cells.push(format!("{:.6}", guess.probability));
    }
    format!("{}\n", cells.join(","))
}

/// A cell as RFC 4180 has it.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// A bar for each class.
fn bars(path: &Path, guesses: &[Guess], written: &[(&'static str, PathBuf)]) -> Result<()> {
    let mut text = format!("{}\n", shown(path));
    let names: Vec<_> = guesses.iter().map(|guess| escape(&guess.name)).collect();
    let widths = names.iter().map(|name| name.chars().count());
    let width = widths.max().unwrap_or(0);
    for (Guess { probability, .. }, name) in guesses.iter().zip(&names) {
        let line = format!("  {name:<width$} {probability:.4} {}", bar(*probability));
        writeln!(text, "{}", line.trim_end())?;
    }
    for (kind, file) in written {
        writeln!(text, "  {} {}", kind.replace('_', " "), shown(file))?;
    }
    to_stdout(&text)
}

/// A bar of eighths.
fn bar(share: f32) -> String {
    const EIGHTHS: [&str; 8] = [
        "", "\u{258f}", "\u{258e}", "\u{258d}", "\u{258c}", "\u{258b}", "\u{258a}", "\u{2589}",
    ];
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a probability gives at most 240 eighths"
    )]
    let eighths = (share.clamp(0.0, 1.0) * BAR * 8.0).round() as usize;
    "\u{2588}".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}
