//! CIFAR's Python layout, as each Python writes it, and what is wrong with it in one line.

use std::fs;
use std::path::Path;

use data::{Cifar, DataError};

use super::pickled::{EACH, Python, write_cifar10, write_cifar100};

fn message(folder: &Path) -> String {
    let error = Cifar::ten().read(folder).unwrap_err();
    let text = error.to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[test]
fn cifar10_is_the_same_whoever_pickled_it() {
    for python in EACH {
        let dir = tempfile::tempdir().unwrap();
        write_cifar10(dir.path(), python, 3);
        let set = Cifar::ten().read(dir.path()).unwrap();
        let labels = [0, 1, 2].repeat(5);
        assert_eq!(set.train.labels(), labels, "{python:?}");
        assert_eq!(set.class_names()[9], "class_9");
        let pixels = set.train.read_all().unwrap();
        for (image, expected) in pixels.chunks_exact(3072).zip([0, 1, 2, 10, 11, 12, 20]) {
            assert!(
                image.iter().all(|&byte| byte == expected),
                "{python:?}: {expected}"
            );
        }
        assert_eq!(set.test.unwrap().len(), 3);
        let note = &set.left_out.notes[0];
        assert!(
            note.contains("data_batch_1") && note.contains("MD5"),
            "{note}"
        );
    }
}

#[test]
fn planes_become_pixels() {
    let dir = tempfile::tempdir().unwrap();
    write_cifar10(dir.path(), Python::Two, 1);
    let mut planes = vec![1; 1024];
    planes.extend([vec![2; 1024], vec![3; 1024]].concat());
    planes[1023] = 9;
    let batch = Python::Two.batch(&planes, &[("labels", &[7])]);
    fs::write(dir.path().join("data_batch_1"), batch).unwrap();
    let set = Cifar::ten().read(dir.path()).unwrap();
    let mut pixels = vec![0; 3072];
    set.train.read(0, &mut pixels).unwrap();
    assert_eq!(
        (&pixels[..4], &pixels[3069..]),
        (&[1, 2, 3, 1][..], &[9, 2, 3][..])
    );
}

#[test]
fn cifar100_has_fine_and_coarse_labels_in_pickles_too() {
    for python in EACH {
        let dir = tempfile::tempdir().unwrap();
        write_cifar100(dir.path(), python, 45);
        let fine = Cifar::hundred_fine().read(dir.path()).unwrap();
        let coarse = Cifar::hundred_coarse().read(dir.path()).unwrap();
        assert_eq!(
            (fine.train.labels()[44], coarse.train.labels()[44]),
            (44, 4)
        );
        assert_eq!(
            (fine.class_names().len(), coarse.class_names().len()),
            (100, 20)
        );
    }
}

#[test]
fn a_file_of_training_images_can_be_the_validation_split() {
    let dir = tempfile::tempdir().unwrap();
    write_cifar10(dir.path(), Python::Two, 2);
    for name in ["data_batch_5", "data_batch_5.bin"] {
        let set = Cifar::ten().read_with_validation(dir.path(), name).unwrap();
        let validation = set.validation.unwrap();
        assert_eq!((set.train.len(), validation.len()), (8, 2), "{name}");
        assert!(
            validation.read_all().unwrap()[..3072] == [40; 3072],
            "the fifth file"
        );
        assert!(
            set.train.read_all().unwrap()[7 * 3072..] == [31; 3072],
            "not the fifth file"
        );
    }
    let wrong = Cifar::ten().read_with_validation(dir.path(), "data_batch_6");
    let text = wrong.unwrap_err().to_string();
    assert!(text.contains("data_batch_1 to data_batch_5"), "{text}");
    let wrong = Cifar::hundred_fine().read_with_validation(dir.path(), "train");
    assert!(matches!(wrong, Err(DataError::Argument { .. })));
}

#[test]
fn what_is_wrong_with_a_batch_is_one_line_with_its_file() {
    let dir = tempfile::tempdir().unwrap();
    write_cifar10(dir.path(), Python::Four, 2);
    let path = dir.path().join("data_batch_2");
    let good = fs::read(&path).unwrap();
    let pixels = vec![0; 2 * 3072];
    let four = Python::Four;
    for (bytes, part) in [
        (
            four.batch(&pixels, &[("labels", &[1])]),
            "1 'labels' for 2 images",
        ),
        (
            four.batch(&pixels, &[("labels", &[1, 10])]),
            "the label 10 of image 1",
        ),
        (
            four.batch(&pixels, &[("fine_labels", &[1, 1])]),
            "no 'labels'",
        ),
        (four.batch(&[], &[("labels", &[])]), "0 images"),
        (four.names(&[("labels", 2)]), "no 'data'"),
        (good[..good.len() / 2].to_vec(), "its end at byte"),
        (b"\x80\x02K\x01.".to_vec(), "no dictionary"),
        (
            b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.".to_vec(),
            "os.system",
        ),
        (b"\x80\x02c\x1b[31m\nx\n.".to_vec(), "\\u{1b}[31m.x"),
        (b"not a pickle".to_vec(), "opcode"),
    ] {
        fs::write(&path, bytes).unwrap();
        let text = message(dir.path());
        assert!(
            text.contains("data_batch_2") && text.contains(part),
            "{part}: {text}"
        );
    }
    fs::write(
        dir.path().join("batches.meta"),
        four.names(&[("label_names", 9)]),
    )
    .unwrap();
    assert!(message(dir.path()).contains("9 names under 'label_names'"));
}
