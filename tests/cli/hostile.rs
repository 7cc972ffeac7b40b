//! Names and texts of others: no control character of theirs reaches the standard output or standard error, a pipe in place
//! of a file stops nothing, and damaged texts are one line that names the file.

use std::fs;
use std::path::Path;

use super::{alexnet, path_text};

/// A terminal's title, a cleared screen, a new line, a turned direction of writing.
#[cfg(unix)]
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\r\n\u{202e}\u{9b}31m.png";

/// Whether a terminal would show nothing but letters and line ends.
fn is_plain(bytes: &[u8]) -> bool {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let is_hidden = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}');
    !text.contains(is_hidden)
}

#[test]
#[cfg(unix)]
fn no_verb_prints_a_control_character_from_a_name() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join(HOSTILE);
    fs::write(&file, "no file of any kind").unwrap();
    let name = path_text(&file);
    for args in [
        &["train", "--config", name][..],
        &["train", "--from", name, "--device", "cpu"],
        &["train", name],
        &["train", "--resume", name],
        &["train", name, "--bogus\u{1b}[2J"],
        &["train", "--set", "network=\u{1b}[2J"],
        &["evaluate", name],
        &["predict", name, name],
        &["inspect", name],
        &["inspect", name, "--json"],
        &["import", name, "--out", name],
        &["sweep", name],
        &["parity", name],
        &["report", name],
        &["watch", name],
        &["data", "info", name],
    ] {
        let output = alexnet(args);
        assert!(!output.status.success(), "{args:?}");
        for bytes in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(bytes);
            assert!(is_plain(bytes), "{args:?}: {text:?}");
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        let begins = errors.lines().filter(|line| line.starts_with("error: "));
        assert_eq!(begins.count(), 1, "{args:?}: {errors}");
    }
}

#[test]
#[cfg(unix)]
fn a_pipe_in_place_of_a_file_stops_nothing() {
    let root = tempfile::tempdir().unwrap();
    let pipe = root.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success(), "mkfifo");
    let name = path_text(&pipe);
    let out = root.path().join("out");
    for args in [
        &["train", "--config", name][..],
        &["sweep", name],
        &["inspect", name],
        &["evaluate", name, "shapes10", "--device", "cpu"],
        &["import", name, "--quiet", "--out", path_text(&out)],
    ] {
        // Opening it would wait for a writer for ever.
        super::fail(args, &[name, "regular file"]);
    }
}

/// Numbers that look random and are the same in each run (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

/// A version of `bytes` with a flipped bit, a cut end, a byte of noise, or a part twice.
fn damaged(bytes: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(bytes.len());
        match numbers.below(4) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << numbers.below(8),
            1 => bytes.truncate(at),
            2 => bytes.insert(at, u8::try_from(numbers.below(256)).unwrap()),
            _ => {
                let again = bytes[at..(at + numbers.below(32)).min(bytes.len())].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
    bytes
}

/// How many damaged versions of each kind of file are tried.
fn count() -> usize {
    std::env::var("DAMAGED").map_or(40, |text| text.parse().unwrap())
}

/// Runs `args` on damaged versions of `good` at `path`: each is taken, or one `error:` line that names the file.
fn try_damaged(path: &Path, good: &[u8], args: &[&str]) {
    let mut numbers = Numbers(12);
    let name = path.file_name().unwrap().to_str().unwrap();
    for version in 0..count() {
        let bytes = damaged(good, &mut numbers);
        fs::write(path, &bytes).unwrap();
        let output = alexnet(args);
        if output.status.success() {
            continue;
        }
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "version {version}: {text}");
        assert!(is_plain(&output.stderr), "version {version}: {text:?}");
        let errors: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("error: ") || line.starts_with("left out "))
            .collect();
        let is_named = errors.first().is_some_and(|line| line.contains(name));
        assert!(is_named, "version {version} of {name}: {text}");
        let is_known = |line: &str| {
            ["error: ", "hint: ", "left out "]
                .iter()
                .any(|begin| line.starts_with(begin))
        };
        assert!(text.lines().all(is_known), "version {version}: {text}");
    }
}

#[test]
fn damaged_configurations_are_taken_or_named() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("damaged.toml");
    let good = super::succeed(&["recipes", "show", "shapes10"]);
    // Settings are read and checked, and what is taken trains on sixteen images.
    let quick = [
        "--limit",
        "16",
        "--batch-size",
        "16",
        "--device",
        "cpu",
        "--fast-dev-run",
        "--quiet",
    ];
    let args = [
        &["train", "--no-download", "--config", path_text(&path)][..],
        &quick,
    ]
    .concat();
    try_damaged(&path, good.as_bytes(), &args);
}

#[test]
fn damaged_images_are_taken_or_named() {
    let root = tempfile::tempdir().unwrap();
    let run = super::trained(root.path());
    let path = root.path().join("damaged.png");
    let good = fs::read(run.join("plots/loss.png")).unwrap();
    let args = [
        "predict",
        path_text(&run),
        path_text(&path),
        "--device",
        "cpu",
        "--quiet",
    ];
    try_damaged(&path, &good, &args);
}
