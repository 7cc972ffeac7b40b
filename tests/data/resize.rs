//! Resizing as Pillow, `OpenCV` and PyTorch have it; the values are theirs, as `tests/golden/resize.py` prints them.

use data::{DecodeOptions, Fit, Interpolation, image_pixels, resize};

const RECORDED: &str = include_str!("../golden/resize.txt");
const SIZE: [usize; 3] = [7, 5, 3];

/// The image that was recorded.
fn image() -> Vec<u8> {
    (0..105_u32)
        .map(|i| u8::try_from((37 * i + 11 * i * i) % 256).unwrap())
        .collect()
}

/// How far a value may be from the recorded one. Pillow computes in whole numbers, as is done here. `OpenCV`'s weights have 11
/// bits or fewer, so that a value on the edge between two may fall to either side, as may one of 32-bit floats.
fn method(name: &str) -> (Interpolation, u8) {
    match name {
        "pillow-nearest" | "torch-nearest-exact" => (Interpolation::Nearest, 0),
        "pillow-bilinear" => (Interpolation::BilinearAntialias, 0),
        "pillow-bicubic" => (Interpolation::Bicubic, 0),
        _ => (Interpolation::Bilinear, 1),
    }
}

fn recorded() -> impl Iterator<Item = (&'static str, [usize; 2], Vec<u8>)> {
    RECORDED.lines().map(|line| {
        let (name, numbers) = line.split_once(' ').unwrap();
        let mut numbers = numbers
            .split(' ')
            .map(|number| number.parse::<usize>().unwrap());
        let size = [numbers.next().unwrap(), numbers.next().unwrap()];
        (
            name,
            size,
            numbers.map(|value| u8::try_from(value).unwrap()).collect(),
        )
    })
}

#[test]
fn each_method_is_that_of_the_program_it_is_named_after() {
    let mut n = 0;
    for (name, size, expected) in recorded() {
        let (interpolation, tolerance) = method(name);
        let got = resize(&image(), SIZE, size, interpolation).unwrap();
        assert_eq!(got.len(), expected.len(), "{name}");
        let worst = got
            .iter()
            .zip(&expected)
            .map(|(a, b)| a.abs_diff(*b))
            .max()
            .unwrap();
        assert!(
            worst <= tolerance,
            "{name} to {size:?}: {worst}\n{got:?}\n{expected:?}"
        );
        n += 1;
    }
    assert_eq!(n, 30, "six methods, five sizes");
}

/// Files are decoded at the size that is asked for by the same methods; the averaging of the default computes in floats.
#[test]
fn files_are_resized_by_the_method_that_is_asked_for() {
    let file = tempfile::Builder::new().suffix(".png").tempfile().unwrap();
    image::RgbImage::from_raw(5, 7, image())
        .unwrap()
        .save(file.path())
        .unwrap();
    let bytes = std::fs::read(file.path()).unwrap();
    for (name, [height, width], expected) in recorded() {
        let (interpolation, tolerance) = method(name);
        let tolerance = match interpolation {
            Interpolation::BilinearAntialias => 1,
            _ => tolerance,
        };
        let options = DecodeOptions {
            size: [height, width].map(|side| u32::try_from(side).unwrap()),
            fit: Fit::Stretch,
            interpolation,
            ..DecodeOptions::default()
        };
        let got = image_pixels(&bytes, file.path(), &options).unwrap();
        let worst = got
            .iter()
            .zip(&expected)
            .map(|(a, b)| a.abs_diff(*b))
            .max()
            .unwrap();
        assert!(worst <= tolerance, "{name} to {height}x{width}: {worst}");
    }
}

#[test]
fn images_of_a_set_are_resized_as_they_are_read() {
    let names = vec!["only".to_owned()];
    let images = data::Images::from_pixels(SIZE, image(), vec![0], names).unwrap();
    let resized = images.resized([11, 9], Interpolation::Bicubic).unwrap();
    assert_eq!(resized.shape(), [11, 9, 3]);
    let expected = resize(&image(), SIZE, [11, 9], Interpolation::Bicubic).unwrap();
    assert_eq!(resized.read_all().unwrap(), expected);
    assert!(images.resized([0, 9], Interpolation::Nearest).is_err());
    assert!(resize(&image(), SIZE, [3, 0], Interpolation::Nearest).is_err());
    assert!(resize(&[], [0, 5, 3], [3, 3], Interpolation::Nearest).is_err());
}
