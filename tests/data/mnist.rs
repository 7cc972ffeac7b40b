//! The idx layout, plain and gzipped, good and bad.

use std::fs;
use std::io::Write;
use std::path::Path;

use data::read_idx;

fn idx(magic: u32, sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let words = [magic].into_iter().chain(sizes.iter().copied());
    words
        .flat_map(u32::to_be_bytes)
        .chain(bytes.iter().copied())
        .collect()
}

/// Three training images of 2x1 and one test image, in classes a and b.
fn write(folder: &Path) {
    for (name, bytes) in [
        (
            "train-images-idx3-ubyte",
            idx(0x803, &[3, 2, 1], &[1, 2, 3, 4, 5, 6]),
        ),
        ("train-labels-idx1-ubyte", idx(0x801, &[3], &[0, 1, 0])),
        ("t10k-images-idx3-ubyte", idx(0x803, &[1, 2, 1], &[7, 8])),
        ("t10k-labels-idx1-ubyte", idx(0x801, &[1], &[1])),
    ] {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

#[test]
fn grey_images_have_one_channel_gzipped_or_not() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let plain = dir.path().join("train-images-idx3-ubyte");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&fs::read(&plain).unwrap()).unwrap();
    fs::write(
        dir.path().join("train-images-idx3-ubyte.gz"),
        encoder.finish().unwrap(),
    )
    .unwrap();
    fs::remove_file(plain).unwrap();
    let set = read_idx("mnist", dir.path(), &["a", "b"]).unwrap();
    assert_eq!(
        (set.train.size(), set.train.labels()),
        ([2, 1], &[0, 1, 0][..])
    );
    assert_eq!(set.train.shape(), [2, 1, 1]);
    assert_eq!(set.train.read_all().unwrap(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(set.test.as_ref().unwrap().read_all().unwrap(), [7, 8]);
    let set = set.with_channels(data::Channels::Rgb);
    assert_eq!(
        set.train.read_all().unwrap(),
        [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6]
    );
    assert_eq!(set.test.unwrap().read_all().unwrap(), [7, 7, 7, 8, 8, 8]);
}

#[test]
fn broken_files_are_named_with_place_expectation_and_finding() {
    for (name, bytes, message) in [
        (
            "train-images-idx3-ubyte",
            idx(0x801, &[3], &[]),
            "at byte 0: expected the magic number 0x00000803, found 0x00000801",
        ),
        (
            "train-images-idx3-ubyte",
            idx(0x803, &[3, 2, 1], &[0; 5]),
            "at byte 21: expected 6 bytes behind the header, found 5",
        ),
        (
            "train-images-idx3-ubyte",
            idx(0x803, &[3, 2, 1], &[0; 7]),
            "at byte 22: expected 6 bytes behind the header, found more",
        ),
        (
            "train-images-idx3-ubyte",
            idx(0x803, &[u32::MAX; 3], &[0; 7]),
            "at byte 4: expected sizes whose product is 1 to 1073741824, found [4294967295, 4294967295, 4294967295]",
        ),
        (
            "train-labels-idx1-ubyte",
            idx(0x801, &[3], &[0, 2, 0]),
            "at byte 9: expected a label below 2 in record 1, found 2",
        ),
        (
            "t10k-images-idx3-ubyte",
            idx(0x803, &[1, 1, 1], &[0]),
            "at byte 8: expected 2x1 as in training, found 1x1",
        ),
        (
            "t10k-labels-idx1-ubyte",
            vec![0, 0],
            "at byte 0: expected the magic number 0x00000801, found 0x00000000",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path());
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = read_idx("mnist", dir.path(), &["a", "b"])
            .unwrap_err()
            .to_string();
        assert_eq!(error, format!("{}: {message}", path.display()));
    }
}
