//! Sizes of the images in files.

use data::{ImageSizes, Shapes10, image_sizes};

use super::folder::{plain, read, save, two_classes};

#[test]
fn sizes_of_files_are_told() {
    let dir = two_classes();
    save(dir.path().join("cat/2.png"), &plain(20, 2, [1; 3]));
    let sizes = image_sizes(&read(dir.path()).unwrap()).unwrap();
    let expected = ImageSizes {
        smallest: [4, 4],
        median: [2, 20],
        largest: [7, 9],
    };
    assert_eq!(sizes, Some(expected));
    let drawn = Shapes10::default()
        .with_sizes(10, 10, 10)
        .generate()
        .unwrap();
    assert_eq!(image_sizes(&drawn).unwrap(), None, "in no files");
}
