//! Images of 1, 3 or 4 channels: from pixels, functions, files and data sets, and from one kind to another.

use std::fs;

use data::{
    Batch, Channels, DataError, DataSet, DecodeOptions, FolderOptions, Images, Loader,
    LoaderOptions, OpenOptions, SheetRow, contact_sheet, heat_map, image_pixels, read_folder,
    statistics,
};
use image::{DynamicImage, ImageFormat};

fn names() -> Vec<String> {
    ["a", "b"].map(str::to_owned).to_vec()
}

fn grey(n: u32) -> Images {
    let labels = (0..n).map(|index| index % 2).collect();
    let draw = |index: usize, out: &mut [u8]| {
        let value = |at: usize| u8::try_from((index * 7 + at) % 256).unwrap();
        out.iter_mut()
            .enumerate()
            .for_each(|(at, out)| *out = value(at));
    };
    Images::from_fn([3, 5, 1], labels, names(), draw).unwrap()
}

#[test]
fn images_of_a_function_come_in_batches_of_their_shape() {
    let images = grey(10);
    assert_eq!((images.shape(), images.image_bytes()), ([3, 5, 1], 15));
    let mut loader = Loader::new(images.clone(), LoaderOptions::evaluation(4)).unwrap();
    let Batch { pixels, labels, .. } = loader.next_batch().unwrap();
    assert_eq!(pixels[15..30], (7..22).collect::<Vec<u8>>());
    assert_eq!((pixels.len(), &labels[..]), (60, &[0, 1, 0, 1][..]));
    let colours = images.with_channels(Channels::Rgb);
    assert_eq!(colours.shape(), [3, 5, 3]);
    assert_eq!(colours.read_all().unwrap()[45..51], [7, 7, 7, 8, 8, 8]);
    assert_eq!(
        colours.with_channels(Channels::Grey).read_all().unwrap(),
        images.read_all().unwrap()
    );
}

#[test]
fn shapes_that_make_no_sense_are_refused() {
    let message = |result: Result<Images, DataError>| result.unwrap_err().to_string();
    let two = Images::from_pixels([1, 1, 2], vec![0; 2], vec![0], names());
    assert_eq!(message(two), "channels: expected 1, 3 or 4, found 2");
    let short = Images::from_pixels([2, 3, 1], vec![0; 18], vec![0], names());
    assert!(message(short).contains("6 bytes (1 images of 2x3x1)"));
    let none = Images::from_fn([0, 3, 1], vec![0], names(), |_, _| {});
    assert!(message(none).contains("at least 1x1"));
    let set = DataSet::new("mine", grey(10));
    let other = set
        .clone()
        .with_test(grey(4).with_channels(Channels::Rgb))
        .unwrap_err();
    assert_eq!(
        other.to_string(),
        "test images: expected 3x5x1, found 3x5x3"
    );
    let classes = Images::from_pixels([3, 5, 1], vec![0; 15], vec![0], vec!["c".to_owned()]);
    assert!(set.with_test(classes.unwrap()).is_err());
}

#[test]
fn figures_and_sheets_are_of_the_channels_that_there_are() {
    let images = Images::from_pixels([1, 2, 1], vec![0, 255, 0, 255], vec![0, 1], names()).unwrap();
    let found = statistics(&images).unwrap();
    assert_eq!((found.mean, found.std), (vec![0.5], vec![0.5]));
    assert_eq!(found.principal, None);
    let found = statistics(&images.with_channels(Channels::Rgba)).unwrap();
    assert_eq!(
        (found.mean, found.std),
        (vec![0.5, 0.5, 0.5, 1.0], vec![0.5, 0.5, 0.5, 0.0])
    );
    let values = found.principal.unwrap().values;
    assert!(
        (values[0] - 0.75).abs() < 1e-12 && values[1] < 1e-12,
        "{values:?}"
    );
    // Twice as wide as it is high: in the middle of its place.
    let row = SheetRow {
        label: "a".to_owned(),
        samples: vec![0],
    };
    let sheet = contact_sheet(&images, &[row], 8).unwrap();
    let width = sheet.size()[1] as usize;
    let pixel = |y: usize| sheet.pixels()[3 * (y * width + width - 5)];
    assert_eq!([pixel(4), pixel(6), pixel(9), pixel(10)], [255; 4]);
    let pixel = |y: usize| sheet.pixels()[3 * (y * width + width - 12)];
    assert_eq!([pixel(4), pixel(6), pixel(9), pixel(10)], [255, 0, 0, 255]);
    let map = heat_map(&[100; 8], [2, 4], &[0.0], 1).unwrap();
    assert_eq!(map.pixels()[..3], [100; 3]);
}

#[test]
fn files_of_any_kind_become_the_channels_that_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let luma = image::GrayImage::from_pixel(4, 4, image::Luma([90]));
    let rgb = image::RgbImage::from_pixel(4, 4, image::Rgb([255, 0, 0]));
    let rgba = image::RgbaImage::from_pixel(4, 4, image::Rgba([0, 0, 255, 0]));
    let images: [(DynamicImage, [&[u8]; 3]); 3] = [
        (luma.into(), [&[90], &[90; 3], &[90, 90, 90, 255]]),
        (rgb.into(), [&[54], &[255, 0, 0], &[255, 0, 0, 255]]),
        (rgba.into(), [&[255], &[255; 3], &[0, 0, 255, 0]]),
    ];
    for (idx, (image, expected)) in images.iter().enumerate() {
        let path = folder.path().join(format!("{idx}.png"));
        image.save_with_format(&path, ImageFormat::Png).unwrap();
        let bytes = fs::read(&path).unwrap();
        for (channels, pixel) in [Channels::Grey, Channels::Rgb, Channels::Rgba]
            .into_iter()
            .zip(expected)
        {
            // As it is, and scaled.
            for size in [[4, 4], [3, 2]] {
                let options = DecodeOptions {
                    size,
                    channels,
                    ..DecodeOptions::default()
                };
                let pixels = image_pixels(&bytes, &path, &options).unwrap();
                let n = size.iter().product::<u32>() as usize;
                assert_eq!(pixels, pixel.repeat(n), "{channels} of image {idx}");
            }
        }
    }
    for class in ["one", "two"] {
        fs::create_dir(folder.path().join(class)).unwrap();
        fs::copy(
            folder.path().join("1.png"),
            folder.path().join(class).join("1.png"),
        )
        .unwrap();
    }
    let options = FolderOptions {
        size: [2, 3],
        channels: Channels::Grey,
        ..FolderOptions::default()
    };
    let set = read_folder(folder.path(), &options, &mut |_| {}).unwrap();
    assert_eq!(
        (set.train.shape(), set.train.read_all().unwrap()),
        ([2, 3, 1], vec![54; 12])
    );
}

#[test]
fn a_named_set_is_opened_in_other_channels() {
    let options = OpenOptions {
        channels: Some(Channels::Grey),
        ..OpenOptions::default()
    };
    let set = data::open("shapes10".as_ref(), &options, &mut |_| {}).unwrap();
    let shapes = [Some(&set.train), set.validation.as_ref(), set.test.as_ref()];
    assert!(
        shapes
            .iter()
            .all(|images| images.unwrap().shape() == [32, 32, 1])
    );
    assert!(set.train.are_decoded(), "in memory");
}
