//! The tables of formats and folder layouts in docs/images.md: each row has a case here, and a row without one fails.

use std::fs;
use std::path::Path;

use data::{DataSet, LeftOut, Unreadable};

use super::folder::{plain, read, save, two_classes};
use super::formats::golden;
use super::layouts::images;
use super::lists::{classes, opened};

type Case = (&'static str, fn());

/// The first cell of each row of the table whose header begins with `first`.
fn rows(first: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/images.md");
    let text = fs::read_to_string(page).unwrap();
    let header = format!("| {first} |");
    let table = text.lines().skip_while(|line| !line.starts_with(&header));
    let rows = table.skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('|').nth(1).unwrap().trim().to_owned())
        .collect()
}

fn check(first: &str, cases: &[Case]) {
    let names: Vec<_> = cases.iter().map(|(name, _)| *name).collect();
    assert_eq!(rows(first), names, "a case for each row, in order");
    cases.iter().for_each(|(_, case)| case());
}

/// Two classes, and these files of tests/golden/images in the first under other names.
fn with(files: &[(&str, &str)]) -> DataSet {
    let dir = two_classes();
    for (file, name) in files {
        fs::copy(golden(file), dir.path().join("cat").join(name)).unwrap();
    }
    let set = read(dir.path()).unwrap();
    // Their pixels are in memory, the folder is not needed any more.
    let bytes = set.train.read_all().unwrap().len();
    assert_eq!(bytes, set.train.len() * 192, "of 8 x 8 images");
    set
}

fn all_read(files: &[(&str, &str)]) {
    let set = with(files);
    assert_eq!(set.train.len(), 2 + files.len(), "{files:?}");
    assert_eq!(set.left_out, LeftOut::default(), "{files:?}");
}

#[test]
fn every_format_of_the_docs_is_read_as_it_says() {
    check(
        "Format",
        &[
            ("JPEG", || {
                let names = ["a.jpg", "b.jpeg", "c.jpe", "d.jfif", "e.jif"];
                let files = [
                    "tail.jpg",
                    "cmyk.jpg",
                    "grey.jpg",
                    "progressive.jpg",
                    "exif6.jpg",
                ];
                all_read(&std::array::from_fn::<_, 5, _>(|i| (files[i], names[i])));
            }),
            ("PNG", || {
                all_read(&[
                    ("grey16.png", "a.png"),
                    ("anim.png", "b.apng"),
                    ("palette-alpha.png", "c.png"),
                    ("bilevel.png", "d.png"),
                ]);
            }),
            ("WebP", || {
                all_read(&[("anim.webp", "a.webp"), ("exif6.webp", "b.webp")]);
            }),
            ("BMP", || all_read(&[("palette.bmp", "a.bmp")])),
            ("GIF", || all_read(&[("anim.gif", "a.gif")])),
            ("TIFF", || {
                all_read(&[
                    ("pages.tif", "a.tif"),
                    ("cmyk.tif", "b.tiff"),
                    ("bilevel.tif", "c.tif"),
                    ("lzw.tif", "d.tif"),
                    ("deflate.tif", "e.tif"),
                    ("packbits.tif", "f.tif"),
                    ("jpeg.tif", "g.tif"),
                    ("grey16.tif", "h.tif"),
                ]);
            }),
            ("others (HEIC, AVIF, ...)", || {
                let dir = two_classes();
                fs::write(dir.path().join("cat/1.heic"), "x").unwrap();
                fs::write(dir.path().join("cat/1.avif"), "x").unwrap();
                let line = read(dir.path()).unwrap().left_out.files_line();
                assert_eq!(line.as_deref(), Some("1 .avif, 1 .heic"));
            }),
        ],
    );
}

fn class_names(dir: &tempfile::TempDir) -> Vec<String> {
    read(dir.path()).unwrap().class_names().to_vec()
}

#[test]
fn every_layout_of_the_docs_is_read_as_it_says() {
    check(
        "Layout",
        &[
            ("`DIR/CLASS/*`", || {
                let dir = images(&["a/1.png", "a/sub/2.png", "b/1.png"]);
                assert_eq!(class_names(&dir), ["a", "b"]);
                assert_eq!(read(dir.path()).unwrap().train.len(), 3);
            }),
            ("`DIR/{train,val,test}/CLASS/*`", || {
                let dir = images(&["Training/a/1.png", "Training/b/1.png", "VALID/a/1.png"]);
                let set = read(dir.path()).unwrap();
                assert_eq!((set.train.len(), set.validation.unwrap().len()), (2, 1));
            }),
            ("`DIR/test/*` beside `DIR/train/CLASS/*`", || {
                let dir = images(&["train/a/1.png", "train/b/1.png", "test/1.png"]);
                let set = read(dir.path()).unwrap();
                assert!(set.test.is_none() && set.left_out.notes.len() == 1);
            }),
            ("`DIR/DIR/...`", || {
                let dir = images(&["x/x/a/1.png", "x/x/b/1.png"]);
                assert_eq!(class_names(&dir), ["a", "b"]);
            }),
            ("`labels.csv` in `DIR`", || {
                let dir = images(&["images/1.png", "images/2.png"]);
                fs::write(dir.path().join("labels.csv"), "image,label\n1,b\n2.png,a\n").unwrap();
                let set = opened(dir.path(), Unreadable::Fail).unwrap();
                assert_eq!(classes(&set), ["1.png b", "2.png a"]);
            }),
            ("`FILE.csv`", || {
                let dir = images(&["1.png", "2.png"]);
                let path = dir.path().join("mine.csv");
                fs::write(&path, "1.png;b\n2.png;a\n").unwrap();
                let set = opened(&path, Unreadable::Fail).unwrap();
                assert_eq!(classes(&set), ["1.png b", "2.png a"]);
            }),
            ("`FILE.txt`", || {
                let dir = images(&["x/1.png", "x/2.png"]);
                let path = dir.path().join("train.txt");
                fs::write(&path, "x/1.png 1\nx/2.png 0\n").unwrap();
                fs::write(dir.path().join("val.txt"), "x/2.png 0\n").unwrap();
                let set = opened(&path, Unreadable::Fail).unwrap();
                assert_eq!(classes(&set), ["1.png 1", "2.png 0"]);
                assert_eq!(set.validation.unwrap().len(), 1);
            }),
            ("`__MACOSX`, `@eaDir`, `._*`, `Thumbs.db`, ...", || {
                let dir = images(&["a/1.png", "b/1.png", "__MACOSX/1.png", "a/@eaDir/1.png"]);
                save(dir.path().join("a/.x/1.png"), &plain(2, 2, [1; 3]));
                let set = read(dir.path()).unwrap();
                assert_eq!((set.train.len(), set.left_out), (2, LeftOut::default()));
            }),
        ],
    );
}
