//! Weights at work and on their way: predict, inspect, import, export, completions, man.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use model::{Architecture, Network};
use serde_json::Value;
use tensor::Device;

use super::{alexnet, command, fail, succeed, text};

/// A weight file whose classes have names.
fn weights(folder: &Path) -> PathBuf {
    let architecture = Architecture::new("alexnet-small", Some(2), None).unwrap();
    let network = Network::new(architecture, 1, &Device::cpu()).unwrap();
    let network = network
        .with_class_names(&["rose".to_owned(), "tulip".to_owned()])
        .unwrap();
    let path = folder.join("model.safetensors");
    fs::write(&path, network.to_bytes().unwrap()).unwrap();
    path
}

/// The smallest bitmap: a white pixel.
pub(super) fn bitmap() -> Vec<u8> {
    let mut bytes = b"BM".to_vec();
    for word in [58_u32, 0, 54, 40, 1, 1, 0x0018_0001, 0, 4, 0, 0, 0, 0] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend([255, 255, 255, 0]);
    bytes
}

#[test]
fn predict_names_the_good_images_and_lists_the_broken_one() {
    let root = tempfile::tempdir().unwrap();
    let weights = weights(root.path());
    let folder = root.path().join("images");
    fs::create_dir_all(folder.join("deep/er")).unwrap();
    for name in ["one.bmp", "deep/er/two.bmp"] {
        fs::write(folder.join(name), bitmap()).unwrap();
    }
    fs::write(folder.join("deep/broken.jpg"), b"\xff\xd8 no image").unwrap();
    let [weights, folder] = [&weights, &folder].map(|path| path.to_str().unwrap());
    let output = alexnet(&["predict", weights, folder, "--device", "cpu", "--top", "1"]);
    assert_eq!(output.status.code(), Some(1));
    let (out, errors) = (text(&output.stdout), text(&output.stderr));
    for part in ["one.bmp", "two.bmp"] {
        assert!(out.contains(part), "{part} in\n{out}");
    }
    assert!(
        out.contains("rose") != out.contains("tulip"),
        "one class alone:\n{out}"
    );
    assert!(
        errors.contains("left out") && errors.contains("broken.jpg"),
        "{errors}"
    );
    assert!(errors.contains("error: 1 of 3 images"), "{errors}");
    let output = alexnet(&["predict", weights, folder, "--device", "cpu", "--json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["images"].as_array().unwrap().len(), 2);
    assert_eq!(value["failed"].as_array().unwrap().len(), 1);
    fail(
        &[
            "predict",
            weights,
            "missing.jpg",
            "--device",
            "cpu",
            "--top",
            "0",
        ],
        &["--top"],
    );
}

#[test]
fn predict_reads_standard_input_and_explains_where_it_is_told() {
    let root = tempfile::tempdir().unwrap();
    let weights = weights(root.path());
    let mut child = command(&["predict", weights.to_str().unwrap(), "-", "--device", "cpu"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&bitmap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let out = text(&output.stdout);
    assert!(
        out.starts_with("-\n") && out.contains("rose") && out.contains("tulip"),
        "{out}"
    );
    let image = root.path().join("white.bmp");
    fs::write(&image, bitmap()).unwrap();
    let maps = root.path().join("maps");
    let args = [
        "predict",
        weights.to_str().unwrap(),
        image.to_str().unwrap(),
        "--occlusion-map",
        "--device",
        "cpu",
        "--out",
        maps.to_str().unwrap(),
    ];
    let out = succeed(&args);
    let occlusion = maps.join("white.occlusion.png");
    assert!(
        out.contains(occlusion.to_str().unwrap()),
        "the file is named:\n{out}"
    );
    assert!(fs::read(&occlusion).unwrap().starts_with(b"\x89PNG"));
    // Without a folder, not beside the image.
    let here = root.path().join("here");
    fs::create_dir(&here).unwrap();
    let mut command = command(&args[..6]);
    assert!(
        command
            .current_dir(&here)
            .output()
            .unwrap()
            .status
            .success()
    );
    assert!(here.join("occlusion-maps/white.occlusion.png").is_file());
    assert!(!root.path().join("white.occlusion.png").exists());
}

#[test]
fn many_images_are_a_line_each_a_table_or_sorted_and_outputs_are_not_read_again() {
    let root = tempfile::tempdir().unwrap();
    let weights = weights(root.path());
    let images = root.path().join("images");
    fs::create_dir_all(images.join("deep")).unwrap();
    for name in ["one, \"1\".bmp", "deep/two.bmp"] {
        fs::write(images.join(name), bitmap()).unwrap();
    }
    let [weights, folder] = [&weights, &images].map(|path| path.to_str().unwrap());
    let predict = |more: &[&str]| {
        let args = ["predict", weights, folder, "--device", "cpu"];
        succeed(&[&args[..], more].concat())
    };
    let lines = predict(&[]);
    assert_eq!(lines.lines().count(), 2, "{lines}");
    let csv = predict(&["--csv"]);
    let rows: Vec<_> = csv.lines().collect();
    assert_eq!(
        (rows.len(), rows[0]),
        (3, "image,class,probability"),
        "{csv}"
    );
    assert!(
        rows[2].contains("one, \"\"1\"\".bmp\",") || rows[1].contains("\"\"1\"\""),
        "{csv}"
    );
    let csv = predict(&["--csv", "--top", "9", "--quiet"]);
    assert!(
        csv.starts_with("image,class1,probability1,class2,probability2\n"),
        "{csv}"
    );
    // Everything goes into the folder that is read.
    let (sorted, maps) = (images.join("sorted"), images.join("maps"));
    let more = [
        "--sort-into",
        sorted.to_str().unwrap(),
        "--occlusion-map",
        "--out",
        maps.to_str().unwrap(),
        "--json",
    ];
    for _ in 0..2 {
        let value: Value = serde_json::from_str(&predict(&more)).unwrap();
        let rows = value["images"].as_array().unwrap();
        assert_eq!(rows.len(), 2, "{value}");
        for row in rows {
            let class = row["predictions"][0]["class"].as_str().unwrap();
            let copy = Path::new(row["sorted_into"].as_str().unwrap());
            assert_eq!(copy.parent().unwrap(), sorted.join(class), "{value}");
            assert_eq!(fs::read(copy).unwrap(), bitmap());
            assert!(Path::new(row["occlusion_map"].as_str().unwrap()).is_file());
        }
    }
    assert!(maps.join("deep/two.occlusion.png").is_file(), "as it lies");
    // Another image of a name that is there gets a number.
    let mut other = bitmap();
    *other.last_mut().unwrap() = 1;
    fs::write(images.join("deep/two.bmp"), &other).unwrap();
    let value: Value = serde_json::from_str(&predict(&more)).unwrap();
    let rows = value["images"].as_array().unwrap();
    let copies: Vec<_> = rows
        .iter()
        .map(|row| row["sorted_into"].as_str().unwrap())
        .collect();
    assert!(
        copies.iter().any(|copy| copy.ends_with("two-2.bmp")),
        "{value}"
    );
}

#[test]
fn weights_are_inspected_and_exported_with_a_word_on_the_file() {
    let root = tempfile::tempdir().unwrap();
    let weights = weights(root.path());
    let weights = weights.to_str().unwrap();
    let out = succeed(&["inspect", weights]);
    for part in [
        "[\"rose\",\"tulip\"]",
        "conv1.weight",
        "[7, 7, 3, 48]",
        "F32",
    ] {
        assert!(out.contains(part), "{part} in\n{out}");
    }
    let value: Value = serde_json::from_str(&succeed(&["inspect", weights, "--json"])).unwrap();
    assert_eq!(value["tensors"].as_array().unwrap().len(), 16);
    for (format, name) in [
        ("onnx", "x.onnx"),
        ("keras", "x.weights.h5"),
        ("safetensors", "x.safetensors"),
    ] {
        let path = root.path().join(name);
        let path = path.to_str().unwrap();
        let out = succeed(&["export", weights, "--format", format, "--out", path]);
        assert!(out.contains(path), "{out}");
        assert!(fs::metadata(path).unwrap().len() > 10_000_000, "{format}");
    }
    let path = root.path().join("x");
    let path = path.to_str().unwrap();
    fail(
        &["import", weights, "--out", path, "--quiet"],
        &["classifier.6.bias"],
    );
    fail(
        &[
            "export",
            weights,
            "--format",
            "torchvision",
            "--out",
            path,
            "--quiet",
        ],
        &["alexnet-torchvision"],
    );
    assert!(!Path::new(path).exists(), "nothing is left");
}

#[test]
fn completions_and_manual_pages_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(
            succeed(&["completions", shell]).contains("gradcheck"),
            "{shell}"
        );
    }
    assert!(succeed(&["man"]).contains(".TH alexnet"));
    let root = tempfile::tempdir().unwrap();
    let out = succeed(&["man", "--out", root.path().to_str().unwrap()]);
    for name in ["alexnet.1", "alexnet-train.1", "alexnet-predict.1"] {
        assert!(
            out.contains(name) && root.path().join(name).is_file(),
            "{name}"
        );
    }
    let page = fs::read_to_string(root.path().join("alexnet-predict.1")).unwrap();
    assert!(page.contains("Examples:"), "{page}");
    assert!(succeed(&["train", "--help"]).contains("alexnet train --resume"));
}
