//! Signals, two processes on one run, wrong inputs with hints that fit, and text files without an end.

use std::fs;
#[cfg(unix)]
use std::path::Path;
#[cfg(unix)]
use std::process::{Child, Command, Stdio};
#[cfg(unix)]
use std::time::{Duration, Instant};

#[cfg(unix)]
use super::interruption::epochs_of;
use super::{alexnet, path_text, slashed, text, trained};
#[cfg(unix)]
use super::{command, fail, quick, succeed};

/// Weights and optimizer of the last checkpoint.
#[cfg(unix)]
fn last(folder: &Path) -> [Vec<u8>; 2] {
    let last = folder.join("checkpoints/last");
    ["model", "optimizer"].map(|name| fs::read(last.join(format!("{name}.safetensors"))).unwrap())
}

/// A run whose learning rate does not depend on how many epochs it has.
#[cfg(unix)]
fn arguments<'a>(folder: &'a Path, epochs: &'a str) -> Vec<&'a str> {
    let mut args = vec!["train", "--device", "cpu", "--limit", "64"];
    args.extend(["--batch-size", "16", "--epochs", epochs]);
    args.extend(["--set", "schedule.kind=constant"]);
    args.extend(["--out", path_text(folder)]);
    args
}

/// Starts such a run, and waits until it has a checkpoint.
#[cfg(unix)]
fn begin(folder: &Path) -> Child {
    let mut command = command(&arguments(folder, "500"));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    let begun = Instant::now();
    while !folder.join("checkpoints/last").exists() {
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(120), "no checkpoint");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

#[test]
#[cfg(unix)]
fn sigquit_saves_as_sigterm_does_and_the_run_goes_on_with_the_same_bits() {
    let root = tempfile::tempdir().unwrap();
    for signal in ["-QUIT", "-TERM"] {
        let folder = root.path().join(signal);
        let mut child = begin(&folder);
        let pid = child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success(), "kill {signal} {pid}");
        assert_eq!(child.wait().unwrap().code(), Some(130), "{signal}");
        let epochs = (epochs_of(&folder) + 1).to_string();
        succeed(&["train", "--resume", path_text(&folder), "--epochs", &epochs]);
        let straight = root.path().join(format!("{signal}-straight"));
        succeed(&arguments(&straight, &epochs));
        assert_eq!(epochs_of(&folder), epochs_of(&straight), "{signal}");
        assert!(last(&folder) == last(&straight), "{signal}: other bits");
    }
}

/// `TWICE=20` tries it so often.
#[test]
#[cfg(unix)]
fn the_second_process_on_a_run_is_refused_and_the_first_untouched() {
    let times = std::env::var("TWICE").map_or(3, |n| n.parse().expect("TWICE is a number"));
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let mut child = begin(&folder);
    let holder = format!("in use by process {} on ", child.id());
    for _ in 0..times {
        fail(&["train", "--resume", path_text(&folder)], &[&holder]);
        let again = quick(&["--out", path_text(&folder)]);
        fail(&again, &[&holder]);
        let search = quick(&["--find-lr", "--out", path_text(&folder)]);
        fail(&search, &[&holder]);
        assert!(child.try_wait().unwrap().is_none(), "the first goes on");
    }
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(sent.success(), "kill -INT {pid}");
    assert_eq!(child.wait().unwrap().code(), Some(130), "interrupted");
    let epochs = (epochs_of(&folder) + 1).to_string();
    // The kernel frees the lock of a process that has ended.
    succeed(&["train", "--resume", path_text(&folder), "--epochs", &epochs]);
    let straight = root.path().join("straight");
    succeed(&arguments(&straight, &epochs));
    assert!(last(&folder) == last(&straight), "the first was disturbed");
}

/// A wrong input: what is called, and what the error and the hint must say.
struct Wrong<'a> {
    args: &'a [&'a str],
    error: &'a str,
    hint: &'a str,
}

fn part<'a>(args: &'a [&'a str], error: &'a str, hint: &'a str) -> Wrong<'a> {
    Wrong { args, error, hint }
}

fn check(wrong: &Wrong<'_>) {
    let output = alexnet(wrong.args);
    let message = slashed(text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{:?}: {message}", wrong.args);
    let line = |start| message.lines().find(|line| line.starts_with(start));
    let error = line("error: ").unwrap_or_default();
    assert!(error.contains(wrong.error), "{:?}: {message}", wrong.args);
    let hint = line("hint: ").unwrap_or_default();
    assert!(hint.contains(wrong.hint), "{:?}: {message}", wrong.args);
}

#[test]
fn hints_fit_the_cause_and_the_verb() {
    let root = tempfile::tempdir().unwrap();
    let folder = trained(root.path());
    let file = |name: &str, bytes: &[u8]| {
        let path = root.path().join(name);
        fs::write(&path, bytes).unwrap();
        path_text(&path).to_owned()
    };
    let (pth, tensors) = (
        file("a.pth", b"PK broken"),
        file("a.safetensors", b"broken"),
    );
    let (toml, run) = (file("mine.toml", b"epochs = ["), path_text(&folder));
    let sweep = file("sweep.toml", b"recipe = 'shapes10'");
    let best = folder.join("checkpoints/best");
    let [state, model] = ["state.json", "model.safetensors"].map(|name| best.join(name));
    for wrong in [
        part(
            &["train", "--resume", "/no/run"][..],
            "no run here",
            "a run is the folder",
        ),
        part(&["train", "--recipe", "nope"], "nope", "`alexnet recipes`"),
        part(&["train", "--network", "nope"], "nope", "`alexnet summary`"),
        part(&["train", "--device", "nope"], "nope", "`alexnet devices`"),
        part(&["train", "--config", &toml], "mine.toml", "recipes show"),
        part(&["train", "--config", "/no/file"], "/no/file", "paths"),
        part(&["train", "--set", "epochs=0"], "epochs", "recipes show"),
        part(&["train", "--limit", "0"], "limit", "--limit"),
        part(
            &["train", "--batch-size", "99999", "--set", "drop_last=true"],
            "batch size",
            "--batch-size",
        ),
        part(&["train", "/no/images"], "/no/images", "for each class"),
        part(&["train", "--out", run], "a run already", "--resume"),
        part(&["sweep", &sweep], "sweep.toml", "recipes show"),
        part(&["sweep", "/no/sweep"], "/no/sweep", "paths begin in"),
        part(&["import", &pth, "--out", "/tmp/x"], "a.pth", "torch.save"),
        part(
            &["import", &tensors, "--out", "/tmp/x"],
            "a.safetensors",
            "torchvision",
        ),
        part(&["inspect", &pth], "a.pth", "alexnet import"),
        part(&["inspect", &tensors], "a.safetensors", "a run's folder"),
        part(&["evaluate", "/no/run"], "/no/run", "paths begin in"),
    ] {
        check(&wrong);
    }
    let mut bytes = fs::read(&model).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&model, bytes).unwrap();
    let hint = "RUN/checkpoints/last";
    for args in [
        &["evaluate", run][..],
        &["inspect", run],
        &["predict", run, "x.png"],
        &["export", run, "--format", "onnx", "--out", "/tmp/x"],
    ] {
        check(&part(args, "best/model.safetensors: damaged", hint));
    }
    let resume = ["train", "--resume", run, "--epochs", "2"];
    check(&part(&resume, "model.safetensors: damaged", "--checkpoint"));
    fs::write(&state, "{").unwrap();
    check(&part(&["evaluate", run], "state.json", hint));
    check(&part(&resume, "state.json", "--checkpoint"));
    fs::write(folder.join("config.toml"), "epochs = [").unwrap();
    check(&part(&resume, "config.toml", "state.json"));
}

#[test]
#[cfg(unix)]
fn endless_and_waiting_files_are_refused_at_once() {
    let root = tempfile::tempdir().unwrap();
    let pipe = root.path().join("pipe.toml");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success(), "mkfifo is part of every Unix");
    let long = root.path().join("long.toml");
    fs::write(&long, vec![b'#'; (1 << 20) + 1]).unwrap();
    for (path, part) in [
        (Path::new("/dev/zero"), "not a regular file"),
        (&pipe, "not a regular file"),
        (&long, "1048576 bytes"),
    ] {
        let path = path_text(path);
        fail(&["train", "--config", path], &[path, part]);
        fail(&["sweep", path], &[path, part]);
    }
    let run = trained(root.path());
    for name in ["steps.jsonl", "metrics.jsonl", "summary.json"] {
        let (path, kept) = (run.join(name), root.path().join("kept"));
        fs::rename(&path, &kept).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        fail(&["report", path_text(&run)], &[name, "not a regular file"]);
        fs::rename(&kept, &path).unwrap();
    }
}
