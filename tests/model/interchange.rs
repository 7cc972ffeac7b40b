//! Weights in and out of other programs' files: against PyTorch's logits, against onnxruntime, and back again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use model::layers::{BatchNorm, Conv2d, Dense, Dropout, Flatten, Lrn, MaxPool, Module as _, Relu};
use model::{
    Architecture, Error, Format, Import, Mode, Network, Pixels, Preparation, TensorFile,
    tensor_file_bytes,
};
use serde_json::Value;
use tensor::{Device, Tensor};

fn pixels() -> Pixels {
    Pixels {
        mean: vec![0.5, 0.25, 0.125],
        std: vec![0.25, 0.5, 1.0],
    }
}

pub(super) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden")
        .join(name)
}

/// splitmix64; the upper 24 bits of each word as a float in `[-2^exp2, 2^exp2)`. As in `golden/torchvision.py`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "24 bits and a power of two: exact"
)]
pub(super) fn values(seed: u64, n: usize, exp2: i32) -> Vec<f32> {
    let value = |i: u64| {
        let mut z = seed.wrapping_add((i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        let upper = i32::try_from(z >> 40).unwrap() - (1 << 23);
        (f64::from(upper) * 2.0_f64.powi(exp2 - 23)) as f32
    };
    (0..n as u64).map(value).collect()
}

/// The largest power of two that keeps activations from growing: `2^exp2 <= sqrt(6 / fan in)`.
fn exponent(fan_in: usize) -> i32 {
    let mut exp2 = 0;
    while 4.0_f64.powi(exp2) * fan_in as f64 > 6.0 {
        exp2 -= 1;
    }
    exp2
}

/// `[n, c, h, w]` to `[n, h, w, c]`.
pub(super) fn channels_last(
    x: &[f32],
    n: usize,
    [height, width, channels]: [usize; 3],
) -> Vec<f32> {
    let plane = height * width;
    let place = |i: usize| i / plane * channels * plane + i % plane;
    let pixel = |i: usize| (0..channels).map(move |c| x[place(i) + c * plane]);
    (0..n * plane).flat_map(pixel).collect()
}

pub(super) fn logits(network: &Network, images: &[f32], n: usize) -> Vec<f32> {
    let input = network.architecture().input();
    let [height, width, channels] = input;
    let images = channels_last(images, n, input);
    let shape = [n, height, width, channels];
    let images = Tensor::from_slice(network.device(), &images, shape).unwrap();
    let logits = network.forward(&images, Mode::Eval).unwrap();
    logits.to_vec().unwrap()
}

fn names(classes: usize) -> Vec<String> {
    (0..classes)
        .map(|class| format!("class \"{class}\""))
        .collect()
}

/// A network in which every layer matters: weights that neither vanish nor grow, statistics unlike 0 and 1.
pub(super) fn lively(name: &str, size: usize) -> Network {
    lively_of(Architecture::new(name, Some(5), Some(size)).unwrap())
}

/// A network that is none of the program's: on oblong images of one channel, and with batch norm between a flattened image
/// and the first dense layer.
fn own() -> Network {
    let layers = vec![
        Conv2d::new(6, 3).same().named("conv1"),
        BatchNorm::keras().named("bn1"),
        Relu::new().into(),
        Lrn::PAPER.into(),
        MaxPool::new(2, 2).into(),
        Flatten::new().into(),
        BatchNorm::new().named("bn2"),
        Dropout::new(0.5).into(),
        Dense::new(7).relu().into(),
        Dense::new(5).named("logits"),
    ];
    lively_of(Architecture::from_layers("own", [10, 14, 1], layers).unwrap())
}

fn lively_of(architecture: Architecture) -> Network {
    let network = Network::new(architecture, 1, &Device::cpu()).unwrap();
    for (seed, (name, tensor)) in network.parameters().iter().enumerate() {
        let n = tensor.shape().elements();
        let exp2 = match tensor.shape()[..] {
            [kh, kw, inputs, _] => exponent(kh * kw * inputs),
            [inputs, _] => exponent(inputs),
            _ => -3,
        };
        let mut data = values(seed as u64, n, exp2);
        if name.ends_with("running_var") || (name.starts_with("bn") && name.ends_with("weight")) {
            data.iter_mut().for_each(|x| *x += 1.0);
        }
        if name == "conv1.weight" {
            // So large that LRN's constants are felt.
            data.iter_mut().for_each(|x| *x *= 16.0);
        }
        tensor.write(&data).unwrap();
    }
    network.with_class_names(&names(5)).unwrap()
}

/// What is behind the header of a safetensors file.
fn elements(bytes: &[u8]) -> &[u8] {
    let length = u64::from_le_bytes(*bytes.first_chunk().unwrap());
    &bytes[8 + usize::try_from(length).unwrap()..]
}

#[test]
fn torchvisions_alexnet_gives_pytorchs_logits_and_goes_back_bit_for_bit() {
    let text = fs::read_to_string(golden("torchvision.json")).unwrap();
    let recorded: Value = serde_json::from_str(&text).unwrap();
    let mut tensors = Vec::new();
    for (seed, entry) in (0..).zip(recorded["tensors"].as_array().unwrap()) {
        let (name, shape): (String, Vec<usize>) = serde_json::from_value(entry.clone()).unwrap();
        let fan_in = if shape.len() > 1 {
            shape[1..].iter().product()
        } else {
            600
        };
        let n = shape.iter().product();
        tensors.push((name, shape, values(seed, n, exponent(fan_in))));
    }
    let folder = tempfile::tempdir().unwrap();
    let [theirs, back] = ["theirs", "back"].map(|name| folder.path().join(name));
    let bytes = tensor_file_bytes(tensors, "format", "pt").unwrap();
    fs::write(&theirs, &bytes).unwrap();
    let network = Network::import_torchvision(&theirs, &Device::cpu()).unwrap();
    let expected: Vec<Vec<f64>> = serde_json::from_value(recorded["logits"].clone()).unwrap();
    let found = logits(&network, &values(99, 2 * 3 * 224 * 224, 1), 2);
    let largest = expected
        .iter()
        .flatten()
        .fold(0.0_f64, |most, x| most.max(x.abs()));
    // 8 u sqrt(terms) of the largest logit: see `Network::export`.
    let tolerance = 8.0 * f64::from(f32::EPSILON) * 24_000.0_f64.sqrt() * largest;
    assert!(largest > 0.01, "logits that say something: {largest}");
    for (expected, &found) in expected.iter().flatten().zip(&found) {
        let difference = (expected - f64::from(found)).abs();
        assert!(
            difference <= tolerance,
            "{found} in place of {expected}, {tolerance} allowed"
        );
    }
    assert_eq!(network.preparation(), Some(&Preparation::torchvision()));
    network.export(Format::Torchvision, None, &back).unwrap();
    let written = fs::read(&back).unwrap();
    assert!(
        elements(&written) == elements(&bytes),
        "the same elements come back"
    );
    let file = TensorFile::open(&back).unwrap();
    assert!(
        file.metadata("images").unwrap().contains("\"resize\":256"),
        "with how images are prepared"
    );
    let order = TensorFile::open(&theirs).unwrap();
    assert_eq!(file.tensors(), order.tensors());
}

#[test]
fn files_that_are_no_torchvision_alexnet_are_refused_and_other_networks_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let refused = || {
        Network::import_torchvision(&path, &Device::cpu())
            .unwrap_err()
            .to_string()
    };
    let one = |name: &str, n: usize| vec![(name.to_owned(), vec![n], vec![0.0; n])];
    for (tensors, part) in [
        (one("conv1.weight", 3), "classifier.6.bias"),
        (one("classifier.6.bias", 3), "features.0.weight"),
        (one("classifier.6.bias", 1), "classes"),
    ] {
        fs::write(&path, tensor_file_bytes(tensors, "format", "pt").unwrap()).unwrap();
        assert!(refused().contains(part), "{part} in {}", refused());
    }
    // Names for another number of classes are refused with both.
    let three = tensor_file_bytes(one("classifier.6.bias", 3), "format", "pt");
    fs::write(&path, three.unwrap()).unwrap();
    let two = Import {
        class_names: Some(names(2)),
        new_head: None,
    };
    let message = Network::import(&path, &two, &Device::cpu()).unwrap_err();
    let message = message.to_string();
    assert!(
        message.contains("expected 3 names") && message.contains("got 2"),
        "{message}"
    );
    fs::copy(golden("state_dict.pth"), &path).unwrap();
    assert!(refused().contains("classifier.6.bias"), "{}", refused());
    fs::write(&path, b"PK\x03\x04 and no more").unwrap();
    assert!(refused().contains("torch.save"), "{}", refused());
    let small = lively("alexnet-small", 32);
    let error = small.export(Format::Torchvision, None, &path).unwrap_err();
    assert!(matches!(error, Error::Argument { .. }), "{error}");
    assert_eq!(
        fs::read(&path).unwrap(),
        b"PK\x03\x04 and no more",
        "what was there stays"
    );
}

#[test]
fn own_files_and_keras_files_hold_the_same_network() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["alexnet-small", "alexnet-cifar"] {
        let network = lively(name, 32);
        let (own, keras) = (folder.path().join("own"), folder.path().join("keras"));
        let exported = network.export(Format::Safetensors, None, &own).unwrap();
        assert_eq!((exported.difference, exported.tolerance), (0.0, 0.0));
        let again = Network::open(&own, &Device::cpu()).unwrap();
        assert_eq!(again.class_names(), Some(&names(5)[..]));
        assert!(
            again.to_bytes().unwrap() == network.to_bytes().unwrap(),
            "{name}"
        );
        let exported = network.export(Format::Keras, None, &keras).unwrap();
        assert_eq!((exported.difference, exported.tolerance), (0.0, 0.0));
        assert!(fs::read(&keras).unwrap().starts_with(b"\x89HDF"), "{name}");
    }
}

#[test]
fn class_names_are_kept_checked_and_optional() {
    let architecture = Architecture::new("alexnet-small", Some(5), None).unwrap();
    let network = Network::new(architecture, 1, &Device::cpu()).unwrap();
    assert!(
        network.clone().with_class_names(&names(4)).is_err(),
        "one is missing"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let plain = network.to_bytes().unwrap();
    fs::write(&path, &plain).unwrap();
    assert_eq!(
        Network::open(&path, &Device::cpu()).unwrap().class_names(),
        None
    );
    let named = network
        .with_class_names(&names(5))
        .unwrap()
        .to_bytes()
        .unwrap();
    assert!(
        named == named.clone() && named.len() > plain.len(),
        "the names are in it"
    );
    fs::write(&path, &named).unwrap();
    let file = TensorFile::open(&path).unwrap();
    assert_eq!(file.all_metadata().len(), 3, "network, classes, sha256");
    assert_eq!(file.tensors()["fc8.bias"], ("F32".to_owned(), vec![5]));
}

/// A Python that has onnxruntime: `$ONNX_PYTHON`, or the one on the path.
fn python() -> Option<String> {
    let candidates = [
        std::env::var("ONNX_PYTHON").ok(),
        Some("python3".to_owned()),
    ];
    candidates.into_iter().flatten().find(|python| {
        let check = Command::new(python)
            .args(["-c", "import onnxruntime, numpy"])
            .output();
        check.is_ok_and(|output| output.status.success())
    })
}

/// Without Python, the export's own check remains: the written file is run by operators of this project.
#[test]
fn onnx_files_give_the_live_networks_logits() {
    let python = python();
    if python.is_none() {
        eprintln!(
            "no Python with onnxruntime here (ONNX_PYTHON): the files are checked by our own runner alone"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    let networks = NETWORKS.iter().map(|&(name, size)| lively(name, size));
    for network in networks.chain([own()]) {
        let name = network.architecture().name();
        let path = folder.path().join(format!("{name}.onnx"));
        let exported = network
            .export(Format::Onnx, Some(&pixels()), &path)
            .unwrap();
        assert!(
            exported.tolerance > 0.0,
            "{name}: logits that say something"
        );
        if python.is_some() {
            let pixels: usize = network.architecture().input().iter().product();
            let images = values(7, 2 * pixels, 1);
            let bytes: Vec<u8> = images.iter().flat_map(|x| x.to_le_bytes()).collect();
            fs::write(path.with_extension("onnx.input"), bytes).unwrap();
            let ours = logits(&network, &images, 2);
            expected.push((path, ours));
        }
    }
    let Some(python) = python else { return };
    let mut script = Command::new(python);
    script.arg(golden("onnx_logits.py"));
    script.args(expected.iter().map(|(path, _)| path));
    let output = script.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    for (path, ours) in expected {
        let theirs = fs::read(path.with_extension("onnx.logits")).unwrap();
        let (theirs, _) = theirs.as_chunks::<4>();
        let largest = ours.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        assert!(largest > 1e-3, "{}: {ours:?}", path.display());
        assert_eq!(theirs.len(), ours.len());
        for (a, b) in ours.iter().zip(theirs) {
            let b = f32::from_le_bytes(*b);
            let difference = (a - b).abs() / largest;
            assert!(
                difference <= 1e-4,
                "{}: {b} in place of {a}, of {largest}",
                path.display()
            );
        }
    }
}

/// Networks with the side that they are tried at.
pub(super) const NETWORKS: [(&str, usize); 9] = [
    ("alexnet-small", 32),
    ("alexnet-cifar", 32),
    ("alexnet-quick", 32),
    ("alexnet", 67),
    ("alexnet-ungrouped", 67),
    ("alexnet-keras", 67),
    ("alexnet-bn1", 67),
    ("alexnet-bn", 67),
    ("alexnet-torchvision", 224),
];
