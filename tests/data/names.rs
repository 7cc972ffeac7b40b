//! Links, and names that are no text, in folders of images.

#[cfg(target_os = "linux")]
use std::fs;

use super::folder::{first_pixels, plain, read, save, skipping, two_classes};

#[cfg(unix)]
#[test]
fn links_are_followed_and_loops_are_found() {
    use std::os::unix::fs::symlink;
    let elsewhere = tempfile::tempdir().unwrap();
    save(elsewhere.path().join("far/2.png"), &plain(2, 2, [9; 3]));
    for target in ["..", ".", "../../ROOT", "broken"] {
        let dir = two_classes();
        let cat = dir.path().join("cat");
        symlink(elsewhere.path().join("far"), cat.join("link")).unwrap();
        let root_name = dir.path().file_name().unwrap().to_str().unwrap();
        symlink(target.replace("ROOT", root_name), cat.join("loop")).unwrap();
        let error = read(dir.path()).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!(
                "{}/cat/loop: not a readable image: ",
                dir.path().display()
            )),
            "{error}"
        );
        let set = skipping(dir.path()).unwrap();
        assert_eq!(
            first_pixels(&set),
            [[10, 20, 30], [9; 3], [40, 50, 60]],
            "{target}"
        );
        assert_eq!(set.skipped.len(), 1);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_are_read_and_shown() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let dir = two_classes();
    for class in [b"caf\xe9".as_slice(), b"caf\xe8"] {
        let folder = dir.path().join(OsStr::from_bytes(class));
        save(folder.join("1.png"), &plain(2, 2, [class[3]; 3]));
        fs::rename(
            folder.join("1.png"),
            folder.join(OsStr::from_bytes(b"\xff.png")),
        )
        .unwrap();
    }
    let set = read(dir.path()).unwrap();
    assert_eq!(set.class_names(), ["caf\\xe8", "caf\\xe9", "cat", "dog"]);
    assert_eq!(first_pixels(&set)[..2], [[0xe8; 3], [0xe9; 3]]);
}
