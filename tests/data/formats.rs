//! Image files as other programs write them; the values are Pillow's, as `tests/golden/images.py` prints them.

use std::fs;
use std::path::{Path, PathBuf};

use data::{DecodeOptions, Fit, image_pixels};

use super::folder::{plain, read, save, skipping, two_classes};

/// `(2, 2)`, `(13, 2)`, `(2, 9)`, `(13, 9)`.
type Corners = [[u8; 3]; 4];

const COLOURS: Corners = [
    [200, 30, 40],
    [250, 240, 230],
    [250, 240, 230],
    [10, 60, 220],
];
const GREYS: Corners = [[82; 3], [242; 3], [242; 3], [63; 3]];
const BLACK: Corners = [[255; 3], [255; 3], [255; 3], [0; 3]];
const JPEG: Corners = [
    [203, 29, 39],
    [249, 241, 228],
    [250, 240, 228],
    [10, 60, 219],
];
const ALPHA: Corners = [[200, 30, 40], [255; 3], [255; 3], [132, 157, 237]];

/// Beside each file, how far a value may be from Pillow's: nothing but where a JPEG is decoded, whose inverse transform and
/// conversion of colours may round differently (ITU-T T.83 allows 1 in the transform, 1.4 to 1.8 times that in RGB).
const IMAGES: [(&str, Corners, u8); 23] = [
    ("anim.gif", COLOURS, 0),
    ("anim.png", COLOURS, 0),
    ("anim.webp", COLOURS, 0),
    ("bilevel.png", BLACK, 0),
    ("bilevel.tif", BLACK, 0),
    ("cmyk.jpg", COLOURS, 2),
    ("cmyk.tif", COLOURS, 1),
    ("deflate.tif", COLOURS, 0),
    ("grey.jpg", GREYS, 2),
    ("grey.tif", GREYS, 0),
    ("grey16.png", GREYS, 0),
    ("grey16.tif", GREYS, 0),
    ("jpeg.tif", COLOURS, 2),
    ("la.png", GREYS, 0),
    ("lzw.tif", COLOURS, 0),
    ("packbits.tif", COLOURS, 0),
    ("pages.tif", COLOURS, 0),
    // Pillow blends in integers of its own.
    ("palette-alpha.png", ALPHA, 1),
    ("palette.bmp", COLOURS, 0),
    ("plain.gif", COLOURS, 0),
    ("progressive.jpg", JPEG, 2),
    ("rgba.tif", COLOURS, 0),
    ("tail.jpg", JPEG, 2),
];

pub(super) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden/images")
        .join(name)
}

/// Corners of an image that is stretched to this size.
fn corners([height, width]: [u32; 2], name: &str, exif_rotation: bool) -> Corners {
    let options = DecodeOptions {
        size: [height, width],
        fit: Fit::Stretch,
        exif_rotation,
        ..DecodeOptions::default()
    };
    let path = golden(name);
    let pixels = image_pixels(&fs::read(&path).unwrap(), &path, &options).unwrap();
    let at = |x: u32, y: u32| {
        let start = 3 * (y * width + x) as usize;
        [pixels[start], pixels[start + 1], pixels[start + 2]]
    };
    let (right, bottom) = (width - 3, height - 3);
    [at(2, 2), at(right, 2), at(2, bottom), at(right, bottom)]
}

fn assert_near(got: Corners, expected: Corners, tolerance: u8, name: &str) {
    let near = |(a, b): (&u8, &u8)| a.abs_diff(*b) <= tolerance;
    assert!(
        got.as_flattened()
            .iter()
            .zip(expected.as_flattened())
            .all(near),
        "{name}: {got:?}, expected {expected:?}"
    );
}

#[test]
fn images_have_the_pixels_that_pillow_reads() {
    for (name, expected, tolerance) in IMAGES {
        assert_near(corners([12, 16], name, true), expected, tolerance, name);
    }
}

#[test]
fn a_tiff_with_a_palette_is_refused_by_name() {
    let path = golden("palette.tif");
    let bytes = fs::read(&path).unwrap();
    let error = image_pixels(&bytes, &path, &DecodeOptions::default()).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("palette.tif") && error.contains("Palette"),
        "{error}"
    );
}

#[test]
fn exif_turns_images_unless_it_should_not() {
    let [red, paper, _, blue] = JPEG;
    // EXIF 2.32, table 6; upright, red is at the top left and blue at the bottom right.
    let turned = [
        [red, paper, paper, blue],
        [paper, red, blue, paper],
        [blue, paper, paper, red],
        [paper, blue, red, paper],
    ];
    for orientation in 1..=8_usize {
        let name = format!("exif{orientation}.jpg");
        let size = if orientation > 4 { [16, 12] } else { [12, 16] };
        let expected = turned[(orientation - 1) % 4];
        assert_near(corners(size, &name, true), expected, 2, &name);
        assert_near(corners([12, 16], &name, false), JPEG, 2, &name);
    }
    for name in ["exif6.png", "exif6.tif", "exif6.webp"] {
        let [red, paper, _, blue] = COLOURS;
        let expected = [paper, red, blue, paper];
        assert_near(corners([16, 12], name, true), expected, 0, name);
        assert_near(corners([12, 16], name, false), COLOURS, 0, name);
    }
}

#[test]
fn every_ending_of_a_format_is_read_whatever_is_inside() {
    let dir = two_classes();
    let cat = dir.path().join("cat");
    for (file, name) in [
        ("tail.jpg", "2.jpeg"),
        ("tail.jpg", "3.JPE"),
        ("tail.jpg", "4.jfif"),
        ("la.png", "5.jpg"),
        ("plain.gif", "6.GIF"),
        ("lzw.tif", "7.TIFF"),
        ("lzw.tif", "8.tif"),
    ] {
        fs::copy(golden(file), cat.join(name)).unwrap();
    }
    let set = read(dir.path()).unwrap();
    assert_eq!((set.train.len(), set.left_out.files.len()), (9, 0));
}

#[test]
fn what_is_no_readable_image_is_counted_by_ending() {
    let dir = two_classes();
    for (name, n) in [("heic", 2), ("AVIF", 1), ("txt", 3)] {
        for number in 0..n {
            fs::write(dir.path().join(format!("cat/{number}.{name}")), "x").unwrap();
        }
    }
    fs::write(dir.path().join("dog/noending"), "x").unwrap();
    let set = read(dir.path()).unwrap();
    let line = set.left_out.files_line().unwrap();
    assert_eq!(line, "3 .txt, 2 .heic, 1 .avif, 1 without ending");
    let found = data::images_under(dir.path());
    assert_eq!(
        (found.files.len(), found.left_out.files_line()),
        (2, Some(line))
    );
    // A class of nothing else says what it has.
    fs::create_dir(dir.path().join("fox")).unwrap();
    fs::write(dir.path().join("fox/1.heic"), "x").unwrap();
    let error = skipping(dir.path()).unwrap_err().to_string();
    assert!(error.ends_with("found none, but 1 .heic"), "{error}");
}

#[cfg(unix)]
#[test]
fn pipes_are_left_out_and_never_waited_for() {
    let dir = two_classes();
    let pipe = dir.path().join("cat/2.jpg");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success(), "mkfifo is part of every Unix");
    let set = read(dir.path()).unwrap();
    let line = set.left_out.files_line();
    assert_eq!(line.as_deref(), Some("1 no regular file"));
    let error = data::read_image(&pipe).unwrap_err().to_string();
    assert!(error.contains("2.jpg"), "{error}");
    let cifar = tempfile::tempdir().unwrap();
    let pipe = cifar.path().join("batches.meta.txt");
    std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(data::Cifar::ten().read(cifar.path()).is_err());
}

#[test]
fn an_image_over_the_budget_names_both() {
    let dir = two_classes();
    let path = save(dir.path().join("cat/2.png"), &plain(2000, 1000, [1; 3]));
    let options = DecodeOptions {
        memory_bytes: 8 << 20,
        ..DecodeOptions::default()
    };
    let bytes = fs::read(&path).unwrap();
    let error = image_pixels(&bytes, &path, &options).unwrap_err();
    let error = error.to_string();
    // 6 bytes a pixel: as it was, and its centre square; and columns of 2000x256 in f32.
    assert!(
        error.contains("2.png") && error.contains("21 MiB") && error.contains("8 MiB"),
        "{error}"
    );
}

#[test]
fn texts_and_profiles_that_unpack_to_gigabytes_are_left_alone() {
    use std::io::Write as _;
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..100 {
        packed.write_all(&zeros).unwrap();
    }
    let packed = [&b"x\0\0"[..], &packed.finish().unwrap()].concat();
    let png = fs::read(golden("la.png")).unwrap();
    for name in [b"iCCP", b"zTXt"] {
        let chunk = [&name[..], &packed].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&chunk);
        let length = u32::try_from(packed.len()).unwrap().to_be_bytes();
        // Behind the header, which ends at byte 33.
        let crc = crc.sum().to_be_bytes();
        let bomb = [&png[..33], &length, &chunk, &crc, &png[33..]].concat();
        let options = DecodeOptions {
            memory_bytes: 4 << 20,
            size: [12, 16],
            ..DecodeOptions::default()
        };
        let pixels = image_pixels(&bomb, Path::new("bomb.png"), &options).unwrap();
        assert_eq!(pixels[..3], [82; 3]);
    }
}
