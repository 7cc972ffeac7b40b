//! What `learn` and `kernels` print.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use report::{Lesson, LessonCode, LessonTrials};
use serde_json::{Value, json};
use verify::learn::{Topic, Variant};

use super::picture::in_letters;
use super::{page, print_json, to_stdout, to_stdout_as_is};
use crate::args::OutputArgs;

/// Letters of what a kernel is for.
const MOST_ABOUT: usize = 42;

/// A kernel in the list.
pub(crate) struct KernelLine {
    pub(crate) entry: &'static str,
    pub(crate) stem: &'static str,
    pub(crate) variants: usize,
    pub(crate) has_twin: bool,
    /// What it does, in a few words.
    pub(crate) about: String,
}

/// The kernels there are.
pub(crate) fn kernels(lines: &[KernelLine], output: OutputArgs) -> Result<()> {
    if output.json {
        let lines = lines.iter().map(|line| {
            json!({
                "kernel": line.entry,
                "operator": line.stem,
                "variants": line.variants,
                "twin": line.has_twin,
                "about": line.about,
            })
        });
        return print_json(&Value::Array(lines.collect()));
    }
    let mut text = String::new();
    writeln!(
        text,
        "{:<26} {:>8}  what its file is for",
        "kernel", "variants"
    )?;
    let mut last = "";
    for line in lines {
        let about = if line.stem == last {
            ""
        } else {
            line.about.as_str()
        };
        last = line.stem;
        let about = words(about);
        let row = format!("{:<26} {:>8}  {about}", line.entry, line.variants);
        writeln!(text, "{}", row.trim_end())?;
    }
    writeln!(
        text,
        "`alexnet kernels NAME` prints one as this machine's card gets it"
    )?;
    to_stdout(&text)
}

/// As many words as fit a line, however narrow the terminal is.
fn words(text: &str) -> String {
    if text.chars().count() <= MOST_ABOUT {
        return text.to_owned();
    }
    let head: String = text.chars().take(MOST_ABOUT).collect();
    let end = head.rfind(' ').unwrap_or(head.len());
    format!("{}\u{2026}", head[..end].trim_end_matches(','))
}

/// The variants of a kernel; a star marks the one that is launched.
pub(crate) fn variants(
    own: &[Variant],
    launched: Option<&Variant>,
    who: &str,
    output: OutputArgs,
) -> Result<()> {
    if output.json {
        let all = own.iter().map(|variant| {
            json!({ "variant": variant.to_string(), "launched": Some(variant) == launched })
        });
        return print_json(&Value::Array(all.collect()));
    }
    let mut text = String::new();
    for variant in own {
        let mark = if Some(variant) == launched { '*' } else { ' ' };
        writeln!(text, "{mark} {variant}")?;
    }
    if launched.is_some() {
        writeln!(text, "* what {who} at AlexNet's shapes")?;
    }
    to_stdout(&text)
}

/// A source as it is, below a comment on what it is.
pub(crate) fn source(what: &str, text: &str, output: OutputArgs) -> Result<()> {
    if output.json {
        return print_json(&json!({ "kernel": what, "source": text }));
    }
    if output.quiet {
        return Ok(());
    }
    to_stdout_as_is(&format!("// {what}\n{}\n", text.trim_end()))
}

/// The operators that can be learnt.
pub(crate) fn topics(topics: &[Topic], output: OutputArgs) -> Result<()> {
    if output.json {
        let topics = topics.iter().map(|topic| {
            json!({
                "name": topic.name,
                "title": topic.title,
                "section": topic.section,
                "ablation": topic.ablation().is_some(),
            })
        });
        return print_json(&Value::Array(topics.collect()));
    }
    let mut text = String::new();
    for topic in topics {
        writeln!(
            text,
            "{:<14} {:<12} {}",
            topic.name, topic.section, topic.title
        )?;
    }
    writeln!(
        text,
        "`alexnet learn NAME` shows one; `--html FILE` writes it as a page, `--image FILE` takes your picture, `--ablate` trains \
         without it"
    )?;
    to_stdout(&text)
}

/// Where a page was written.
pub(crate) fn lesson_page(path: &Path, output: OutputArgs) -> Result<()> {
    page(path, output)
}

/// The page, on the terminal.
pub(crate) fn lesson(lesson: &Lesson, output: OutputArgs) -> Result<()> {
    if output.json {
        return print_json(&as_json(lesson));
    }
    if output.quiet {
        return Ok(());
    }
    let mut text = format!("{}\n\n{}\n\n", lesson.title, lesson.about);
    writeln!(text, "Equation ({})", lesson.source)?;
    text.push_str(&indented(&lesson.equation));
    writeln!(text, "\nBefore and after\n  {}\n", lesson.shown)?;
    to_stdout(&text)?;
    to_stdout_as_is(&in_letters(&lesson.pictures))?;
    let mut text = String::new();
    for code in &lesson.codes {
        part(&mut text, code)?;
    }
    writeln!(text, "Without it\n  {}\n", lesson.without)?;
    if let Some(trials) = &lesson.trials {
        table(&mut text, trials)?;
    }
    writeln!(text, "Go on")?;
    for command in &lesson.commands {
        writeln!(text, "  {command}")?;
    }
    to_stdout(&text)
}

/// A source, or its beginning.
fn part(text: &mut String, code: &LessonCode) -> Result<()> {
    writeln!(text, "{}\n  {}", code.title, code.note)?;
    let lines = code.text.lines().count();
    let shown = code.head.unwrap_or(lines).min(lines);
    let head: Vec<_> = code.text.lines().take(shown).collect();
    if shown > 0 {
        writeln!(text, "\n{}", indented(&head.join("\n")).trim_end())?;
    }
    if let (Some(command), true) = (&code.command, shown < lines) {
        writeln!(text, "  \u{2026} {} more lines: {command}", lines - shown)?;
    }
    writeln!(text)?;
    Ok(())
}

fn table(text: &mut String, trials: &LessonTrials) -> Result<()> {
    let rows = std::iter::once(&trials.columns).chain(&trials.rows);
    let letters = |cell: &String| cell.chars().count();
    let width = |at: usize| {
        rows.clone()
            .filter_map(|row| row.get(at).map(letters))
            .max()
    };
    for row in rows.clone() {
        let cells = row.iter().enumerate().map(|(at, cell)| {
            let width = width(at).unwrap_or(0);
            if at == 0 {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            }
        });
        writeln!(text, "  {}", cells.collect::<Vec<_>>().join("  "))?;
    }
    writeln!(text, "  {}\n", trials.note)?;
    Ok(())
}

fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| {
        if line.is_empty() {
            "\n".to_owned()
        } else {
            format!("  {line}\n")
        }
    });
    lines.collect()
}

fn as_json(lesson: &Lesson) -> Value {
    let pictures = lesson.pictures.iter();
    let pictures = pictures.map(|it| json!({ "caption": it.caption, "size": it.size }));
    let trials = lesson.trials.as_ref();
    json!({
        "title": lesson.title,
        "about": lesson.about,
        "equation": lesson.equation,
        "source": lesson.source,
        "shown": lesson.shown,
        "pictures": pictures.collect::<Vec<_>>(),
        "sources": lesson.codes,
        "without": lesson.without,
        "trials": trials.map(|trials| json!({ "columns": trials.columns, "rows": trials.rows })),
    })
}
