//! What other programs leave on disk: the layouts of torchvision, Keras and Kaggle, as folders and as archives.

use std::fs;
use std::path::Path;

use data::{DataError, DataSet, OpenOptions, Stage, Validation, open};

use super::folder::{options, plain, save};
use super::pickled::{Python, write_cifar10, write_cifar100};

/// Opens from a data directory without downloading; the set, and the lines that were said.
fn opened(
    dir: &Path,
    name: &str,
    validation: &Validation,
) -> (Result<DataSet, DataError>, Vec<String>) {
    let options = OpenOptions {
        data_dir: Some(dir.to_owned()),
        download: false,
        validation: validation.clone(),
        folder: options(),
        ..OpenOptions::default()
    };
    let mut lines = Vec::new();
    let set = open(Path::new(name), &options, &mut |progress| {
        if progress.stage == Stage::Note {
            lines.push(progress.what.to_owned());
        }
    });
    (set, lines)
}

fn sizes(set: &DataSet) -> [usize; 3] {
    let n = |images: &Option<data::Images>| images.as_ref().map_or(0, data::Images::len);
    [set.train.len(), n(&set.validation), n(&set.test)]
}

/// `folder` of `dir` as a gzipped archive.
fn pack(dir: &Path, folder: &str, archive: &Path) {
    let file = fs::File::create(archive).unwrap();
    let gz = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    let mut tar = tar::Builder::new(gz);
    tar.append_dir_all(folder, dir.join(folder)).unwrap();
    tar.into_inner().unwrap().finish().unwrap();
}

#[test]
fn cifar_is_found_where_torchvision_and_keras_put_it() {
    for folder in [
        "cifar-10-batches-py",
        "cifar-10-batches-py-target/cifar-10-batches-py",
        "",
    ] {
        let dir = tempfile::tempdir().unwrap();
        write_cifar10(&dir.path().join(folder), Python::Two, 4);
        let (set, lines) = opened(dir.path(), "cifar10", &Validation::Fraction(0.2));
        assert_eq!(sizes(&set.unwrap()), [16, 4, 4], "{folder}");
        assert!(lines.len() == 1 && lines[0].contains("using"), "{lines:?}");
    }
    let dir = tempfile::tempdir().unwrap();
    write_cifar100(&dir.path().join("cifar-100-python"), Python::Four, 40);
    for name in ["cifar100", "cifar100-coarse"] {
        let (set, _) = opened(dir.path(), name, &Validation::Count(0));
        assert_eq!(sizes(&set.unwrap()), [40, 0, 40], "{name}");
    }
}

#[test]
fn archives_are_unpacked_and_what_is_not_whole_is_told() {
    let made = tempfile::tempdir().unwrap();
    write_cifar10(&made.path().join("cifar-10-batches-py"), Python::Two, 4);
    for name in [
        "cifar-10-python.tar.gz",
        "cifar-10-batches-py.tar.gz",
        "cifar-10-batches-py-target_archive",
    ] {
        let dir = tempfile::tempdir().unwrap();
        pack(made.path(), "cifar-10-batches-py", &dir.path().join(name));
        // Half a download of another one is passed over.
        fs::write(
            dir.path().join("cifar-10-binary.tar.gz"),
            b"\x1f\x8b\x08half",
        )
        .unwrap();
        let by_file = Validation::File("data_batch_5".to_owned());
        let (set, lines) = opened(dir.path(), "cifar10", &by_file);
        assert_eq!(sizes(&set.unwrap()), [16, 4, 4], "{name}: {lines:?}");
        let told = |parts: [&str; 2]| {
            let has = |line: &&String| parts.iter().all(|part| line.contains(part));
            lines.iter().filter(has).count()
        };
        assert_eq!(told(["binary.tar.gz", "not used"]), 1, "{lines:?}");
        assert_eq!(told([name, "not the published file"]), 1, "{lines:?}");
        let (set, lines) = opened(dir.path(), "cifar10", &by_file);
        assert_eq!(sizes(&set.unwrap()), [16, 4, 4], "unpacked: {lines:?}");
    }
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("cifar-10-batches-py");
    write_cifar10(&folder, Python::Two, 4);
    fs::remove_file(folder.join("data_batch_3")).unwrap();
    let (set, lines) = opened(dir.path(), "cifar10", &Validation::Default);
    assert!(matches!(set, Err(DataError::Missing { .. })), "{set:?}");
    assert!(
        lines.len() == 1 && lines[0].contains("not used: no data_batch_3 in it"),
        "{lines:?}"
    );
}

/// MNIST's four files with two images each, under names that `name` makes of their own.
fn write_mnist(folder: &Path, name: impl Fn(&str) -> String) {
    for split in ["train", "t10k"] {
        let images = [
            0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 230, 240,
        ];
        let labels = [0, 0, 8, 1, 0, 0, 0, 2, 0, 1];
        for (kind, bytes) in [("images-idx3", &images[..]), ("labels-idx1", &labels)] {
            let path = folder.join(name(&format!("{split}-{kind}-ubyte")));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
}

#[test]
fn mnist_is_found_under_each_of_its_names() {
    let dotted = |name: &str| name.replace("-idx", ".idx");
    for (set, folder) in [
        ("mnist", "MNIST/raw"),
        ("fashion-mnist", "FashionMNIST/raw"),
        ("mnist", "mnist"),
        ("fashion-mnist", ""),
    ] {
        let dir = tempfile::tempdir().unwrap();
        write_mnist(&dir.path().join(folder), str::to_owned);
        let (found, lines) = opened(dir.path(), set, &Validation::Count(0));
        assert_eq!(sizes(&found.unwrap()), [2, 0, 2], "{folder}: {lines:?}");
    }
    for name in [&dotted as &dyn Fn(&str) -> String, &|name: &str| {
        format!("{name}/{name}")
    }] {
        let dir = tempfile::tempdir().unwrap();
        write_mnist(dir.path(), name);
        let (found, _) = opened(dir.path(), "mnist", &Validation::Count(0));
        assert_eq!(sizes(&found.unwrap()), [2, 0, 2], "{}", name("x-idx3"));
    }
}

#[test]
fn flowers_are_a_folder_or_an_archive_with_or_without_splits() {
    for folder in ["flower_photos", "flower_data"] {
        let dir = tempfile::tempdir().unwrap();
        for (split, n) in [("train", 4), ("val", 2)] {
            for class in ["daisy", "tulips"] {
                for number in 0..n {
                    let path = format!("{folder}/{split}/{class}/{number}.png");
                    save(dir.path().join(path), &plain(12, 9, [number * 9; 3]));
                }
            }
        }
        let (set, _) = opened(dir.path(), "flowers", &Validation::Default);
        assert_eq!(sizes(&set.unwrap()), [8, 4, 0], "{folder}: its own split");
        if folder == "flower_photos" {
            let other = tempfile::tempdir().unwrap();
            pack(dir.path(), folder, &other.path().join("flower_photos.tgz"));
            let (set, lines) = opened(other.path(), "flowers", &Validation::Default);
            assert_eq!(sizes(&set.unwrap()), [8, 4, 0], "{lines:?}");
            assert!(lines[0].contains("flower_photos.tgz"), "{lines:?}");
        }
    }
}
