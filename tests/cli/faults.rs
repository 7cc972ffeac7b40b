//! The program itself on a GPU on which something fails: one line of error, and `--resume` goes on to the same weights.

use std::fs;
use std::path::Path;
use std::process::Output;

use super::{command, path_text, text};

/// Two epochs of two steps on a GPU, with a fault, if there is one.
fn train(folder: &Path, fault: Option<&str>) -> Output {
    let args: &[&str] = if folder.exists() {
        &["train", "--resume", path_text(folder)]
    } else {
        &[
            "train",
            "shapes10",
            "--device",
            "gpu",
            "--limit",
            "32",
            "--batch-size",
            "16",
            "--epochs",
            "2",
            "--out",
            path_text(folder),
        ]
    };
    let mut command = command(args);
    if let Some(fault) = fault {
        command.env("ALEXNET_FAULT", fault);
    }
    command.output().unwrap()
}

/// Where the run fails, and what the error says.
const FAULTS: [(&str, &str); 4] = [
    ("lost:600", "device lost"),
    ("wait:60", "device lost"),
    ("allocation:90", "out of memory on"),
    ("reading:30", "reading"),
];

fn weights(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("checkpoints/last/model.safetensors")).unwrap()
}

#[test]
fn a_run_on_a_gpu_that_fails_ends_with_one_error_and_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let undisturbed = root.path().join("undisturbed");
    let output = train(&undisturbed, None);
    if text(&output.stderr).contains("error: no device 'gpu'") {
        assert!(
            std::env::var_os("REQUIRE_GPU").is_none(),
            "no GPU was found"
        );
        return println!("skipped: no GPU was found");
    }
    assert!(output.status.success(), "{}", text(&output.stderr));
    let expected = weights(&undisturbed);
    for (fault, what) in FAULTS {
        let folder = root.path().join(fault.replace(':', "-"));
        let output = train(&folder, Some(fault));
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{fault}: {told}");
        let errors: Vec<_> = told
            .lines()
            .filter(|line| line.starts_with("error: "))
            .collect();
        assert!(
            errors.len() == 1 && errors[0].contains(what),
            "{fault}: {told}"
        );
        assert!(!told.contains("panicked"), "{fault}: {told}");
        let output = train(&folder, None);
        assert!(output.status.success(), "{fault}: {}", text(&output.stderr));
        assert!(weights(&folder) == expected, "{fault}: other weights");
    }
}
