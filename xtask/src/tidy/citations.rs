//! Whether what is cited is there: documents named in sources, docs and comments, and the files that Markdown links to. A reader
//! of the repository has nothing else.

use std::collections::BTreeSet;

use super::files::File;

/// Names of documents that are kept elsewhere, if at all. Split, so that this file passes its own check.
const ELSEWHERE: [&str; 2] = [concat!("FAC", "TS"), concat!("../sha", "red")];

/// Finds citations of what is not among `files`.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let names: BTreeSet<&str> = paths.iter().map(|path| last_part(path)).collect();
    let mut findings = Vec::new();
    for File { path, text, .. } in files {
        for (idx, line) in text.lines().enumerate() {
            let mut cited = documents(line);
            cited.retain(|name| !names.contains(name));
            cited.extend(ELSEWHERE.iter().filter(|name| has_word(line, name)));
            if path.ends_with(".md") {
                cited.extend(links(line).filter(|link| !is_there(&paths, path, link)));
            }
            findings.extend(cited.iter().map(|name| {
                let line = idx + 1;
                format!("{path}:{line}: cites {name}, which is not in the repository")
            }));
        }
    }
    findings
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The documents that a line names, such as `README.md`: capitals before the extension.
fn documents(line: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let words = line.split(|c| !is_part(c));
    let is_document = |word: &&str| {
        word.strip_suffix(".md").is_some_and(|stem| {
            !stem.is_empty() && stem.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        })
    };
    // A sentence may end behind it.
    words
        .map(|word| word.trim_end_matches('.'))
        .filter(is_document)
        .collect()
}

/// Whether a line has `word` with neither a letter, a digit nor an underscore beside it.
fn has_word(line: &str, word: &str) -> bool {
    let is_inner = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_inner) && !after.is_some_and(is_inner)
    })
}

/// The places that a line of Markdown links to, but those on the web, in the same file and in Rust's names.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split(')').next());
    targets.filter(|link| !link.contains(':') && !link.starts_with('#') && !link.is_empty())
}

/// Whether a link from the file `from` leads to a file or to a folder with files.
fn is_there(paths: &BTreeSet<&str>, from: &str, link: &str) -> bool {
    let Some(target) = resolve(from, link) else {
        return false;
    };
    let folder = format!("{target}/");
    let has_files = || paths.iter().any(|path| path.starts_with(&folder));
    target.is_empty() || paths.contains(target.as_str()) || has_files()
}

/// The path that a link from the file `from` means, without its `#section`; none outside the repository.
fn resolve(from: &str, link: &str) -> Option<String> {
    let link = link.split('#').next()?;
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        let others = ["README.md", "docs/images.md", "examples/a.rs"];
        let others = others.map(|path| File::made_up(path, ""));
        let mut files = Vec::from(others);
        files.push(File::made_up(path, text));
        check(&files)
    }

    #[test]
    fn documents_that_are_here_may_be_cited() {
        let text =
            "// See README.md. Facts are no FACTSHEET, a.md is no document, ../shares no folder.\n";
        assert_eq!(findings("a.rs", text), Vec::<String>::new());
    }

    #[test]
    fn documents_that_are_elsewhere_are_caught() {
        for name in [concat!("DESIGN.", "md"), ELSEWHERE[0], ELSEWHERE[1]] {
            let found = findings("a.wgsl", &format!("\n// As measured ({name}, lavapipe).\n"));
            let expected = format!("a.wgsl:2: cites {name}, which is not in the repository");
            assert_eq!(found, [expected]);
        }
    }

    #[test]
    fn links_lead_somewhere() {
        let good = "[a](../README.md) [b](images.md#formats) [c](../examples) [d](https://x.org/y) [e](#f)\n";
        assert_eq!(findings("docs/b.md", good), Vec::<String>::new());
        let bad = "[a](images.md) [b](../../README.md)\n";
        assert_eq!(findings("b.md", bad).len(), 2);
    }
}
