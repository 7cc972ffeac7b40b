//! Runs that are interrupted and killed at any moment, and go on.

use std::fs;
use std::path::Path;
#[cfg(unix)]
use std::process::Command;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{command, path_text, succeed};

/// Starts a run that would take long, and waits until it has a checkpoint.
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

pub(super) fn epochs_of(folder: &Path) -> usize {
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
