//! Images that can't be read: fatal or listed, and never a panic.

use std::fs;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

use super::folder::{first_pixels, read, skipping, two_classes};

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

/// A JPEG of a busy image.
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
fn broken_images_are_fatal_or_listed() {
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
fn every_truncation_of_every_format_is_an_error_or_an_image() {
    for (extension, format) in [
        ("png", ImageFormat::Png),
        ("bmp", ImageFormat::Bmp),
        ("webp", ImageFormat::WebP),
        ("jpg", ImageFormat::Jpeg),
    ] {
        let dir = two_classes();
        let image = RgbImage::from_fn(13, 9, |x, y| {
            Rgb([x * 19, y * 28, x * y].map(|value| value.to_le_bytes()[0]))
        });
        let mut bytes = std::io::Cursor::new(Vec::new());
        DynamicImage::from(image)
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
