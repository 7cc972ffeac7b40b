//! What is exported is used: by the program in Python beside an ONNX file, and by Keras' weights read back.
//!
//! `ONNX_PYTHON` names a Python with onnxruntime, numpy and Pillow; without it the test says so and passes.

use std::fs;
use std::path::Path;
use std::process::Command;

use model::{Architecture, Fit, Interpolation, Network, Preparation};
use serde_json::Value;
use tensor::Device;

use super::{fail, path_text, succeed, text};

/// A bitmap of 24 bits a pixel with waves of colour.
fn bitmap(width: u32, height: u32) -> Vec<u8> {
    let row = (3 * width).next_multiple_of(4);
    let mut bytes = b"BM".to_vec();
    for word in [54 + row * height, 0, 54, 40, width, height, 0x0018_0001] {
        bytes.extend(word.to_le_bytes());
    }
    for word in [0, row * height, 0, 0, 0, 0_u32] {
        bytes.extend(word.to_le_bytes());
    }
    for y in 0..height {
        for x in 0..row {
            let (column, channel) = (x / 3, x % 3);
            bytes.push(((column * (7 + channel) + y * (3 + 2 * channel)) % 251) as u8);
        }
    }
    bytes
}

/// Weights whose metadata say how images are prepared.
fn weights(folder: &Path, name: &str, preparation: Preparation) -> String {
    let architecture = Architecture::new("alexnet-small", Some(3), None).unwrap();
    let names = ["rose", "tulip", "daisy, \"wild\""].map(str::to_owned);
    let network = Network::new(architecture, 1, &Device::cpu()).unwrap();
    let network = network.with_class_names(&names).unwrap();
    let path = folder.join(name);
    let bytes = network.with_preparation(preparation).to_bytes().unwrap();
    fs::write(&path, bytes).unwrap();
    path_text(&path).to_owned()
}

fn preparation() -> Preparation {
    Preparation {
        source: [32; 2],
        resize: None,
        input_size: 32.into(),
        exif_rotation: true,
        ..Preparation::torchvision()
    }
}

/// A Python that has what the program needs.
fn python() -> Option<std::ffi::OsString> {
    let python = std::env::var_os("ONNX_PYTHON")?;
    let has = Command::new(&python)
        .args(["-c", "import numpy, onnxruntime, PIL"])
        .output();
    has.is_ok_and(|output| output.status.success())
        .then_some(python)
}

#[test]
fn the_program_beside_an_onnx_file_predicts_what_predict_does() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    let ways = [
        preparation(),
        Preparation {
            source: [40, 48],
            fit: Fit::Stretch,
            resize: Some(36),
            interpolation: Interpolation::Bicubic,
            ..preparation()
        },
        Preparation {
            source: [64; 2],
            interpolation: Interpolation::Nearest,
            ..preparation()
        },
        Preparation {
            source: [24; 2],
            interpolation: Interpolation::Bilinear,
            resize: Some(40),
            ..preparation()
        },
    ];
    for ([width, height], name) in [([90, 60], "wide"), ([33, 71], "high"), ([32, 32], "same")] {
        fs::write(folder.join(format!("{name}.bmp")), bitmap(width, height)).unwrap();
    }
    let python = python();
    for (number, way) in ways.into_iter().enumerate() {
        let weights = weights(folder, &format!("{number}.safetensors"), way.clone());
        for softmax in [false, true] {
            let onnx = folder.join(format!("net-{number}-{softmax}.onnx"));
            let mut args = vec!["export", &weights, "--format", "onnx"];
            args.extend(["--out", path_text(&onnx)]);
            args.extend(softmax.then_some("--softmax"));
            let said = succeed(&args);
            let program = onnx.with_extension("py");
            assert!(said.contains(path_text(&program)), "{said}");
            let Some(python) = &python else {
                eprintln!(
                    "skipped: ONNX_PYTHON names no Python with onnxruntime, numpy and Pillow"
                );
                continue;
            };
            let files = ["wide", "high", "same"].map(|name| folder.join(format!("{name}.bmp")));
            let output = Command::new(python).arg(&program).args(&files).output();
            let output = output.unwrap();
            assert!(output.status.success(), "{}", text(&output.stderr));
            let mut args = vec![
                "predict", &weights, "--json", "--device", "cpu", "--top", "3",
            ];
            args.extend(files.iter().map(|file| path_text(file)));
            let ours: Value = serde_json::from_str(&succeed(&args)).unwrap();
            let theirs = text(&output.stdout);
            for (line, ours) in theirs.lines().zip(ours["images"].as_array().unwrap()) {
                let theirs: Value = serde_json::from_str(line).unwrap();
                compare(&theirs, ours, &way);
            }
            assert_eq!(theirs.lines().count(), 3, "{theirs}");
        }
    }
}

/// Both have the same classes in the same order; probabilities differ by the rounding of some pixels to whole numbers.
fn compare(theirs: &Value, ours: &Value, way: &Preparation) {
    let rows = |value: &Value| value["predictions"].as_array().unwrap().clone();
    let (theirs, ours) = (rows(theirs), rows(ours));
    assert_eq!(theirs.len(), ours.len(), "{way:?}");
    for (theirs, ours) in theirs.iter().zip(&ours) {
        assert_eq!(theirs["class"], ours["class"], "{way:?}");
        let [theirs, ours] = [theirs, ours].map(|row| row["probability"].as_f64().unwrap());
        assert!((theirs - ours).abs() < 1e-3, "{theirs} and {ours}: {way:?}");
    }
}

#[test]
fn a_program_of_someone_else_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let weights = weights(root.path(), "a.safetensors", preparation());
    let onnx = root.path().join("mine.onnx");
    let args = [
        "export",
        &weights,
        "--format",
        "onnx",
        "--out",
        path_text(&onnx),
    ];
    let program = root.path().join("mine.py");
    fs::write(&program, "print('mine')\n").unwrap();
    succeed(&args);
    assert_eq!(fs::read_to_string(&program).unwrap(), "print('mine')\n");
    fs::remove_file(&program).unwrap();
    for _ in 0..2 {
        succeed(&args);
        assert!(
            fs::read_to_string(&program)
                .unwrap()
                .contains("onnxruntime")
        );
    }
    let bytes = fs::read(&onnx).unwrap();
    for part in [
        "resize",
        "crop",
        "mean",
        "std",
        "classes",
        "images",
        "daisy, \\\"wild\\\"",
    ] {
        let is_there = bytes
            .windows(part.len())
            .any(|window| window == part.as_bytes());
        assert!(is_there, "no {part} in the metadata");
    }
}

#[test]
fn keras_weights_are_read_back_to_the_same_bits() {
    let root = tempfile::tempdir().unwrap();
    let weights = weights(root.path(), "a.safetensors", preparation());
    let [keras, again] = ["a.weights.h5", "again.safetensors"].map(|name| root.path().join(name));
    let export = |out: &Path| {
        let out = path_text(out).to_owned();
        ["export", &weights, "--format", "keras", "--out", &out].map(str::to_owned)
    };
    let wrong = export(&root.path().join("a.h5"));
    let wrong: Vec<_> = wrong.iter().map(String::as_str).collect();
    fail(&wrong, &["a.h5", ".weights.h5"]);
    let args = export(&keras);
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    assert!(succeed(&args).contains("--like"), "how it is read back");
    let import = ["import", path_text(&keras), "--out", path_text(&again)];
    fail(&import, &["a.weights.h5", "--like"]);
    succeed(&[&import[..], &["--like", &weights]].concat());
    assert!(
        fs::read(&weights).unwrap() == fs::read(&again).unwrap(),
        "the same file"
    );
}
