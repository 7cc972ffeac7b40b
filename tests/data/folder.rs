//! Folders of pictures: formats, sizes, order, splits, and everything that can be wrong with them.

use std::fs;
use std::path::{Path, PathBuf};

use data::{
    Check, DataError, DataSet, Fit, FolderOptions, OpenOptions, Unreadable, open, read_folder,
};
use image::{DynamicImage, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba};

pub(super) fn options() -> FolderOptions {
    FolderOptions {
        size: [8, 8],
        ..FolderOptions::default()
    }
}

pub(super) fn read(root: &Path) -> Result<DataSet, DataError> {
    read_folder(root, &options(), &mut |_| {})
}

pub(super) fn skipping(root: &Path) -> Result<DataSet, DataError> {
    read_folder(
        root,
        &FolderOptions {
            unreadable: Unreadable::Skip,
            ..options()
        },
        &mut |_| {},
    )
}

pub(super) fn save(path: PathBuf, image: &DynamicImage) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image.save(&path).unwrap();
    path
}

pub(super) fn plain(width: u32, height: u32, colour: [u8; 3]) -> DynamicImage {
    RgbImage::from_pixel(width, height, Rgb(colour)).into()
}

/// Two classes with a picture each.
pub(super) fn two_classes() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    save(dir.path().join("cat/1.png"), &plain(9, 7, [10, 20, 30]));
    save(dir.path().join("dog/1.png"), &plain(4, 4, [40, 50, 60]));
    dir
}

pub(super) fn first_pixels(set: &DataSet) -> Vec<[u8; 3]> {
    set.train
        .read_all()
        .unwrap()
        .chunks(8 * 8 * 3)
        .map(|image| [image[0], image[1], image[2]])
        .collect()
}

#[test]
fn all_formats_and_colour_types_become_rgb_of_one_size() {
    let dir = two_classes();
    let cat = dir.path().join("cat");
    save(cat.join("2.jpg"), &plain(40, 30, [200, 100, 50]));
    save(cat.join("3.webp"), &plain(3, 50, [1, 2, 3]));
    save(cat.join("4.bmp"), &plain(1, 1, [4, 5, 6]));
    save(
        cat.join("5.PNG"),
        &image::ImageBuffer::from_pixel(5, 5, Luma([77_u8])).into(),
    );
    save(
        cat.join("6.png"),
        &image::ImageBuffer::from_pixel(5, 5, Luma([0x4d00_u16])).into(),
    );
    save(
        cat.join("7.png"),
        &image::ImageBuffer::from_pixel(5, 5, Rgba([0, 100, 200, 0_u8])).into(),
    );
    save(
        cat.join("8.png"),
        &image::ImageBuffer::from_pixel(5, 5, Rgba([0, 100, 200, 51_u8])).into(),
    );
    save(
        cat.join("9.png"),
        &image::ImageBuffer::from_pixel(5, 5, LumaA([100, 255_u8])).into(),
    );
    let set = read(dir.path()).unwrap();
    assert_eq!(
        (set.class_names(), set.train.size()),
        (&["cat".to_owned(), "dog".to_owned()][..], [8, 8])
    );
    assert_eq!(set.train.labels(), [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    let mut found = first_pixels(&set);
    // JPEG is not exact.
    assert!(
        found[1]
            .iter()
            .zip([200, 100, 50])
            .all(|(a, b): (&u8, u8)| a.abs_diff(b) <= 3),
        "{:?}",
        found[1]
    );
    found.remove(1);
    let on_white = [204, 224, 244];
    assert_eq!(
        found,
        [
            [10, 20, 30],
            [1, 2, 3],
            [4, 5, 6],
            [77; 3],
            [77; 3],
            [255; 3],
            on_white,
            [100; 3],
            [40, 50, 60]
        ]
    );
}

#[test]
fn a_picture_is_cropped_to_its_centre_or_stretched() {
    let dir = two_classes();
    // 24x8 in three squares: red, green, blue.
    let flag = RgbImage::from_fn(24, 8, |x, _| {
        Rgb(std::array::from_fn(|c| {
            if x as usize / 8 == c { 255 } else { 0 }
        }))
    });
    save(dir.path().join("cat/1.png"), &flag.into());
    let row = |fit| {
        let set =
            read_folder(dir.path(), &FolderOptions { fit, ..options() }, &mut |_| {}).unwrap();
        set.train.read_all().unwrap()[..24].to_vec()
    };
    assert_eq!(row(Fit::Crop), [0, 255, 0].repeat(8));
    let stretched = row(Fit::Stretch);
    assert_eq!(
        (&stretched[..3], &stretched[21..]),
        (&[255, 0, 0][..], &[0, 0, 255][..])
    );
}

#[test]
fn the_order_is_natural_and_other_files_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    for class in ["class10", "class9"] {
        for (picture, value) in [("10.png", 10), ("9.png", 9), ("sub/1.png", 1)] {
            save(
                dir.path().join(class).join(picture),
                &plain(2, 2, [value; 3]),
            );
        }
        fs::write(dir.path().join(class).join("notes.txt"), "x").unwrap();
        fs::write(dir.path().join(class).join(".hidden.png"), "x").unwrap();
    }
    fs::create_dir(dir.path().join(".git")).unwrap();
    fs::write(dir.path().join("README.png"), "x").unwrap();
    let set = read(dir.path()).unwrap();
    assert_eq!(set.class_names(), ["class9", "class10"]);
    assert_eq!(
        first_pixels(&set),
        [[9; 3], [10; 3], [1; 3], [9; 3], [10; 3], [1; 3]]
    );
    assert_eq!(set.train.path(0).unwrap(), dir.path().join("class9/9.png"));
}

#[test]
fn splits_come_from_folders_or_from_a_fraction() {
    let dir = tempfile::tempdir().unwrap();
    for (split, class) in [
        ("train", "a"),
        ("train", "b"),
        ("train", "c"),
        ("val", "c"),
        ("val", "a"),
        ("test", "b"),
    ] {
        save(
            dir.path().join(split).join(class).join("1.png"),
            &plain(2, 2, [1; 3]),
        );
    }
    let set = open(dir.path(), &OpenOptions::default(), &mut |_| {}).unwrap();
    assert_eq!(set.validation.unwrap().labels(), [0, 2]);
    assert_eq!(
        (set.test.unwrap().labels(), set.train.size()),
        (&[1][..], [256, 256])
    );
    save(dir.path().join("val/new/1.png"), &plain(2, 2, [1; 3]));
    let error = read(dir.path()).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "{}/val/new: expected a class of the training folder, found new",
            dir.path().display()
        )
    );

    // A class may be called train.
    let dir = tempfile::tempdir().unwrap();
    for class in ["bus", "train"] {
        save(dir.path().join(class).join("1.png"), &plain(2, 2, [1; 3]));
    }
    assert_eq!(read(dir.path()).unwrap().class_names(), ["bus", "train"]);

    let dir = tempfile::tempdir().unwrap();
    for number in 0..20 {
        save(
            dir.path()
                .join(format!("{}/{number}.png", ["a", "b"][number % 2])),
            &plain(2, 2, [1; 3]),
        );
    }
    let set = open(dir.path(), &OpenOptions::default(), &mut |_| {}).unwrap();
    assert_eq!(
        (set.train.len(), set.validation.unwrap().labels()),
        (18, &[0, 1][..])
    );
}

#[test]
fn a_budget_bounds_what_stays_decoded_and_changes_no_pixel() {
    let dir = two_classes();
    for number in 2..12_u8 {
        save(
            dir.path().join(format!("cat/{number}.png")),
            &plain(3, 3, [number; 3]),
        );
    }
    let pixels = |cache_bytes, check| {
        let options = FolderOptions {
            cache_bytes,
            check,
            ..options()
        };
        let set = read_folder(dir.path(), &options, &mut |_| {}).unwrap();
        let pixels = [set.train.read_all().unwrap(), set.train.read_all().unwrap()];
        assert_eq!(set.train.are_decoded(), cache_bytes == u64::MAX);
        (format!("{:?}", set.train), pixels)
    };
    let expected = pixels(u64::MAX, Check::Pixels);
    assert!(
        expected.0.contains("12 files, 12 of them in memory"),
        "{}",
        expected.0
    );
    for (budget, kept) in [(0, 0), (8 * 8 * 3 * 5, 5), (8 * 8 * 3 * 6 - 1, 5)] {
        for check in [Check::Pixels, Check::Headers] {
            let seen = pixels(budget, check);
            assert!(
                seen.0
                    .contains(&format!("12 files, {kept} of them in memory")),
                "{}",
                seen.0
            );
            assert_eq!(seen.1, expected.1);
        }
    }
}

/// The header of a PNG with these sides and nothing behind it.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
    bytes.extend([8, 2, 0, 0, 0]);
    let crc = bytes[12..].iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            }
        })
    });
    bytes.extend((!crc).to_be_bytes());
    // An image data chunk that is said to be long, so that the decoder gets as far as allocating.
    bytes.extend(b"\0\x0f\0\0IDAT\x78\x9c");
    bytes
}

/// A JPEG of a busy picture.
fn jpeg() -> Vec<u8> {
    let busy = RgbImage::from_fn(64, 64, |x, y| {
        Rgb([x * y, x * 7 + y, y * 13].map(|value| value.to_le_bytes()[0]))
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::from(busy)
        .write_to(&mut bytes, ImageFormat::Jpeg)
        .unwrap();
    bytes.into_inner()
}

#[test]
fn broken_pictures_are_fatal_or_listed() {
    let jpeg = jpeg();
    for (name, bytes, reason) in [
        (
            "empty.png",
            vec![],
            "neither JPEG, PNG, WebP, BMP, GIF nor TIFF",
        ),
        (
            "text.jpg",
            b"<html>not found</html>".to_vec(),
            "neither JPEG, PNG, WebP, BMP, GIF nor TIFF",
        ),
        (
            "cut.jpg",
            jpeg[..jpeg.len() / 2].to_vec(),
            "the JPEG data is cut off",
        ),
        (
            "huge.png",
            png_header(20_000, 20_000),
            "20000x20000 pixels are not between 1 and 67108864",
        ),
        ("wide.png", png_header(u32::MAX / 2, 1), ""),
        ("nothing.png", png_header(0, 5), ""),
        ("cut.png", png_header(50, 50), ""),
        (
            "cut.bmp",
            b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x10\x27\0\0\x10\x27\0\0\x01\0\x18\0"
                .to_vec(),
            "",
        ),
        (
            "cut.webp",
            b"RIFF\x24\0\0\0WEBPVP8L\x18\0\0\0\x2f\xff\xff\xff".to_vec(),
            "",
        ),
    ] {
        let dir = two_classes();
        let path = dir.path().join("cat").join(name);
        fs::write(&path, bytes).unwrap();
        let message = read(dir.path()).unwrap_err().to_string();
        assert!(
            message.starts_with(&format!(
                "{}: not a readable image: {reason}",
                path.display()
            )),
            "{message}"
        );
        assert!(
            !message.contains("panicked") && message.lines().count() == 1,
            "{message}"
        );
        let set = skipping(dir.path()).unwrap();
        assert_eq!(
            (set.train.len(), first_pixels(&set)[1]),
            (2, [40, 50, 60]),
            "{name}"
        );
        assert_eq!(
            set.skipped
                .iter()
                .map(|file| &file.path)
                .collect::<Vec<_>>(),
            [&path]
        );
    }
    let dir = two_classes();
    fs::write(dir.path().join("cat/whole.jpg"), jpeg).unwrap();
    assert_eq!(read(dir.path()).unwrap().train.len(), 3);
}

#[test]
fn every_truncation_of_every_format_is_an_error_or_a_picture() {
    for (extension, format) in [
        ("png", ImageFormat::Png),
        ("bmp", ImageFormat::Bmp),
        ("webp", ImageFormat::WebP),
        ("jpg", ImageFormat::Jpeg),
    ] {
        let dir = two_classes();
        let picture = RgbImage::from_fn(13, 9, |x, y| {
            Rgb([x * 19, y * 28, x * y].map(|value| value.to_le_bytes()[0]))
        });
        let mut bytes = std::io::Cursor::new(Vec::new());
        DynamicImage::from(picture)
            .write_to(&mut bytes, format)
            .unwrap();
        let bytes = bytes.into_inner();
        for length in (0..bytes.len()).step_by(7) {
            fs::write(
                dir.path().join(format!("cat/{length}.{extension}")),
                &bytes[..length],
            )
            .unwrap();
        }
        let set = skipping(dir.path()).unwrap();
        assert!(
            set.skipped.len() > bytes.len() / 7 / 2,
            "{extension}: {} skipped",
            set.skipped.len()
        );
        assert!(
            set.skipped
                .iter()
                .all(|file| file.reason != "the decoder panicked"),
            "{:?}",
            set.skipped
        );
    }
}

#[test]
fn folders_that_are_no_data_set_are_errors() {
    let dir = two_classes();
    let root = dir.path().display().to_string();
    let message = |dir: &Path| read(dir).unwrap_err().to_string();
    fs::create_dir(dir.path().join("empty")).unwrap();
    let expected =
        "expected at least 1 readable picture (JPEG, PNG, WebP, BMP, GIF or TIFF), found none";
    assert_eq!(message(dir.path()), format!("{root}/empty: {expected}"));
    fs::write(dir.path().join("empty/bad.png"), "x").unwrap();
    assert_eq!(
        skipping(dir.path()).unwrap_err().to_string(),
        format!("{root}/empty: {expected}")
    );
    for gone in ["empty", "dog"] {
        fs::remove_dir_all(dir.path().join(gone)).unwrap();
    }
    assert_eq!(
        message(dir.path()),
        format!("{root}: expected at least 2 folders, one a class, found 1")
    );
    assert_eq!(
        message(&dir.path().join("nowhere")),
        format!("{root}/nowhere: cannot read")
    );
    assert!(
        read_folder(
            dir.path(),
            &FolderOptions {
                size: [0, 8],
                ..options()
            },
            &mut |_| {}
        )
        .is_err(),
        "size 0"
    );
}
