//! What a single file may look like: its size, its line endings, and a few words that must not stay in it.

use std::path::Path;

/// The longest Rust file, in lines. Past it, a file holds more than one concern.
const RUST_LINES: usize = 400;
/// The longest shader, in lines: it should be read in one go beside its equation.
const SHADER_LINES: usize = 250;
/// The largest file, in bytes. Data sets, weights and images do not belong in the repository.
const BYTES: u64 = 1_000_000;

/// Files that are read as text, by the end of their names.
const TEXT: &[&str] = &[
    ".rs",
    ".wgsl",
    ".toml",
    ".md",
    ".txt",
    ".yml",
    ".sh",
    ".ci/run",
    ".gitignore",
];
/// Recorded outputs are kept as they were written.
const RECORDED: &str = "tests/golden/";

/// Words that must not stay in Rust code, and what to do instead. Split, so that this file passes its own check.
const WORDS: &[(&str, &str)] = &[
    (
        concat!("#[", "ignore"),
        "a test that does not run proves nothing: make it fast, or remove it",
    ),
    (concat!("todo", "!("), "finish it, or return an error"),
    (concat!("unimplemented", "!("), "return an error"),
    (concat!("dbg", "!("), "remove it"),
];

/// The files that may allow themselves unsafe code: wgpu offers shaders without run-time checks in no other way, and the
/// `gemm` crate's only entry point takes raw pointers.
const UNSAFE: [&str; 3] = [
    "benches/gemm.rs",
    "crates/kernels/src/cpu/gemm.rs",
    "crates/kernels/src/pipeline.rs",
];
/// The lint that such a file silences. Split, like the words.
const UNSAFE_LINT: &str = concat!("unsafe", "_code");

/// The crate that opens files for all others: only regular ones, within bounds.
const OPENER: &str = "crates/files/";
/// Calls that open a file whatever it is, so that a pipe waits for ever and a device fills the memory.
const OPENINGS: [&str; 3] = ["fs::read(", "fs::read_to_string(", " File::open("];
/// Files that make such calls, and what for.
const OPENS: &[(&str, &str)] = &[
    (
        "crates/cli/src/commands/bench/processors.rs",
        "the kernel's own files in /proc",
    ),
    (
        "crates/train/src/run/environment.rs",
        "the kernel's own files in /proc",
    ),
    ("crates/train/src/run/lock.rs", "the host's name in /proc"),
];

/// A file of the repository.
#[derive(Debug)]
pub(crate) struct File {
    /// Relative to the root, `/` between the parts.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    /// Empty for a file that is not text.
    pub(crate) text: String,
}

impl File {
    pub(super) fn read(absolute: &Path, path: &str) -> std::io::Result<Self> {
        let bytes = std::fs::metadata(absolute)?.len();
        let is_text = bytes <= BYTES
            && TEXT.iter().any(|end| path.ends_with(end))
            && !path.starts_with(RECORDED);
        let text = if is_text {
            std::fs::read_to_string(absolute)?
        } else {
            String::new()
        };
        Ok(Self {
            path: path.to_owned(),
            bytes,
            text,
        })
    }

    #[cfg(test)]
    pub(super) fn made_up(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            bytes: 1,
            text: text.to_owned(),
        }
    }
}

/// Everything that is wrong with one file.
pub(super) fn check(file: &File) -> Vec<String> {
    let File { path, bytes, text } = file;
    let mut findings = Vec::new();
    if *bytes > BYTES {
        findings.push(format!("{path}: {bytes} bytes; {BYTES} at most"));
    }
    let n_lines = text.lines().count();
    let most = if path.ends_with(".rs") {
        RUST_LINES
    } else {
        SHADER_LINES
    };
    if n_lines > most && (path.ends_with(".rs") || path.ends_with(".wgsl")) {
        findings.push(format!(
            "{path}: {n_lines} lines; {most} at most: split it by concern"
        ));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(format!("{path}: no line ending at the end of the file"));
    }
    for (idx, line) in text.split_terminator('\n').enumerate() {
        if line.ends_with('\r') {
            findings.push(format!("{path}:{}: Windows line ending", idx + 1));
            break;
        }
        if line.ends_with([' ', '\t']) {
            findings.push(format!(
                "{path}:{}: white space at the end of the line",
                idx + 1
            ));
        }
    }
    if path.ends_with(".rs") {
        findings.extend(check_rust(path, text));
        findings.extend(check_openings(path, text));
    }
    findings
}

/// Finds code of the crates, but their unit tests, that opens files on its own.
fn check_openings(path: &str, text: &str) -> Vec<String> {
    let is_excused = OPENS.iter().any(|(known, _)| *known == path);
    if !path.starts_with("crates/") || path.starts_with(OPENER) || is_excused {
        return Vec::new();
    }
    // Unit tests are at the end; a file may hold nothing else.
    let tests = ["#[cfg(test)]\nmod ", "#[test]\n"];
    let begin = tests.iter().filter_map(|begin| text.find(begin)).min();
    let code = &text[..begin.unwrap_or(text.len())];
    let mut findings = Vec::new();
    for (idx, line) in code.lines().enumerate() {
        if OPENINGS.iter().any(|opening| line.contains(opening)) {
            findings.push(format!(
                "{path}:{}: opens a file that may be a pipe or a device: use `files`",
                idx + 1
            ));
        }
    }
    findings
}

fn check_rust(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    if !text.starts_with("//!") {
        findings.push(format!(
            "{path}: does not start with `//!` and what the file is for"
        ));
    }
    if text.contains(UNSAFE_LINT) && !UNSAFE.contains(&path) {
        findings.push(format!(
            "{path}: silences `{UNSAFE_LINT}`; only {} may",
            UNSAFE.join(" and ")
        ));
    }
    for (idx, line) in text.lines().enumerate() {
        let is_comment = line.trim_start().starts_with("//");
        for (word, advice) in WORDS
            .iter()
            .filter(|(word, _)| !is_comment && line.contains(word))
        {
            findings.push(format!("{path}:{}: `{word}`: {advice}", idx + 1));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&File::made_up(path, text))
    }

    #[test]
    fn a_plain_file_passes() {
        assert_eq!(
            findings("xtask/src/main.rs", "//! Tasks.\n\nfn main() {}\n"),
            Vec::<String>::new()
        );
        assert_eq!(findings("logo.png", ""), Vec::<String>::new());
    }

    #[test]
    fn long_files_are_caught() {
        let rust = format!("//! Long.\n{}", "\n".repeat(RUST_LINES));
        assert_eq!(
            findings("a.rs", &rust),
            ["a.rs: 401 lines; 400 at most: split it by concern"]
        );
        assert_eq!(
            findings("a.rs", rust.trim_end_matches('\n')).len(),
            1,
            "no line ending"
        );
        let shader = "\n".repeat(SHADER_LINES + 1);
        assert_eq!(findings("a.wgsl", &shader).len(), 1, "shader");
        assert_eq!(findings("a.md", &shader), Vec::<String>::new());
    }

    #[test]
    fn large_files_are_caught() {
        let file = File {
            path: "model.safetensors".to_owned(),
            bytes: 1_000_001,
            text: String::new(),
        };
        assert_eq!(
            check(&file),
            ["model.safetensors: 1000001 bytes; 1000000 at most"]
        );
    }

    #[test]
    fn line_endings_are_caught() {
        assert_eq!(
            findings("a.toml", "a = 1\r\nb = 2\r\n"),
            ["a.toml:1: Windows line ending"]
        );
        assert_eq!(
            findings("a.toml", "a = 1 \n"),
            ["a.toml:1: white space at the end of the line"]
        );
        assert_eq!(
            findings("a.toml", "a = 1"),
            ["a.toml: no line ending at the end of the file"]
        );
    }

    #[test]
    fn words_that_must_not_stay_are_caught() {
        for (word, _) in WORDS {
            let text = format!("//! A file.\n// A comment may say {word}.\n    {word}\n");
            let found = findings("a.rs", &text);
            assert!(
                found.len() == 1 && found[0].starts_with("a.rs:3:"),
                "{word}: {found:?}"
            );
        }
    }

    #[test]
    fn unsafe_stays_where_it_is() {
        let text =
            format!("//! A file.\n#[expect({UNSAFE_LINT}, reason = \"fast\")]\nfn f() {{}}\n");
        for path in UNSAFE {
            assert_eq!(findings(path, &text), Vec::<String>::new());
        }
        assert_eq!(findings("crates/kernels/src/lib.rs", &text).len(), 1);
    }

    #[test]
    fn files_are_opened_by_one_crate() {
        let text = "//! A file.\nfn f() {\n    let file = File::open(path)?;\n}\n\n#[cfg(test)]\nmod tests {\n    fs::read(path);\n}\n";
        let found = findings("crates/data/src/a.rs", text);
        assert!(
            found.len() == 1 && found[0].starts_with("crates/data/src/a.rs:3:"),
            "{found:?}"
        );
        for path in ["crates/files/src/read.rs", "xtask/src/a.rs", OPENS[0].0] {
            assert_eq!(findings(path, text), Vec::<String>::new(), "{path}");
        }
    }

    #[test]
    fn a_file_says_what_it_is_for() {
        assert!(findings("a.rs", "fn main() {}\n")[0].contains("//!"));
    }
}
