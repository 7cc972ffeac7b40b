//! The bodies of the fuzz targets: each hands any bytes to one parser, which must return, in little time and memory. They tell
//! whether the parser came to the end of them, so that a test can see that whole files do. Included by `fuzz/` and by the test
//! that runs them without a fuzzer.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use data::{Check, Cifar, DecodeOptions, Fit, FolderOptions};
use model::{Import, Network, TensorFile};
use tensor::Device;
use train::{Evaluation, Recipe, Row, StepRow, Summary, Sweep, Weights};
use verify::parity;

/// A parser under its name.
pub(crate) type Target = (&'static str, fn(&[u8]) -> bool);

/// All of them.
pub(crate) const TARGETS: [Target; 14] = [
    ("weights", weights),
    ("imported", imported),
    ("recipe", recipe),
    ("sweep", sweep),
    ("rows", rows),
    ("cifar", cifar),
    ("pickle", pickle),
    ("idx", idx),
    ("archive", archive),
    ("image", image),
    ("manifest", manifest),
    ("settings", settings),
    ("labels", labels),
    ("state", state),
];

/// Hands a new folder with a file of this name and content, and the file, to `read`.
fn in_folder(name: &str, bytes: &[u8], read: impl FnOnce(&Path, &Path) -> bool) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    read(folder.path(), &path)
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Our own weight files.
pub(crate) fn weights(bytes: &[u8]) -> bool {
    in_folder("model.safetensors", bytes, |_, path| {
        drop(Network::open(path, &Device::cpu()));
        TensorFile::open(path).is_ok_and(|file| {
            let tensors = file.tensors().into_iter();
            let expected: Vec<_> = tensors.map(|(name, (_, shape))| (name, shape)).collect();
            file.read(&expected).is_ok()
        })
    })
}

/// PyTorch's files and torchvision's names. The end is to find other tensors than torchvision's: those have 244 MB.
pub(crate) fn imported(bytes: &[u8]) -> bool {
    in_folder("weights.pth", bytes, |_, path| {
        let network = Network::import(path, &Import::default(), &Device::cpu());
        matches!(network, Ok(_) | Err(model::Error::Tensor { .. }))
    })
}

/// Recipes, whole and in part.
pub(crate) fn recipe(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let path = Path::new("config.toml");
    let part = Recipe::named("shapes10").unwrap();
    let is_part = part.overridden_by(&text, path).is_ok();
    Recipe::parse(&text, path).is_ok() || is_part
}

/// `KEY=VALUE`.
pub(crate) fn settings(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let recipe = Recipe::named("shapes10").unwrap();
    recipe.with_settings(&[text]).is_ok()
}

/// Sweeps.
pub(crate) fn sweep(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    Sweep::parse(&text, Path::new("sweep.toml")).is_ok()
}

/// What a run's folder has in JSON.
pub(crate) fn rows(bytes: &[u8]) -> bool {
    let is_one = [
        serde_json::from_slice::<Row>(bytes).is_ok(),
        serde_json::from_slice::<StepRow>(bytes).is_ok(),
        serde_json::from_slice::<Summary>(bytes).is_ok(),
        serde_json::from_slice::<Evaluation>(bytes).is_ok(),
    ];
    is_one.contains(&true)
}

/// CIFAR's records.
pub(crate) fn cifar(bytes: &[u8]) -> bool {
    in_folder("train.bin", bytes, |folder, _| {
        fs::write(folder.join("test.bin"), bytes).unwrap();
        let names: Vec<_> = (0..100).map(|class| format!("{class}\n")).collect();
        fs::write(folder.join("fine_label_names.txt"), names.concat()).unwrap();
        let set = Cifar::hundred_fine().with_records(1, 1).read(folder);
        set.is_ok()
    })
}

/// CIFAR's Python batches, as images and as names.
pub(crate) fn pickle(bytes: &[u8]) -> bool {
    let names = |list: &str, n: usize| {
        let texts = (0..n).flat_map(|_| b"X\x01\x00\x00\x00a".to_vec());
        let key = [
            b"X",
            &u32::try_from(list.len()).unwrap().to_le_bytes()[..],
            list.as_bytes(),
        ];
        let texts: Vec<u8> = texts.collect();
        [b"\x80\x02}", &key.concat()[..], b"](", &texts, b"es."].concat()
    };
    in_folder("train", bytes, |folder, path| {
        fs::write(folder.join("meta"), names("fine_label_names", 100)).unwrap();
        fs::copy(path, folder.join("test")).unwrap();
        let is_batch = Cifar::hundred_fine().read(folder).is_ok();
        fs::copy(path, folder.join("meta")).unwrap();
        drop(Cifar::hundred_fine().read(folder));
        is_batch
    })
}

/// MNIST's files: as images beside right labels, and as labels beside right images, plain and compressed.
pub(crate) fn idx(bytes: &[u8]) -> bool {
    let labels = b"\0\0\x08\x01\0\0\0\x02\0\x01";
    let images = b"\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x02\x01\x02\x03\x04\x05\x06\x07\x08";
    let read = |end: &str, images: &[u8], labels: &[u8]| {
        in_folder("unused", &[], |folder, _| {
            for (content, kind) in [(images, "images-idx3"), (labels, "labels-idx1")] {
                for split in ["train", "t10k"] {
                    let name = format!("{split}-{kind}-ubyte{end}");
                    fs::write(folder.join(name), content).unwrap();
                }
            }
            data::read_idx("mnist", folder, &["a", "b"]).is_ok()
        })
    };
    let is_read = [
        read("", bytes, labels),
        read("", images, bytes),
        read(".gz", bytes, &gz(labels)),
        read(".gz", &gz(images), bytes),
    ];
    is_read.contains(&true)
}

/// Archives of data sets: as what is compressed, and as what is in it, which else a checksum protects.
pub(crate) fn archive(bytes: &[u8]) -> bool {
    let unpack = |bytes: &[u8]| {
        in_folder("archive.tar.gz", bytes, |folder, path| {
            let into = folder.join("into");
            fs::create_dir(&into).unwrap();
            data::unpack(path, "set", &into, 1 << 20, &mut |_| {}).is_ok()
        })
    };
    [unpack(bytes), unpack(&gz(bytes))].contains(&true)
}

/// Images of every format.
pub(crate) fn image(bytes: &[u8]) -> bool {
    let options = DecodeOptions {
        size: [8, 8],
        fit: Fit::Crop,
        ..DecodeOptions::default()
    };
    data::image_pixels(bytes, Path::new("image"), &options).is_ok()
}

/// Labels by CSV and by lists of files.
pub(crate) fn labels(bytes: &[u8]) -> bool {
    let options = FolderOptions {
        check: Check::Names,
        ..FolderOptions::default()
    };
    let is_read = ["labels.csv", "train.txt"].map(|name| {
        in_folder(name, bytes, |folder, path| {
            for image in ["a.png", "b.jpg", "10"] {
                fs::write(folder.join(image), b"x").unwrap();
            }
            data::read_labels(path, &options, &mut |_| {}).is_ok()
        })
    });
    is_read.contains(&true)
}

/// A checkpoint's state.
pub(crate) fn state(bytes: &[u8]) -> bool {
    in_folder("unused", &[], |folder, _| {
        let best = folder.join("checkpoints/best");
        fs::create_dir_all(&best).unwrap();
        fs::write(best.join("state.json"), bytes).unwrap();
        fs::write(best.join("model.safetensors"), b"x").unwrap();
        let recipe = Recipe::named("shapes10").unwrap().to_toml().unwrap();
        fs::write(folder.join("config.toml"), recipe).unwrap();
        Weights::find(folder).is_ok()
    })
}

/// Recorded cases of other frameworks, beside the tensors of a ReLU.
pub(crate) fn manifest(bytes: &[u8]) -> bool {
    let tensor = |name: &str, values: [f32; 3]| (name.to_owned(), vec![3], values.to_vec());
    let tensors = vec![
        tensor("x", [-1.0, 0.5, 2.0]),
        tensor("dy", [1.0, 2.0, 3.0]),
        tensor("y", [0.0, 0.5, 2.0]),
        tensor("dx", [0.0, 2.0, 3.0]),
    ];
    let tensors = model::tensor_file_bytes(tensors, "by", "hand").unwrap();
    in_folder("manifest.json", bytes, |folder, _| {
        fs::write(folder.join("relu.safetensors"), &tensors).unwrap();
        let report = parity::run(folder, &Device::cpu(), None, |_, _| {});
        report.is_ok_and(|report| report.totals() == [1, 0, 0])
    })
}
