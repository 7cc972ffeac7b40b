//! Folders as people have them: names of splits in any case, archives inside archives, systems' own folders.

use std::fs;
use std::path::Path;

use data::{DataSet, OpenOptions, open};

use super::folder::{plain, read, save, two_classes};

/// Puts an image at each of these places.
pub(super) fn images(places: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for place in places {
        save(dir.path().join(place), &plain(2, 2, [7; 3]));
    }
    dir
}

fn lengths(set: &DataSet) -> [usize; 3] {
    let len = |images: &Option<data::Images>| images.as_ref().map_or(0, data::Images::len);
    [set.train.len(), len(&set.validation), len(&set.test)]
}

fn error(root: &Path) -> String {
    read(root).unwrap_err().to_string()
}

#[test]
fn splits_are_found_under_all_their_names() {
    for [train, val, test] in [
        ["train", "val", "test"],
        ["Train", "Val", "Test"],
        ["TRAIN", "VALID", "TEST"],
        ["Training", "Validation", "Testing"],
        ["training_set", "validation_set", "test_set"],
        ["training-set", "dev", "Test Set"],
    ] {
        let places = [train, train, val, test].map(|split| format!("{split}/a/1.png"));
        let places = places.iter().map(String::as_str);
        let dir = images(&places.collect::<Vec<_>>());
        save(dir.path().join(train).join("b/1.png"), &plain(2, 2, [7; 3]));
        let set = read(dir.path()).unwrap();
        assert_eq!(set.class_names(), ["a", "b"], "{train}");
        assert_eq!(lengths(&set), [2, 1, 1], "{train}");
        let notes = &set.left_out.notes;
        assert_eq!(notes.len(), 2, "class b is missing twice: {notes:?}");
        assert!(
            notes[0].contains("no folder for 1 classes (b)"),
            "{notes:?}"
        );
    }
}

#[test]
fn two_folders_for_a_split_or_none_for_training_are_errors() {
    let dir = images(&[
        "train/a/1.png",
        "train/b/1.png",
        "val/a/1.png",
        "Valid/a/1.png",
    ]);
    assert!(
        error(dir.path()).ends_with("expected one folder for each split, found both Valid and val")
    );
    let dir = images(&["test/a/1.png", "test/b/1.png", "val/a/1.png", "val/b/1.png"]);
    let message = error(dir.path());
    assert!(
        message.contains("expected a training folder") && message.ends_with("test and val"),
        "{message}"
    );
    let dir = images(&["train/1.png", "train/2.png", "test/1.png"]);
    let message = error(dir.path());
    assert!(
        message.contains("/train: expected folders, one a class"),
        "{message}"
    );
    assert!(message.ends_with("found 2 images"), "{message}");
}

#[test]
fn a_flat_test_folder_is_told_and_left_out() {
    let dir = images(&[
        "train/a/1.png",
        "train/b/1.png",
        "test/1.png",
        "test/2.png",
        "val/1.png",
    ]);
    let set = read(dir.path()).unwrap();
    assert_eq!(lengths(&set), [2, 0, 0]);
    let expected = [
        "val: 1 images without class folders: not used; `predict` classifies them",
        "test: 2 images without class folders: not used; `predict` classifies them",
    ];
    assert_eq!(set.left_out.notes, expected);
}

#[test]
fn archives_inside_a_folder_of_their_name_are_opened() {
    let dir = images(&[
        "flowers/train/a/1.png",
        "flowers/train/b/1.png",
        "flowers/test/a/1.png",
    ]);
    assert_eq!(lengths(&read(dir.path()).unwrap()), [2, 0, 1]);
    let dir = images(&["flowers/a/1.png", "flowers/b/1.png"]);
    assert_eq!(read(dir.path()).unwrap().class_names(), ["a", "b"]);
    let dir = images(&[
        "training_set/training_set/a/1.png",
        "training_set/training_set/b/1.png",
        "test_set/test_set/a/1.png",
    ]);
    let set = read(dir.path()).unwrap();
    assert_eq!(
        (set.class_names(), lengths(&set)),
        (&["a".to_owned(), "b".to_owned()][..], [2, 0, 1])
    );
}

#[test]
fn folders_of_systems_and_editors_are_no_classes() {
    let dir = two_classes();
    for name in [
        "__MACOSX",
        "@eaDir",
        "#recycle",
        "$RECYCLE.BIN",
        "System Volume Information",
        "lost+found",
        ".ipynb_checkpoints",
        ".git",
        ".idea",
        ".vscode",
        ".thumbnails",
        "__pycache__",
    ] {
        for place in [dir.path().join(name), dir.path().join("cat").join(name)] {
            save(place.join("1.png"), &plain(2, 2, [7; 3]));
        }
    }
    for name in ["._1.png", "Thumbs.db", "desktop.ini", ".DS_Store"] {
        fs::write(dir.path().join("cat").join(name), "x").unwrap();
    }
    let set = read(dir.path()).unwrap();
    assert_eq!((set.class_names().len(), set.train.len()), (2, 2));
    assert!(set.left_out.files.is_empty(), "{:?}", set.left_out);
    let found = data::images_under(dir.path());
    assert_eq!((found.files.len(), found.left_out.files.len()), (2, 0));
}

#[test]
fn images_and_folders_beside_the_classes_are_told() {
    let dir = images(&["train/a/1.png", "train/b/1.png", "Meta/1.png"]);
    let set = open(
        dir.path(),
        &OpenOptions {
            validation: data::Validation::Count(0),
            ..OpenOptions::default()
        },
        &mut |_| {},
    );
    assert_eq!(
        set.unwrap().left_out.notes,
        ["Meta: beside the splits: not used"]
    );
    let dir = two_classes();
    save(dir.path().join("3.png"), &plain(2, 2, [7; 3]));
    let notes = read(dir.path()).unwrap().left_out.notes;
    assert!(
        notes[0].ends_with("1 images beside the folders: not used"),
        "{notes:?}"
    );
}
