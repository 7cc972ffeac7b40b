//! Labels from CSV files and lists.

use std::fs;
use std::path::Path;

use data::{DataSet, FolderOptions, OpenOptions, Unreadable, Validation, open};

use super::layouts::images;

const FILES: [&str; 4] = ["train/1.png", "train/2.png", "train/3.png", "train/10.png"];

pub(super) fn opened(path: &Path, unreadable: Unreadable) -> Result<DataSet, String> {
    let options = OpenOptions {
        validation: Validation::Count(0),
        folder: FolderOptions {
            unreadable,
            size: [8, 8],
            ..FolderOptions::default()
        },
        ..OpenOptions::default()
    };
    open(path, &options, &mut |_| {}).map_err(|error| error.to_string())
}

/// File names, with the class of each.
pub(super) fn classes(set: &DataSet) -> Vec<String> {
    let images = &set.train;
    let one = |(index, label): (usize, &u32)| {
        let name = images
            .path(index)
            .unwrap()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap();
        format!("{name} {}", images.class_names()[*label as usize])
    };
    images.labels().iter().enumerate().map(one).collect()
}

#[test]
fn lists_of_all_forms_say_the_same() {
    let expected = ["1.png cat", "2.png a dog", "3.png cat", "10.png cat"];
    for (name, text) in [
        (
            "labels.csv",
            "image,label\n1.png,cat\n2.png,a dog\n3.png,cat\n10.png,cat\n",
        ),
        (
            "trainLabels.csv",
            "id,label\r\n1,cat\r\n2,a dog\r\n3,cat\r\n10,cat\r\n",
        ),
        (
            "mine.csv",
            "\u{feff}image;class\n1.png;cat\n2.png;\"a dog\"\n3.png;cat\n\n10.png;cat",
        ),
        (
            "mine.tsv",
            "train/1.png\tcat\ntrain/2.png\ta dog\ntrain/3.png\tcat\ntrain/10.png\tcat\n",
        ),
        (
            "mine.csv",
            "1.png,cat\n2.png, a dog\n3.png,cat\n10.png,cat\n",
        ),
        (
            "Train.csv",
            "Width,ClassId,Path\n5,cat,train/1.png\n5,a dog,train/2.png\n5,cat,train/3.png\n5,cat,train/10.png\n",
        ),
    ] {
        let dir = images(&FILES);
        fs::write(dir.path().join(name), text).unwrap();
        let set = opened(&dir.path().join(name), Unreadable::Fail).unwrap();
        assert_eq!(classes(&set), expected, "{text:?}");
        assert_eq!(set.class_names(), ["a dog", "cat"]);
        assert!(set.left_out.notes.is_empty(), "{:?}", set.left_out.notes);
        if name != "mine.csv" && name != "mine.tsv" {
            let set = opened(dir.path(), Unreadable::Fail).unwrap();
            assert_eq!(classes(&set), expected, "found in its folder");
        }
    }
}

#[test]
fn a_file_list_has_paths_with_spaces_and_splits_beside_it() {
    let dir = images(&["a b/1.png", "a b/2.png", "a b/3.png", "a b/4.png"]);
    let path = dir.path().join("train.txt");
    fs::write(&path, "a b/1.png 10\na b/2.png 9\n").unwrap();
    fs::write(dir.path().join("val.txt"), "a b/3.png 9\n").unwrap();
    fs::write(
        dir.path().join("test.txt"),
        format!("{}/a b/4.png 10\n", dir.path().display()),
    )
    .unwrap();
    let set = opened(&path, Unreadable::Fail).unwrap();
    assert_eq!(
        (classes(&set), set.class_names()),
        (
            vec!["1.png 10".to_owned(), "2.png 9".to_owned()],
            &["9".to_owned(), "10".to_owned()][..]
        )
    );
    assert_eq!(set.validation.unwrap().labels(), [0]);
    assert_eq!(set.test.unwrap().labels(), [1]);
    fs::write(dir.path().join("val.txt"), "a b/3.png 11\n").unwrap();
    let message = opened(&path, Unreadable::Fail).unwrap_err();
    assert!(
        message.ends_with("val.txt: line 1: expected a class of the training list, found 11"),
        "{message}"
    );
}

#[test]
fn what_does_not_agree_is_told_by_line() {
    let dir = images(&FILES);
    let path = dir.path().join("labels.csv");
    let message = |text: &str| {
        fs::write(&path, text).unwrap();
        let message = opened(&path, Unreadable::Fail).unwrap_err();
        assert_eq!(message.lines().count(), 1, "{message}");
        message
    };
    let conflict = message("image,label\n1.png,cat\n2.png,dog\n1.png,dog\n");
    assert!(
        conflict.ends_with("labels.csv: line 4: expected cat as in line 2, found dog"),
        "{conflict}"
    );
    let missing = message("image,label\n1.png,cat\n7.png,dog\n2.png,dog\n8.png,dog\n");
    assert!(
        missing.contains("labels.csv: line 3: expected an image in "),
        "{missing}"
    );
    assert!(
        missing.ends_with("found no file 7.png; 2 lines name no file (line 3, line 5)"),
        "{missing}"
    );
    let empty = message("image,label\n1.png,\n2.png,dog\n");
    assert!(
        empty.ends_with("line 2: expected a file and its label, found `1.png` and ``"),
        "{empty}"
    );
    let columns = message("width,height,label\n1,2,cat\n");
    assert!(
        columns.contains("line 1: expected a column `image`"),
        "{columns}"
    );
    let one = message("image,label\n1.png,cat\n");
    assert!(
        one.ends_with("expected labels of at least 2 classes, found 1"),
        "{one}"
    );
    let bytes = message("image,label\n1.png,\u{1b}[2J\n1.png,x\n");
    assert!(!bytes.contains('\u{1b}'), "{bytes}");
    let quote = message(&format!("image,label\n1.png,\"{}\n", "x".repeat(100_000)));
    assert!(quote.contains("a row of at most 65536 bytes"), "{quote}");
    message("");
}

#[test]
fn missing_extra_and_repeated_images_are_listed() {
    let dir = images(&FILES);
    let path = dir.path().join("labels.csv");
    fs::write(
        &path,
        "image,label\n1.png,cat\n7.png,dog\n2.png,dog\n1.png,cat\n",
    )
    .unwrap();
    fs::write(dir.path().join("test.csv"), "id\n1\n").unwrap();
    let set = opened(dir.path(), Unreadable::Skip).unwrap();
    assert_eq!(classes(&set), ["1.png cat", "2.png dog"]);
    assert_eq!(set.skipped[0].reason, "line 3: no file 7.png");
    let expected = [
        "labels.csv: 1 lines repeat an image (line 5): used once",
        "labels.csv: 2 images are not in the list (3.png, 10.png): not used",
        "test.csv: no labels: not used",
    ];
    assert_eq!(set.left_out.notes, expected);
}

#[test]
fn the_folder_of_the_images_can_be_given() {
    let dir = images(&FILES);
    let lists = tempfile::tempdir().unwrap();
    let path = lists.path().join("some.csv");
    fs::write(&path, "x,y\n1,cat\n2,dog\n").unwrap();
    let options = OpenOptions {
        validation: Validation::Count(0),
        folder: FolderOptions {
            images_dir: Some(dir.path().join("train")),
            ..FolderOptions::default()
        },
        ..OpenOptions::default()
    };
    let set = open(&path, &options, &mut |_| {}).unwrap();
    assert_eq!(classes(&set), ["1.png cat", "2.png dog"]);
    let note = &set.left_out.notes[0];
    assert!(note.contains("taken as the names of the columns"), "{note}");
}
