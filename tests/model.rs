//! The networks: published counts and shapes, weight files and their errors, and a forward pass on every device.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[path = "model/interchange.rs"]
mod interchange;
#[path = "model/keras.rs"]
mod keras;
#[path = "model/layers.rs"]
mod layers;

use std::path::Path;

use model::{Architecture, Error, Mode, Network, TensorFile, tensor_file_bytes};
use tensor::{Device, Tensor};

fn small(classes: usize) -> Architecture {
    Architecture::new("alexnet-small", Some(classes), None).unwrap()
}

#[test]
fn parameters_are_as_many_as_published() {
    for (name, classes, size, parameters) in [
        ("alexnet-small", 10, 32, 2_887_306),
        ("alexnet", 1000, 227, 60_965_224),
        ("alexnet-ungrouped", 10, 227, 58_322_314),
        ("alexnet-torchvision", 1000, 224, 61_100_840),
        ("alexnet-keras", 10, 227, 58_322_826),
        ("alexnet-bn1", 100, 227, 58_691_236),
        ("alexnet-bn", 5, 227, 58_304_581),
        ("alexnet-flowers", 5, 227, 58_304_581),
        ("lenet", 10, 28, 62_006),
        ("alexnet-cifar", 10, 32, 3_656_714),
    ] {
        let network = Architecture::new(name, Some(classes), Some(size)).unwrap();
        assert_eq!(network.summary().parameters(), parameters, "{name}");
    }
}

#[test]
fn layers_of_the_keras_walk_through_have_its_parameters() {
    let network = Architecture::new("alexnet-keras", None, None).unwrap();
    let summary = network.summary();
    for (layer, parameters) in [
        ("conv1", 34_944),
        ("conv2", 614_656),
        ("conv3", 885_120),
        ("conv4", 1_327_488),
        ("conv5", 884_992),
        ("fc7", 16_781_312),
    ] {
        let row = summary
            .rows()
            .iter()
            .find(|row| row.layer == layer)
            .unwrap();
        assert_eq!(row.parameters, parameters, "{layer}");
    }
}

#[test]
fn a_summary_names_layers_shapes_and_parameters() {
    let summary = small(10).summary();
    let text = summary.to_string();
    for part in [
        "conv1",
        "[16, 16, 48]",
        "7,104",
        "[3072]",
        "1,573,376",
        "2,887,306",
        "convolution, ReLU",
        "dense, ReLU",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let norm = Architecture::new("alexnet-cifar", None, None).unwrap();
    let norm = norm.summary();
    let row = norm.rows().iter().find(|row| row.layer == "bn1").unwrap();
    assert_eq!(row.settings, [("epsilon", 1e-5)], "not Keras' own 1e-3");
}

#[test]
fn a_size_that_a_layer_cannot_take_is_an_error_that_names_the_layer() {
    let error = Architecture::new("alexnet", None, Some(40)).unwrap_err();
    assert!(
        matches!(&error, Error::LayerInput { layer, .. } if layer == "pool5"),
        "{error}"
    );
    for (name, classes, size) in [("vgg", 10, 32), ("alexnet", 1, 227), ("alexnet", 10, 0)] {
        let error = Architecture::new(name, Some(classes), Some(size)).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_they_load_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let device = Device::cpu();
    let network = Network::new(small(10), 7, &device).unwrap();
    let bytes = network.to_bytes().unwrap();
    assert_eq!(
        bytes,
        Network::new(small(10), 7, &device)
            .unwrap()
            .to_bytes()
            .unwrap()
    );
    assert_ne!(
        bytes,
        Network::new(small(10), 8, &device)
            .unwrap()
            .to_bytes()
            .unwrap()
    );
    files::replace(&path, &bytes).unwrap();
    let other = Network::new(small(10), 8, &device).unwrap();
    other.load(&path).unwrap();
    assert_eq!(
        other.to_bytes().unwrap(),
        bytes,
        "loaded over other weights"
    );
    let opened = Network::open(&path, &device).unwrap();
    assert_eq!(
        opened.to_bytes().unwrap(),
        bytes,
        "opened without knowing the network"
    );
    assert_eq!(
        opened.architecture(),
        &small(10),
        "the network that the file names"
    );
}

fn open_error(path: &Path, bytes: &[u8]) -> String {
    std::fs::write(path, bytes).unwrap();
    Network::open(path, &Device::cpu()).unwrap_err().to_string()
}

#[test]
fn damaged_weight_files_are_errors_that_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let bytes = Network::new(small(10), 7, &Device::cpu())
        .unwrap()
        .to_bytes()
        .unwrap();
    let header = |text: &str| {
        let mut file = (text.len() as u64).to_le_bytes().to_vec();
        file.extend(text.bytes());
        file
    };
    let huge = r#"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,18446744073709551615]}}"#;
    let mut renamed = bytes.clone();
    let at = renamed
        .windows(10)
        .position(|w| w == b"conv2.bias")
        .unwrap();
    renamed[at] = b'k';
    for (what, file, part) in [
        ("empty", Vec::new(), "0 bytes"),
        (
            "truncated",
            bytes[..bytes.len() - 5].to_vec(),
            "as its header says",
        ),
        (
            "cut in the header",
            bytes[..100].to_vec(),
            "header of at most 92 bytes",
        ),
        (
            "a header of exabytes",
            [0xff; 64].to_vec(),
            "header of at most",
        ),
        ("no JSON", header("hello, world"), "header"),
        ("sizes that overflow", header(huge), "header"),
        ("no network", header("{}"), "no network's name"),
        (
            "an unknown network",
            header(r#"{"__metadata__":{"network":"vgg classes=10 input_size=32"}}"#),
            "vgg",
        ),
        (
            "a tensor of another name",
            renamed,
            "tensor conv2.bias: expected F32 [128], found no such tensor",
        ),
    ] {
        let message = open_error(&path, &file);
        assert!(
            message.contains(part) && message.contains("model.safetensors"),
            "{what}: {message}"
        );
    }
    let missing = Network::open(&folder.path().join("none"), &Device::cpu());
    assert!(
        missing.unwrap_err().to_string().contains("cannot open"),
        "a missing file"
    );
}

#[test]
fn weights_of_another_network_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let device = Device::cpu();
    let bytes = Network::new(small(10), 7, &device)
        .unwrap()
        .to_bytes()
        .unwrap();
    std::fs::write(&path, bytes).unwrap();
    let error = Network::new(small(11), 7, &device)
        .unwrap()
        .load(&path)
        .unwrap_err();
    let message = error.to_string();
    for part in ["model.safetensors", "classes=11", "classes=10"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn images_of_another_size_are_an_error() {
    let device = Device::cpu();
    let network = Network::new(small(10), 7, &device).unwrap();
    let images = Tensor::from_slice(&device, &vec![0.0_f32; 28 * 28 * 3], [1, 28, 28, 3]).unwrap();
    let message = network
        .forward(&images, Mode::Eval)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("[n, 32, 32, 3]") && message.contains("[1, 28, 28, 3]"),
        "{message}"
    );
}

/// `sha256` in a file's metadata is that of the whole file, with zeros in the digest's place. Of these bytes, by Python:
/// `import hashlib, re; hashlib.sha256(re.sub(rb'(?<="sha256":")\w{64}', b'0' * 64, open(PATH, 'rb').read())).hexdigest()`.
#[test]
fn a_weight_file_carries_its_own_digest() {
    let tensors = vec![("a".to_owned(), vec![2, 1], vec![1.0, -2.5])];
    let bytes = tensor_file_bytes(tensors, "format", "pt").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    std::fs::write(&path, &bytes).unwrap();
    let shapes = [("a".to_owned(), vec![2, 1])];
    let file = TensorFile::open(&path).unwrap();
    let digest = "c0946b6dee19795c9260b6b34eb2afb044925e6c9ca2be1273a6e081fdf9dfe2";
    assert_eq!(file.metadata("sha256"), Some(digest));
    assert_eq!(file.read(&shapes).unwrap(), [[1.0, -2.5]]);
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, flipped).unwrap();
        let read = TensorFile::open(&path).and_then(|file| file.read(&shapes));
        match read {
            Err(error) => assert!(error.to_string().contains("a.safetensors"), "{error}"),
            // The name of the digest's own key, without which a file is as those that have none.
            Ok(values) => assert_eq!(values, [[1.0, -2.5]], "bit {bit}"),
        }
    }
}

#[test]
fn a_damaged_weight_file_is_refused_and_one_without_a_digest_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let network = Network::new(small(10), 7, &Device::cpu()).unwrap();
    let bytes = network.to_bytes().unwrap();
    for at in [bytes.len() - 1, bytes.len() / 2] {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        let message = open_error(&path, &flipped);
        assert!(message.contains("SHA-256"), "{message}");
    }
    // As files were written before they had one.
    let at = bytes.windows(6).position(|w| w == b"sha256").unwrap();
    let mut old = bytes.clone();
    old[at..at + 6].copy_from_slice(b"nobody");
    *old.last_mut().unwrap() ^= 1;
    std::fs::write(&path, old).unwrap();
    Network::open(&path, &Device::cpu()).unwrap();
}
