//! `alexnet data`, and data sets that are not as they should be.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{fail, path_text, succeed, text};

/// A 24-bit BMP of one colour.
fn bmp(width: u8, height: u8, colour: u8) -> Vec<u8> {
    let row = (usize::from(width) * 3).div_ceil(4) * 4;
    let mut bytes = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bytes.extend([width, 0, 0, 0, height, 0, 0, 0, 1, 0, 24, 0]);
    bytes.extend([0; 24]);
    bytes.extend(vec![colour; row * usize::from(height)]);
    bytes
}

/// A folder of two classes, twelve images each.
fn images() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for class in ["cat", "dog"] {
        fs::create_dir(root.path().join(class)).unwrap();
        for number in 0..12_u8 {
            let bytes = bmp(8 + number, 9, 20 * number);
            fs::write(root.path().join(format!("{class}/{number}.bmp")), bytes).unwrap();
        }
    }
    root
}

/// The start of a PNG of 20,000x20,000 pixels.
fn huge_png() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend([20_000_u32.to_be_bytes(), 20_000_u32.to_be_bytes()].concat());
    bytes.extend([8, 2, 0, 0, 0]);
    let crc = bytes[12..].iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))
        })
    });
    bytes.extend((!crc).to_be_bytes());
    bytes.extend(b"\0\x0f\0\0IDAT\x78\x9c");
    bytes
}

fn train<'a>(root: &'a Path, out: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let args = [
        "train",
        path_text(root),
        "--device",
        "cpu",
        "--network",
        "alexnet-small",
        "--epochs",
        "1",
        "--batch-size",
        "4",
        "--lr",
        "0.0001",
        "--out",
        path_text(out),
    ];
    [&args, more].concat()
}

#[test]
fn info_and_stats_count_and_measure() {
    let root = images();
    let folder = path_text(root.path());
    let info: Value = serde_json::from_str(&succeed(&["data", "info", folder, "--json"])).unwrap();
    assert_eq!(info["images"]["train"], 22, "{info}");
    assert_eq!(
        info["images"]["validation"], 2,
        "a tenth of each class: {info}"
    );
    assert_eq!(info["classes"][1]["name"], "dog", "{info}");
    let sizes = serde_json::json!({ "smallest": [9, 8], "median": [9, 14], "largest": [9, 19] });
    assert_eq!(info["image_sizes"], sizes);
    let said = succeed(&["data", "info", folder]);
    assert!(
        said.contains("files of 9x8 to 9x19") && said.contains("cat"),
        "{said}"
    );
    let stats: Value =
        serde_json::from_str(&succeed(&["data", "stats", folder, "--json"])).unwrap();
    // Greys of 0, 20, ... 220, twice.
    let mean = stats["mean"][0].as_f64().unwrap();
    assert!((mean - 110.0 / 255.0).abs() < 1e-9, "{stats}");
    assert_eq!(stats["images"], 24, "validation included");
    let vector = stats["principal_components"][0]["vector"][2]
        .as_f64()
        .unwrap();
    assert!((vector - 3_f64.sqrt().recip()).abs() < 1e-9, "{stats}");
    let drawn = succeed(&["data", "stats", "shapes10"]);
    assert!(drawn.contains("8000 training images"), "{drawn}");
}

#[test]
fn a_sheet_is_drawn_and_only_known_sets_are_downloaded() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("sheet.png");
    let args = [
        "data",
        "show",
        "shapes10",
        "--split",
        "test",
        "--out",
        path_text(&out),
    ];
    let said = succeed(&[&args[..], &["--per-class", "3", "--tile", "32"]].concat());
    assert!(said.contains("sheet.png"), "{said}");
    let bytes = fs::read(&out).unwrap();
    assert!(
        bytes.starts_with(b"\x89PNG") && bytes.len() > 5000,
        "{} bytes",
        bytes.len()
    );
    let again = [
        &args[..],
        &["--per-class", "3", "--tile", "32", "--seed", "1"],
    ]
    .concat();
    succeed(&again);
    assert_ne!(bytes, fs::read(&out).unwrap(), "another seed draws others");
    fail(&["data", "download", "nope"], &["nope", "cifar10"]);
    let said = succeed(&[
        "data",
        "download",
        "shapes10",
        "--data-dir",
        path_text(root.path()),
    ]);
    assert!(said.contains("training and"), "{said}");
    let folder = images();
    let args = ["data", "show", path_text(folder.path()), "--split", "test"];
    fail(&args, &["no test images"]);
}

#[cfg(unix)]
#[test]
fn a_sheet_may_be_read_by_those_whom_the_umask_lets() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = tempfile::tempdir().unwrap();
    let mode = |name: &str| {
        let metadata = fs::metadata(root.path().join(name)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    let out = root.path().join("sheet.png");
    succeed(&["data", "show", "shapes10", "--out", path_text(&out)]);
    fs::write(root.path().join("plain"), "").unwrap();
    assert_eq!(mode("sheet.png"), mode("plain"));
}

#[test]
fn what_is_no_image_is_counted_and_lists_give_labels() {
    let root = images();
    fs::write(root.path().join("cat/1.heic"), "x").unwrap();
    let folder = path_text(root.path());
    let said = succeed(&["data", "info", folder]);
    assert!(
        said.contains("ignored, as they are not images of a supported format: 1 .heic"),
        "{said}"
    );
    let info: Value = serde_json::from_str(&succeed(&["data", "info", folder, "--json"])).unwrap();
    assert_eq!(
        info["left_out"],
        serde_json::json!({ ".heic": 1 }),
        "{info}"
    );

    let lists = tempfile::tempdir().unwrap();
    let list = lists.path().join("mine.csv");
    let rows = (0..12).map(|number| format!("{number},{}\n", ["even", "odd"][number % 2]));
    fs::write(&list, format!("id,label\n{}", rows.collect::<String>())).unwrap();
    let cat = root.path().join("cat");
    let args = [
        "data",
        "info",
        path_text(&list),
        "--images-dir",
        path_text(&cat),
        "--json",
    ];
    let info: Value = serde_json::from_str(&succeed(&args)).unwrap();
    assert_eq!(info["classes"][0]["name"], "even", "{info}");
    let out = lists.path().join("run");
    let images_dir = format!("images_dir={}", path_text(&cat));
    let output = super::alexnet(&train(&list, &out, &["--set", &images_dir]));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let config = fs::read_to_string(out.join("config.toml")).unwrap();
    assert!(
        config.contains("images_dir") && config.contains("exif_rotation = true"),
        "{config}"
    );
    succeed(&["evaluate", path_text(&out), "--device", "cpu"]);
    // Images in a folder are counted in the same way.
    let args = [
        "predict",
        path_text(&out),
        folder,
        "--device",
        "cpu",
        "--json",
    ];
    let said: Value = serde_json::from_str(&succeed(&args)).unwrap();
    assert_eq!(
        said["left_out"],
        serde_json::json!({ ".heic": 1 }),
        "{said}"
    );
    fs::write(&list, "id,label\n0,even\n99,odd\n1,odd\n").unwrap();
    let again = lists.path().join("again");
    let args = train(&list, &again, &["--set", &images_dir]);
    fail(&args, &["mine.csv: line 3", "no file 99"]);
}

#[test]
fn images_that_cannot_be_read_are_an_error_or_a_listed_skip() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().join("run");
    for (name, bytes, reason) in [
        ("huge.png", huge_png(), "20000x20000"),
        // A start of image and of a scan, and no end.
        (
            "cut.jpg",
            b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\xff\xda\0\x08".to_vec(),
            "cut off",
        ),
        ("text.png", b"<html>".to_vec(), "neither JPEG, PNG"),
        ("empty.webp", Vec::new(), "neither JPEG, PNG"),
    ] {
        let root = images();
        fs::write(root.path().join("cat").join(name), bytes).unwrap();
        fail(&train(root.path(), &out, &[]), &[name, reason]);
        assert!(!out.exists(), "{name} left something");
        let args = ["data", "info", path_text(root.path())];
        let said = succeed(&args);
        assert!(
            said.contains("skipped: ") && said.contains(name) && said.contains(reason),
            "{said}"
        );
    }
    let root = images();
    fs::write(root.path().join("cat/huge.png"), huge_png()).unwrap();
    let output = super::alexnet(&train(root.path(), &out, &["--skip-unreadable"]));
    let told = text(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(
        told.contains("huge.png") && told.contains("1 files"),
        "{told}"
    );
    // The recipe remembers it.
    succeed(&["evaluate", path_text(&out), "--device", "cpu"]);
}

#[test]
fn folders_that_are_no_data_set_are_one_line() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().join("run");
    let root = images();
    fs::create_dir(root.path().join("bird")).unwrap();
    for args in [
        train(root.path(), &out, &[]),
        vec!["data", "info", path_text(root.path())],
    ] {
        fail(&args, &["bird", "at least 1 readable image"]);
    }
    for class in ["bird", "dog"] {
        fs::remove_dir_all(root.path().join(class)).unwrap();
    }
    for args in [
        train(root.path(), &out, &[]),
        vec!["data", "info", path_text(root.path())],
    ] {
        fail(&args, &["at least 2 folders, one a class", "found 1"]);
    }
    fs::remove_dir_all(root.path().join("cat")).unwrap();
    fail(&train(root.path(), &out, &[]), &["at least 2 folders"]);
    fail(&["data", "info", path_text(&out)], &["no such data set"]);
    assert!(!out.exists(), "nothing is written");
}

#[test]
fn an_image_of_one_pixel_is_an_image() {
    let root = images();
    let out = tempfile::tempdir().unwrap();
    let out = out.path().join("run");
    fs::write(root.path().join("cat/dot.bmp"), bmp(1, 1, 200)).unwrap();
    succeed(&train(root.path(), &out, &[]));
    let said = succeed(&["data", "info", path_text(root.path())]);
    assert!(said.contains("files of 1x1 to"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn odd_names_and_loops_of_links_are_no_harm() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;
    let root = images();
    let out = tempfile::tempdir().unwrap();
    let out = out.path().join("run");
    let odd = root.path().join(OsStr::from_bytes(b"caf\xe9"));
    fs::rename(root.path().join("dog"), &odd).unwrap();
    fs::rename(odd.join("1.bmp"), odd.join(OsStr::from_bytes(b"\xff.bmp"))).unwrap();
    succeed(&train(root.path(), &out, &[]));
    let said = succeed(&["data", "info", path_text(root.path())]);
    assert!(said.contains("caf\\xe9"), "{said}");
    symlink("..", odd.join("loop")).unwrap();
    let again = out.with_file_name("again");
    fail(
        &train(root.path(), &again, &[]),
        &["loop", "not a readable image"],
    );
    let info = ["data", "info", path_text(root.path()), "--json"];
    let info: Value = serde_json::from_str(&succeed(&info)).unwrap();
    assert_eq!(info["skipped"].as_array().unwrap().len(), 1, "{info}");
    assert_eq!(info["images"]["train"], 22, "{info}");
}
