//! The `alexnet` binary: what it prints, its exit codes, and one clear line for each bad input.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[path = "cli/bad_days.rs"]
mod bad_days;
#[path = "cli/bench.rs"]
mod bench;
#[path = "cli/control.rs"]
mod control;
#[path = "cli/data.rs"]
mod data;
#[path = "cli/exchange.rs"]
mod exchange;
#[path = "cli/hostile.rs"]
mod hostile;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use model::{Architecture, Network};
use tensor::Device;

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
    let message = text(&output.stderr);
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
        assert!(error.contains(part), "{args:?}: no '{part}' in\n{message}");
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
fn usage_errors_exit_with_two() {
    for args in [
        &["train", "--bogus"][..],
        &[],
        &["fly"],
        &["train", "--epochs", "many"],
    ] {
        assert_eq!(alexnet(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn bad_settings_are_one_line_and_nothing_is_written() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("run");
    let base = ["train", "--device", "cpu", "--out", path_text(&out)];
    for (args, parts) in [
        (&["--limit", "0"][..], &["limit", "at least 1"][..]),
        (
            &["--batch-size", "9000", "--set", "drop_last=true"],
            &["batch size", "8000"],
        ),
        (&["--batch-size", "0"], &["batch_size", "at least 1"]),
        (&["--epochs", "0"], &["epochs"]),
        (&["--threads", "0"], &["loader_threads"]),
        (&["--lr", "nan"], &["learning_rate", "NaN"]),
        (&["--recipe", "nope"], &["nope", "small-cifar10"]),
        (&["--network", "lenet"], &["lenet", "alexnet-small"]),
        (&["--config", "/no/such/file"], &["/no/such/file"]),
        (&["no-such-set"], &["no-such-set", "cifar10"]),
    ] {
        fail(&[&base[..], args].concat(), parts);
        assert!(!out.exists(), "{args:?} left something");
    }
}

#[test]
fn an_unknown_device_is_one_line() {
    for device in ["radeon-9000", "gpu:99"] {
        fail(&["train", "--device", device], &[device]);
    }
}

#[test]
fn an_output_folder_that_cannot_be_written_is_one_line() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "mine").unwrap();
    for out in [file.clone(), file.join("run")] {
        fail(
            &quick(&["--out", path_text(&out)]),
            &[path_text(&out), "cannot create the folder"],
        );
    }
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "mine",
        "the file is as it was"
    );
}

#[test]
fn missing_and_damaged_data_are_one_line() {
    let root = tempfile::tempdir().unwrap();
    let (out, data) = (root.path().join("run"), root.path().join("data"));
    let folder = data.join("cifar-10-batches-bin");
    fs::create_dir_all(&folder).unwrap();
    let args = [
        "train",
        "cifar10",
        "--device",
        "cpu",
        "--no-download",
        "--data-dir",
        path_text(&data),
        "--out",
        path_text(&out),
    ];
    fail(
        &args,
        &[
            "CIFAR-10",
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            path_text(&data),
        ],
    );
    let names: Vec<_> = (0..10).map(|class| format!("class{class}\n")).collect();
    fs::write(folder.join("batches.meta.txt"), names.concat()).unwrap();
    let first = folder.join("data_batch_1.bin");
    for (length, parts) in [
        (30_729_999, ["data_batch_1.bin", "30729999 bytes"]),
        (30_730_001, ["data_batch_1.bin", "30730001 bytes"]),
        (1 << 40, ["data_batch_1.bin", "1099511627776 bytes"]),
    ] {
        File::create(&first).unwrap().set_len(length).unwrap();
        fail(&args, &parts);
    }
    fs::write(&first, [10]).unwrap();
    File::options()
        .write(true)
        .open(&first)
        .unwrap()
        .set_len(30_730_000)
        .unwrap();
    fail(&args, &["data_batch_1.bin", "at byte 0", "label below 10"]);
    assert!(!out.exists(), "nothing is written");
}

#[test]
fn bad_checkpoints_are_one_line() {
    let root = tempfile::tempdir().unwrap();
    let folder = trained(root.path());
    let last = folder.join("checkpoints/last/model.safetensors");
    let good = fs::read(&last).unwrap();
    let resume = ["train", "--resume", path_text(&folder)];
    let evaluate = ["evaluate", path_text(&last)];
    // Of a checkpoint, its checksums tell; of a file by itself, its header and its own digest.
    let alone = root.path().join("alone.safetensors");
    let score = ["evaluate", path_text(&alone), "shapes10"];
    for (bytes, part) in [
        (b"not weights at all".to_vec(), "alone.safetensors"),
        (good[..good.len() / 2].to_vec(), "as its header says"),
        (Vec::new(), "0 bytes"),
    ] {
        fs::write(&last, &bytes).unwrap();
        fs::write(&alone, bytes).unwrap();
        fail(&resume, &["model.safetensors", "damaged"]);
        fail(&evaluate, &["model.safetensors", "damaged"]);
        fail(&score, &["alone.safetensors", part]);
    }
    let other = Architecture::new("alexnet-small", Some(3), None).unwrap();
    let other = Network::new(other, 1, &Device::cpu()).unwrap();
    fs::write(&alone, other.to_bytes().unwrap()).unwrap();
    fail(&score, &["3 classes", "got 10"]);
    fs::write(&last, &good).unwrap();
    // As of before there were checksums: the network itself is compared.
    let state = folder.join("checkpoints/last/state.json");
    let mut old: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&state).unwrap()).unwrap();
    let fields = old.as_object_mut().unwrap();
    fields["format"] = 1.into();
    fields.remove("sha256").unwrap();
    fields.remove("config").unwrap();
    fs::write(&state, old.to_string()).unwrap();
    fs::write(&last, other.to_bytes().unwrap()).unwrap();
    fail(&resume, &["model.safetensors", "classes=10", "classes=3"]);
    let nowhere = root.path().join("nowhere");
    fail(
        &["train", "--resume", path_text(&nowhere)],
        &["no run here"],
    );
    fail(
        &["evaluate", path_text(&nowhere), "shapes10"],
        &["nowhere", "cannot open"],
    );
    fail(&["evaluate", path_text(root.path())], &["no run here"]);
}

/// Starts a run that would take long, and waits until it has a checkpoint.
#[cfg(unix)]
fn begun(folder: &Path) -> std::process::Child {
    let args = [
        "train",
        "--device",
        "cpu",
        "--limit",
        "64",
        "--batch-size",
        "16",
        "--epochs",
        "500",
        "--out",
        path_text(folder),
    ];
    let child = command(&args)
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !folder.join("checkpoints/last").exists() {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "no checkpoint after two minutes"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

#[cfg(unix)]
fn epochs_of(folder: &Path) -> usize {
    let rows = fs::read_to_string(folder.join("metrics.csv")).unwrap();
    rows.lines().count() - 1
}

#[test]
#[cfg(unix)]
fn ctrl_c_saves_and_exits_with_130() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let mut child = begun(&folder);
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(sent.success(), "kill -INT {pid}");
    assert_eq!(child.wait().unwrap().code(), Some(130), "interrupted");
    let epochs = epochs_of(&folder);
    let more = (epochs + 1).to_string();
    succeed(&["train", "--resume", path_text(&folder), "--epochs", &more]);
    assert_eq!(epochs_of(&folder), epochs + 1, "resumed to the end");
}

/// `KILLS=200` tries it so often.
#[test]
#[cfg(unix)]
fn a_kill_at_any_moment_leaves_a_run_that_goes_on() {
    let kills = std::env::var("KILLS").map_or(20, |n| n.parse().expect("KILLS is a number"));
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let mut child = begun(&folder);
    for kill in 0..kills {
        // Moments that do not repeat, over a few epochs with their checkpoints.
        std::thread::sleep(Duration::from_millis(150 + kill * 389 % 701));
        child.kill().unwrap();
        child.wait().unwrap();
        let resumed = command(&["train", "--resume", path_text(&folder)])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        child = resumed.unwrap();
        std::thread::sleep(Duration::from_millis(100));
        let ended = child.try_wait().unwrap();
        assert!(
            ended.is_none(),
            "kill {kill}: {:?}",
            child.wait_with_output()
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // The rows are written after the checkpoint, so that they may be one behind: resuming writes them anew.
    let more = (epochs_of_state(&folder) + 1).to_string();
    succeed(&["train", "--resume", path_text(&folder), "--epochs", &more]);
    assert_eq!(
        epochs_of(&folder).to_string(),
        more,
        "resumed after all kills"
    );
}

/// The epochs that the last checkpoint has, wherever a kill has left it.
#[cfg(unix)]
fn epochs_of_state(folder: &Path) -> u64 {
    let last = folder.join("checkpoints/last");
    let place = if last.exists() {
        last
    } else {
        folder.join("checkpoints/.last.tmp")
    };
    let text = fs::read_to_string(place.join("state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&text).unwrap();
    state["epoch"].as_u64().unwrap()
}

#[test]
fn a_run_leaves_pictures_that_are_drawn_again_watched_and_compared() {
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
