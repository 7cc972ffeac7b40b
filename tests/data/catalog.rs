//! Data sets of images by name: where they are looked for, and what is said when they are not there.

use std::fs;
use std::path::Path;

use data::{DataError, DataSet, OpenOptions, open};

use super::folder::{options, plain, save};

fn open_in(dir: &Path, name: &str) -> Result<DataSet, DataError> {
    let options = OpenOptions {
        data_dir: Some(dir.to_owned()),
        download: false,
        folder: options(),
        ..OpenOptions::default()
    };
    open(Path::new(name), &options, &mut |_| {})
}

#[test]
fn flowers_are_found_by_either_name() {
    for folder in ["flower_photos", "flowers256"] {
        let dir = tempfile::tempdir().unwrap();
        let message = open_in(dir.path(), "flowers").unwrap_err().to_string();
        assert!(message.contains("flower_photos.tgz"), "{message}");
        for (class, colour) in [("daisy", 10), ("tulips", 200)] {
            for name in 0..5 {
                let path = dir.path().join(format!("{folder}/{class}/{name}.jpg"));
                save(path, &plain(12, 9, [colour; 3]));
            }
        }
        let set = open_in(dir.path(), "flowers").unwrap();
        let validation = set.validation.unwrap();
        assert_eq!(set.name, "flowers");
        assert_eq!((set.train.len(), validation.len()), (8, 2), "a fifth");
    }
}

#[test]
fn imagenet_is_read_where_it_lies_and_said_where_to_put() {
    let dir = tempfile::tempdir().unwrap();
    let message = open_in(dir.path(), "imagenet").unwrap_err().to_string();
    let place = format!("{}/imagenet/{{train,val}}/CLASS", dir.path().display());
    assert!(
        message.contains(&place) && message.contains("image-net.org"),
        "{message}"
    );
    for split in ["train", "val"] {
        for class in ["n01440764", "n01443537"] {
            let path = dir.path().join(format!("imagenet/{split}/{class}/1.JPEG"));
            let image = save(path.with_extension("jpg"), &plain(12, 9, [7; 3]));
            fs::rename(image, path).unwrap();
        }
    }
    let set = open_in(dir.path(), "imagenet").unwrap();
    let (validation, test) = (set.validation.unwrap(), set.test.unwrap());
    assert_eq!(
        (set.train.len(), validation.len(), test.len()),
        (2, 2, 2),
        "the validation images are the test"
    );
    let broken = dir.path().join("imagenet/train/n01440764/2.JPEG");
    fs::write(&broken, b"broken").unwrap();
    let set = open_in(dir.path(), "imagenet").unwrap();
    let message = set.train.read_all().unwrap_err().to_string();
    assert!(
        message.contains("2.JPEG"),
        "found when its turn comes: {message}"
    );
}
