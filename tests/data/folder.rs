//! Folders of images: formats, sizes, order, splits, and everything that can be wrong with them.

use std::fs;
use std::path::{Path, PathBuf};

use data::{
    Check, DataError, DataSet, Fit, FolderOptions, OpenOptions, Unreadable, open, read_folder,
};
use image::{DynamicImage, Luma, LumaA, Rgb, RgbImage, Rgba};

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

/// Two classes with an image each.
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
fn an_image_is_cropped_to_its_centre_or_stretched() {
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
        for (image, value) in [("10.png", 10), ("9.png", 9), ("sub/1.png", 1)] {
            save(dir.path().join(class).join(image), &plain(2, 2, [value; 3]));
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

#[test]
fn folders_that_are_no_data_set_are_errors() {
    let dir = two_classes();
    let root = dir.path().display().to_string();
    let message = |dir: &Path| read(dir).unwrap_err().to_string();
    fs::create_dir(dir.path().join("empty")).unwrap();
    let expected =
        "expected at least 1 readable image (JPEG, PNG, WebP, BMP, GIF or TIFF), found none";
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
