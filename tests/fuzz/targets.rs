//! The bodies of the fuzz targets: each hands any bytes to one parser, which must return, in little time and memory. What it
//! returns is another test's concern. Included by `fuzz/` and by the test that runs them without a fuzzer.

use std::fs;
use std::path::Path;

use train::data::{self, Check, Cifar, DecodeOptions, Fit, FolderOptions};
use train::model::{Import, Network, TensorFile};
use train::{Device, Evaluation, Recipe, Row, StepRow, Summary, Sweep, Weights, parity};

/// A parser under its name.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const TARGETS: [Target; 13] = [
    ("weights", weights),
    ("imported", imported),
    ("recipe", recipe),
    ("sweep", sweep),
    ("rows", rows),
    ("cifar", cifar),
    ("idx", idx),
    ("archive", archive),
    ("picture", picture),
    ("manifest", manifest),
    ("settings", settings),
    ("labels", labels),
    ("state", state),
];

/// Puts `bytes` into a file of this name in a new folder.
fn in_folder(name: &str, bytes: &[u8], read: impl FnOnce(&Path, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    read(folder.path(), &path);
}

/// Our own weight files.
pub(crate) fn weights(bytes: &[u8]) {
    in_folder("model.safetensors", bytes, |_, path| {
        if let Ok(file) = TensorFile::open(path) {
            let tensors = file.tensors().into_iter();
            let expected: Vec<_> = tensors.map(|(name, (_, shape))| (name, shape)).collect();
            drop(file.read(&expected));
        }
        drop(Network::open(path, &Device::cpu()));
    });
}

/// PyTorch's files and torchvision's names.
pub(crate) fn imported(bytes: &[u8]) {
    in_folder("weights.pth", bytes, |_, path| {
        drop(Network::import(path, &Import::default(), &Device::cpu()));
    });
}

/// Recipes, whole and in part.
pub(crate) fn recipe(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let path = Path::new("config.toml");
    drop(Recipe::parse(&text, path));
    drop(
        Recipe::named("shapes10")
            .unwrap()
            .overridden_by(&text, path),
    );
}

/// `KEY=VALUE`.
pub(crate) fn settings(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    drop(Recipe::named("shapes10").unwrap().with_settings(&[text]));
}

/// Sweeps.
pub(crate) fn sweep(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    drop(Sweep::parse(&text, Path::new("sweep.toml")));
}

/// What a run's folder has in JSON.
pub(crate) fn rows(bytes: &[u8]) {
    drop(serde_json::from_slice::<Row>(bytes));
    drop(serde_json::from_slice::<StepRow>(bytes));
    drop(serde_json::from_slice::<Summary>(bytes));
    drop(serde_json::from_slice::<Evaluation>(bytes));
}

/// CIFAR's records.
pub(crate) fn cifar(bytes: &[u8]) {
    in_folder("train.bin", bytes, |folder, _| {
        fs::write(folder.join("test.bin"), bytes).unwrap();
        let names: Vec<_> = (0..100).map(|class| format!("{class}\n")).collect();
        fs::write(folder.join("fine_label_names.txt"), names.concat()).unwrap();
        drop(Cifar::hundred_fine().with_records(1, 1).read(folder));
    });
}

/// MNIST's files.
pub(crate) fn idx(bytes: &[u8]) {
    for end in ["", ".gz"] {
        in_folder("unused", &[], |folder, _| {
            for name in [
                "train-images-idx3-ubyte",
                "train-labels-idx1-ubyte",
                "t10k-images-idx3-ubyte",
                "t10k-labels-idx1-ubyte",
            ] {
                fs::write(folder.join(format!("{name}{end}")), bytes).unwrap();
            }
            drop(data::read_idx("mnist", folder, &["a", "b"]));
        });
    }
}

/// Archives of data sets.
pub(crate) fn archive(bytes: &[u8]) {
    for name in ["archive.tar", "archive.tar.gz"] {
        in_folder(name, bytes, |folder, path| {
            let into = folder.join("into");
            drop(data::unpack(path, "set", &into, 1 << 20, &mut |_| {}));
        });
    }
}

/// Pictures of every format.
pub(crate) fn picture(bytes: &[u8]) {
    let options = DecodeOptions {
        size: [8, 8],
        fit: Fit::Crop,
        ..DecodeOptions::default()
    };
    drop(data::picture_pixels(bytes, Path::new("picture"), &options));
}

/// Labels by CSV and by lists of files.
pub(crate) fn labels(bytes: &[u8]) {
    let options = FolderOptions {
        check: Check::Names,
        ..FolderOptions::default()
    };
    for name in ["labels.csv", "train.txt"] {
        in_folder(name, bytes, |folder, path| {
            for image in ["a.png", "b.jpg", "10"] {
                fs::write(folder.join(image), b"x").unwrap();
            }
            drop(data::read_labels(path, &options, &mut |_| {}));
        });
    }
}

/// A checkpoint's state.
pub(crate) fn state(bytes: &[u8]) {
    in_folder("unused", &[], |folder, _| {
        let best = folder.join("checkpoints/best");
        fs::create_dir_all(&best).unwrap();
        fs::write(best.join("state.json"), bytes).unwrap();
        fs::write(best.join("model.safetensors"), b"x").unwrap();
        fs::write(folder.join("config.toml"), b"x").unwrap();
        drop(Weights::find(folder));
    });
}

/// Recorded cases of other frameworks.
pub(crate) fn manifest(bytes: &[u8]) {
    in_folder("manifest.json", bytes, |folder, _| {
        drop(parity::run(folder, &Device::cpu(), None, |_, _| {}));
    });
}
