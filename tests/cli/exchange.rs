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
fn bitmap() -> Vec<u8> {
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
fn predict_reads_standard_input_and_explains_beside_the_image() {
    let root = tempfile::tempdir().unwrap();
    let weights = weights(root.path());
    let mut child = command(&[
        "predict",
        weights.to_str().unwrap(),
        "-",
        "--device",
        "cpu",
        "--quiet",
    ])
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
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
    let args = [
        "predict",
        weights.to_str().unwrap(),
        image.to_str().unwrap(),
        "--occlusion-map",
        "--device",
        "cpu",
    ];
    let out = succeed(&args);
    let occlusion = root.path().join("white.occlusion.png");
    assert!(
        out.contains(occlusion.to_str().unwrap()),
        "the file is named:\n{out}"
    );
    assert!(fs::read(&occlusion).unwrap().starts_with(b"\x89PNG"));
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
