//! `alexnet data show` of a batch and of shifted colours, and data sets that other programs left.

use std::fs;

use serde_json::Value;

use super::{fail, path_text, succeed, text};

#[test]
fn a_batch_is_drawn_and_measured_before_any_training() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("batch.png");
    let args = [
        "data",
        "show",
        "shapes10",
        "--batch",
        "--out",
        path_text(&out),
    ];
    let said = succeed(&args);
    for part in [
        "batch 1 of",
        "images [",
        ", 32, 32, 3] f32",
        "labels [",
        "green",
        "batch.png",
    ] {
        assert!(said.contains(part), "no '{part}' in {said}");
    }
    let json: Value = serde_json::from_str(&succeed(&[&args[..], &["--json"]].concat())).unwrap();
    let [n, _, _, channels] = [0, 1, 2, 3].map(|i| json["shape"][i].as_u64().unwrap());
    assert_eq!(json["labels"].as_array().unwrap().len() as u64, n, "{json}");
    let of = json["channels"].as_array().unwrap();
    assert_eq!(of.len() as u64, channels, "{json}");
    for channel in of {
        let [min, max, mean, std] =
            ["min", "max", "mean", "std"].map(|key| channel[key].as_f64().unwrap());
        assert!(
            min < mean && mean < max && std > 0.0 && std < max - min,
            "{json}"
        );
    }
    assert!(fs::read(&out).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn shifted_colours_are_drawn_as_far_as_they_are_asked_for() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("shifts.png");
    let args = [
        "data",
        "show",
        "shapes10",
        "--out",
        path_text(&out),
        "--colour-shift",
    ];
    let said = succeed(&[&args[..], &["5"]].concat());
    // A label, the image itself, ten versions.
    assert!(
        said.contains("816x72") || said.contains("x72 pixels"),
        "{said}"
    );
    let far = fs::read(&out).unwrap();
    succeed(&[&args[..], &["0.1"]].concat());
    assert_ne!(far, fs::read(&out).unwrap(), "nearer");
    fail(&[&args[..], &["0"]].concat(), &["colour shift", "above 0"]);
    fail(
        &[&args[..], &["5", "--image", "100000"]].concat(),
        &["index", "100000"],
    );
}

/// Torchvision's `data` here and Keras' cache at home are used unless a data directory is given, and said.
#[test]
fn what_other_programs_left_is_used_and_said() {
    let root = tempfile::tempdir().unwrap();
    let raw = root.path().join("data/MNIST/raw");
    fs::create_dir_all(&raw).unwrap();
    for split in ["train", "t10k"] {
        let images = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 10, 240];
        fs::write(raw.join(format!("{split}-images-idx3-ubyte")), images).unwrap();
        let labels = [0, 0, 8, 1, 0, 0, 0, 1, 3];
        fs::write(raw.join(format!("{split}-labels-idx1-ubyte")), labels).unwrap();
    }
    let cache = root.path().join("home/.keras/datasets/cifar-10-batches-py");
    fs::create_dir_all(&cache).unwrap();
    let run = |args: &[&str]| {
        let mut command = super::command(args);
        command.current_dir(root.path());
        command
            .env("HOME", root.path().join("home"))
            .env("USERPROFILE", root.path().join("home"));
        command
            .env("ALEXNET_DATA", root.path().join("own"))
            .env_remove("KERAS_HOME");
        command.output().unwrap()
    };
    let output = run(&["data", "stats", "mnist", "--no-download"]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("MNIST: using data/MNIST/raw") || cfg!(windows),
        "{said}"
    );
    let output = run(&["data", "stats", "cifar10", "--no-download"]);
    let said = text(&output.stderr);
    let told = "cifar-10-batches-py is there and not used: no data_batch_1 in it";
    assert!(!output.status.success() && said.contains(told), "{said}");
}
