//! The `alexnet` binary: what it prints, its exit codes, and one clear line for each bad input.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a helper that fails fails its test; what is skipped is said"
)]

#[path = "cli/bad_days.rs"]
mod bad_days;
#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/bench.rs"]
mod bench;
#[path = "common/browser.rs"]
mod chromium;
#[path = "cli/control.rs"]
mod control;
#[path = "cli/data.rs"]
mod data;
#[path = "cli/data_show.rs"]
mod data_show;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/exchange.rs"]
mod exchange;
#[path = "cli/exported.rs"]
mod exported;
#[path = "cli/faults.rs"]
mod faults;
#[path = "cli/hostile.rs"]
mod hostile;
#[path = "cli/interruption.rs"]
mod interruption;
#[path = "cli/learn.rs"]
mod learn;
#[path = "cli/old_runs.rs"]
mod old_runs;
#[cfg(unix)]
#[path = "cli/permissions.rs"]
mod permissions;
#[cfg(unix)]
#[path = "cli/terminal.rs"]
mod terminal;
#[path = "cli/wrong.rs"]
mod wrong;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The command, with nothing of this machine's in its way: no data directory, and a folder that Mesa asks for.
fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alexnet"));
    command.args(args);
    command.env_remove("ALEXNET_DATA");
    command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    command
}

fn alexnet(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// With `/` between the names of paths, as the tests write them, also on Windows.
fn slashed(text: String) -> String {
    if cfg!(windows) {
        text.replace('\\', "/")
    } else {
        text
    }
}

/// Runs and expects success; the standard output.
fn succeed(args: &[&str]) -> String {
    let output = alexnet(args);
    assert!(
        output.status.success(),
        "{args:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Runs and expects exit code 1, an empty standard output, and one `error:` line with each of `parts`.
fn fail(args: &[&str], parts: &[&str]) {
    let output = alexnet(args);
    let message = slashed(text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{args:?}: {message}");
    assert!(
        output.stdout.is_empty(),
        "{args:?}: {}",
        text(&output.stdout)
    );
    let mut lines = message.lines().filter(|line| line.starts_with("error: "));
    let error = lines.next().unwrap_or_default();
    assert!(
        lines.next().is_none(),
        "{args:?}: more than one error:\n{message}"
    );
    for part in parts {
        let part = slashed((*part).to_owned());
        assert!(error.contains(&part), "{args:?}: no '{part}' in\n{message}");
    }
    for line in message.lines() {
        let is_known = line.starts_with("error: ") || line.starts_with("hint: ");
        assert!(is_known, "{args:?}: a line besides error and hint: {line}");
    }
}

/// A training run that takes a second.
const QUICK: &[&str] = &[
    "train",
    "--device",
    "cpu",
    "--limit",
    "32",
    "--batch-size",
    "16",
    "--epochs",
    "1",
];

fn quick<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [QUICK, more].concat()
}

fn path_text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A quick run in a new folder.
fn trained(root: &Path) -> PathBuf {
    let folder = root.join("run");
    succeed(&quick(&["--out", path_text(&folder)]));
    folder
}

#[test]
fn train_says_where_its_results_are_and_evaluate_repeats_them() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let said = succeed(&quick(&["--out", path_text(&folder)]));
    assert!(
        said.contains("test accuracy") && said.contains(path_text(&folder)),
        "{said}"
    );
    let summary: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.join("summary.json")).unwrap()).unwrap();
    let best = folder.join("checkpoints/best/model.safetensors");
    for weights in [&folder, &folder.join("checkpoints/best"), &best] {
        let args = [
            "evaluate",
            path_text(weights),
            "--device",
            "cpu",
            "--limit",
            "32",
            "--json",
        ];
        let score: serde_json::Value = serde_json::from_str(&succeed(&args)).unwrap();
        assert_eq!(score["images"], 32, "{score}");
        let difference =
            score["accuracy"].as_f64().unwrap() - summary["test_accuracy"].as_f64().unwrap();
        assert!(difference.abs() < 1e-6, "{score} against {summary}");
    }
    let again = quick(&["--out", path_text(&folder)]);
    fail(&again, &["there is a run already"]);
}

#[test]
fn progress_is_plain_lines_when_there_is_no_terminal_and_quiet_is_quiet() {
    let root = tempfile::tempdir().unwrap();
    let (loud, quiet) = (root.path().join("loud"), root.path().join("quiet"));
    let output = alexnet(&quick(&["--out", path_text(&loud)]));
    let lines = text(&output.stderr);
    assert!(
        lines.contains("epoch 1/1 step 2 lr ") && lines.contains(" val_accuracy "),
        "{lines}"
    );
    assert!(!lines.contains('\x1b') && !lines.contains('\r'), "{lines}");
    let output = alexnet(&quick(&["--out", path_text(&quiet), "--quiet", "--json"]));
    assert_eq!(text(&output.stderr), "", "--quiet");
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["folder"], path_text(&quiet), "--json");
}

#[test]
fn a_configuration_that_was_written_runs_again_to_the_same_bits() {
    let root = tempfile::tempdir().unwrap();
    let folder = trained(root.path());
    let again = root.path().join("again");
    let config = folder.join("config.toml");
    succeed(&[
        "train",
        "--config",
        path_text(&config),
        "--out",
        path_text(&again),
    ]);
    let weights =
        |folder: &Path| fs::read(folder.join("checkpoints/last/model.safetensors")).unwrap();
    assert!(weights(&folder) == weights(&again), "the weights differ");
}

#[test]
fn lists_and_tables_are_printed() {
    assert!(succeed(&["summary", "alexnet-small"]).contains("2,887,306"));
    assert!(succeed(&["summary"]).contains("alexnet-small"));
    assert!(succeed(&["recipes"]).contains("small-cifar10"));
    assert!(succeed(&["recipes", "show", "shapes10"]).contains("network = \"alexnet-small\""));
    assert!(succeed(&["devices"]).starts_with("cpu "));
    let devices: serde_json::Value =
        serde_json::from_str(&succeed(&["devices", "--json"])).unwrap();
    assert_eq!(devices[0]["selector"], "cpu", "{devices}");
}

#[test]
fn a_run_leaves_images_that_are_drawn_again_watched_and_compared() {
    let root = tempfile::tempdir().unwrap();
    let folder = trained(root.path());
    let names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let is_event_file = |name: &String| name.starts_with("events.out.tfevents.");
    assert!(names.iter().any(is_event_file), "{names:?}");
    fs::remove_file(folder.join("plots/loss.png")).unwrap();
    fs::remove_file(folder.join("report.html")).unwrap();
    let said = succeed(&["report", path_text(&folder)]);
    assert!(said.contains("report.html"), "{said}");
    assert!(folder.join("plots/loss.png").is_file() && folder.join("report.html").is_file());
    let said = succeed(&["watch", path_text(&folder)]);
    assert!(
        said.contains("run finished") && said.contains("test accuracy"),
        "{said}"
    );
    let both = root.path().join("both.html");
    let run = path_text(&folder);
    succeed(&["report", run, run, "--out", path_text(&both)]);
    assert!(
        fs::read_to_string(&both)
            .unwrap()
            .contains("2 runs compared")
    );
    for verb in ["report", "watch"] {
        fail(&[verb, path_text(root.path())], &["no run here"]);
    }
    fail(&["dashboard", "/no/such/folder"], &["/no/such/folder"]);
}

#[test]
fn a_report_that_cannot_be_written_is_a_warning() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("plots"), "in the way").unwrap();
    let output = alexnet(&quick(&["--out", path_text(&folder)]));
    let message = text(&output.stderr);
    assert!(output.status.success(), "{message}");
    assert!(
        message.contains("warning: ") && message.contains("plots"),
        "{message}"
    );
}
