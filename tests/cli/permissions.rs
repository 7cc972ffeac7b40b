//! What commands write can be read by those whom the umask lets, and by nobody else; and a run's size is told and bounded.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::{alexnet, fail, path_text, quick, text};

/// Runs `alexnet` under a umask.
fn under(umask: &str, folder: &Path, args: &[&str]) {
    let output = Command::new("sh")
        .args(["-c", "umask $0 && exec \"$@\"", umask])
        .arg(env!("CARGO_BIN_EXE_alexnet"))
        .args(args)
        .current_dir(folder)
        .env_remove("ALEXNET_DATA")
        .env("XDG_RUNTIME_DIR", std::env::temp_dir())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{args:?}: {}",
        text(&output.stderr)
    );
}

/// The files and folders below one that have other permissions than these.
fn wrong(folder: &Path, [of_files, of_folders]: [u32; 2]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let expected = if path.is_dir() { of_folders } else { of_files };
        if mode != expected {
            found.push(format!("{} has {mode:o}", path.display()));
        }
        if path.is_dir() {
            found.extend(wrong(&path, [of_files, of_folders]));
        }
    }
    found
}

#[test]
fn files_have_the_permissions_that_the_umask_leaves() {
    for (umask, modes) in [("027", [0o640, 0o750]), ("000", [0o666, 0o777])] {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path();
        under(
            umask,
            folder,
            &quick(&["--out", "run", "--norms", "--profile"]),
        );
        for args in [
            &["data", "show", "shapes10", "--out", "sheet.png"][..],
            &["data", "show", "shapes10", "--batch", "--out", "batch.png"],
            &["report", "run", "run", "--out", "both.html"],
            &["report", "run", "--activations", "conv2"],
            &[
                "evaluate",
                "run",
                "--device",
                "cpu",
                "--limit",
                "16",
                "--out",
                "scores.json",
            ],
            &["export", "run", "--format", "onnx", "--out", "net.onnx"],
            &[
                "export",
                "run",
                "--format",
                "keras",
                "--out",
                "net.weights.h5",
            ],
            &[
                "predict",
                "run",
                "sheet.png",
                "--device",
                "cpu",
                "--occlusion-map",
                "--sort-into",
                "sorted",
            ],
            &["learn", "relu", "--device", "cpu", "--html", "relu.html"],
            &["man", "--out", "man"],
        ] {
            under(umask, folder, args);
        }
        assert_eq!(wrong(folder, modes), Vec::<String>::new(), "umask {umask}");
    }
}

#[test]
fn a_run_says_its_size_and_keeps_as_many_checkpoints_as_it_may() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let more = ["--epochs", "3", "--checkpoint-every", "1", "--keep", "1"];
    let mut args = vec![
        "train",
        "--device",
        "cpu",
        "--limit",
        "32",
        "--batch-size",
        "16",
    ];
    args.extend(more);
    args.extend(["--out", path_text(&folder)]);
    let output = alexnet(&args);
    let said = text(&output.stdout);
    let line = said.lines().find(|line| line.contains(" MB on disk, "));
    let line = line.unwrap_or_else(|| panic!("no size in\n{said}"));
    let told: f64 = line.split(' ').next().unwrap().parse().unwrap();
    let names = |folder: &Path| -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    let kept = names(&folder.join("checkpoints"));
    assert_eq!(kept, ["best", "epoch-0003", "last"]);
    // Three checkpoints of 2.9 million weights with two moments each.
    assert!((100.0..115.0).contains(&told), "{line}");
    let report = fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(report.contains("on disk, without this page"), "a card");
    fail(
        &quick(&["--keep", "0"]),
        &["checkpoints.keep", "at least 1"],
    );
}
