//! The CIFAR archives' layout, on files of a few records.

use std::fs;
use std::path::Path;

use data::Cifar;

const IMAGE: usize = 3072;

/// A record whose red, green and blue planes hold `fill`, `fill + 1`, `fill + 2`, but for a mark in the last red pixel.
fn record(labels: &[u8], fill: u8) -> Vec<u8> {
    let mut bytes = labels.to_vec();
    for plane in 0..3 {
        bytes.extend(vec![fill + plane; IMAGE / 3]);
    }
    bytes[labels.len() + 1023] = 255;
    bytes
}

/// CIFAR-10 with two records a file, of labels 2 * file and 2 * file + 1 modulo 10.
fn write_cifar10(folder: &Path) {
    fs::write(
        folder.join("batches.meta.txt"),
        "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n",
    )
    .unwrap();
    for file in 0..6_u8 {
        let name = if file == 5 {
            "test_batch.bin".to_owned()
        } else {
            format!("data_batch_{}.bin", file + 1)
        };
        let bytes = [
            record(&[2 * file % 10], 10 * file),
            record(&[(2 * file + 1) % 10], 10 * file + 5),
        ]
        .concat();
        fs::write(folder.join(name), bytes).unwrap();
    }
}

#[test]
fn cifar10_is_read_channels_last_in_file_order() {
    let dir = tempfile::tempdir().unwrap();
    write_cifar10(dir.path());
    let set = Cifar::ten().with_records(2, 2).read(dir.path()).unwrap();
    assert_eq!(set.train.labels(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(set.test.as_ref().unwrap().labels(), [0, 1]);
    assert_eq!(set.class_names().concat(), "abcdefghij");
    let mut pixels = vec![0; IMAGE];
    set.train.read(3, &mut pixels).unwrap();
    assert_eq!(pixels[..6], [15, 16, 17, 15, 16, 17]);
    assert_eq!(pixels[IMAGE - 3..], [255, 16, 17]);
}

#[test]
fn cifar100_has_fine_and_coarse_labels() {
    let dir = tempfile::tempdir().unwrap();
    for (file, classes) in [
        ("fine_label_names.txt", 100),
        ("coarse_label_names.txt", 20),
    ] {
        let lines: Vec<String> = (0..classes).map(|class| format!("class_{class}")).collect();
        fs::write(dir.path().join(file), lines.join("\n")).unwrap();
    }
    fs::write(
        dir.path().join("train.bin"),
        [record(&[19, 99], 1), record(&[3, 0], 2)].concat(),
    )
    .unwrap();
    fs::write(dir.path().join("test.bin"), record(&[0, 50], 3)).unwrap();
    let fine = Cifar::hundred_fine()
        .with_records(2, 1)
        .read(dir.path())
        .unwrap();
    let coarse = Cifar::hundred_coarse()
        .with_records(2, 1)
        .read(dir.path())
        .unwrap();
    assert_eq!(
        (fine.train.labels(), coarse.train.labels()),
        (&[99, 0][..], &[19, 3][..])
    );
    assert_eq!(
        (fine.class_names().len(), coarse.class_names().len()),
        (100, 20)
    );
    fs::write(dir.path().join("test.bin"), record(&[20, 50], 3)).unwrap();
    assert!(
        Cifar::hundred_fine()
            .with_records(2, 1)
            .read(dir.path())
            .is_ok(),
        "the coarse label is not used here"
    );
    assert!(
        Cifar::hundred_coarse()
            .with_records(2, 1)
            .read(dir.path())
            .is_err(),
        "20 is not a coarse class"
    );
}

/// What reading says after `change` was done to a good folder, without the folder's own name.
fn error_after(change: impl Fn(&Path) -> std::io::Result<()>) -> String {
    let dir = tempfile::tempdir().unwrap();
    write_cifar10(dir.path());
    change(dir.path()).unwrap();
    let error = Cifar::ten()
        .with_records(2, 2)
        .read(dir.path())
        .unwrap_err()
        .to_string();
    error.replace(&format!("{}/", dir.path().display()), "")
}

#[test]
fn broken_files_are_named_with_place_expectation_and_finding() {
    let truncated =
        error_after(|dir| fs::write(dir.join("data_batch_3.bin"), &record(&[1], 0)[..3000]));
    assert_eq!(
        truncated,
        "data_batch_3.bin: at byte 3000: expected 6146 bytes (2 records of 3073), found 3000 bytes (0 records and 3000 bytes of the next)"
    );
    let oversized = error_after(|dir| fs::write(dir.join("test_batch.bin"), vec![0; 3 * 3073]));
    assert_eq!(
        oversized,
        "test_batch.bin: at byte 6146: expected 6146 bytes (2 records of 3073), found 9219 bytes (3 records)"
    );
    let label = error_after(|dir| {
        fs::write(
            dir.join("data_batch_5.bin"),
            [record(&[9], 0), record(&[10], 0)].concat(),
        )
    });
    assert_eq!(
        label,
        "data_batch_5.bin: at byte 3073: expected a label below 10 in record 1, found 10"
    );
    let missing = error_after(|dir| fs::remove_file(dir.join("data_batch_4.bin")));
    assert_eq!(missing, "data_batch_4.bin: cannot open");
    let names = error_after(|dir| fs::write(dir.join("batches.meta.txt"), "cat\ndog\n"));
    assert_eq!(
        names,
        "batches.meta.txt: at byte 0: expected 10 class names, one a line, found 2"
    );
}

#[test]
fn numbers_of_records_that_no_file_has_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    write_cifar10(dir.path());
    for records in [0, 1, usize::MAX] {
        assert!(
            Cifar::ten()
                .with_records(records, 2)
                .read(dir.path())
                .is_err(),
            "{records} records"
        );
    }
}

#[test]
fn the_official_layout_insists_on_ten_thousand_records() {
    let dir = tempfile::tempdir().unwrap();
    write_cifar10(dir.path());
    let error = Cifar::ten().read(dir.path()).unwrap_err().to_string();
    assert!(
        error.contains(
            "expected 30730000 bytes (10000 records of 3073), found 6146 bytes (2 records)"
        ),
        "{error}"
    );
}
