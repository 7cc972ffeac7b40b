//! Archives, honest and not.

use std::fs;
use std::io::Write;
use std::path::Path;

use data::unpack;
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A gzipped archive of files.
pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, bytes) in files {
        append(&mut builder, name, EntryType::Regular, bytes);
    }
    gzip(&builder.into_inner().unwrap())
}

/// Appends an entry with the name as it is: the builder itself would refuse the bad ones.
fn append(builder: &mut Builder<Vec<u8>>, name: &str, kind: EntryType, bytes: &[u8]) {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    if kind.is_symlink() || kind.is_hard_link() {
        header.set_link_name("/etc/passwd").unwrap();
    }
    header.set_mode(0o644);
    header.set_cksum();
    builder.append(&header, bytes).unwrap();
}

/// Unpacks `set` into a new folder, with 100 bytes allowed, and checks that a failure leaves nothing there.
fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let dir = tempfile::tempdir().unwrap();
    let (file, into) = (dir.path().join("x.tar.gz"), dir.path().join("into"));
    fs::write(&file, bytes).unwrap();
    fs::create_dir(&into).unwrap();
    match unpack(&file, "set", &into, 100, &mut |_| {}) {
        Ok(()) => Ok(fs::read(into.join("set/a.bin")).unwrap()),
        Err(error) => {
            assert_eq!(
                fs::read_dir(&into).unwrap().count(),
                0,
                "left something after {error}"
            );
            assert_eq!(
                fs::read_dir(dir.path()).unwrap().count(),
                2,
                "escaped: {error}"
            );
            Err(error
                .to_string()
                .replace(&format!("{}: ", file.display()), ""))
        }
    }
}

fn with_entry(name: &str, kind: EntryType, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut builder = Builder::new(Vec::new());
    append(&mut builder, "set/a.bin", EntryType::Regular, b"abc");
    append(&mut builder, name, kind, bytes);
    unpacked(&gzip(&builder.into_inner().unwrap()))
}

#[test]
fn files_and_folders_are_unpacked() {
    assert_eq!(
        with_entry("./set/deep/er/", EntryType::Directory, b""),
        Ok(b"abc".to_vec())
    );
    assert_eq!(
        with_entry(
            "pax_global_header",
            EntryType::XGlobalHeader,
            b"13 comment=x\n"
        ),
        Ok(b"abc".to_vec())
    );
}

#[test]
fn entries_that_leave_the_folder_or_are_no_files_are_refused() {
    for name in ["../evil", "set/../../evil", "/tmp/evil", "set/./../../evil"] {
        let message = with_entry(name, EntryType::Regular, b"x").unwrap_err();
        assert_eq!(
            message,
            format!("entry {name:?}: expected a path inside the archive's folder, found {name}")
        );
    }
    for (kind, found) in [
        (EntryType::Symlink, "Symlink"),
        (EntryType::Link, "Link"),
        (EntryType::Char, "Char"),
        (EntryType::Fifo, "Fifo"),
    ] {
        let message = with_entry("set/odd", kind, b"").unwrap_err();
        assert_eq!(
            message,
            format!("entry \"set/odd\": expected a file or a folder, found {found}")
        );
    }
}

#[test]
fn sizes_are_bounded_before_a_byte_is_written() {
    let message = with_entry("set/b", EntryType::Regular, &[0; 98]).unwrap_err();
    assert_eq!(
        message,
        "entry \"set/b\": expected at most 100 bytes in all, found 98 bytes when 97 are left"
    );
    // A header that claims more than there is, as bombs and damaged archives do.
    let mut header = Header::new_ustar();
    header.set_path("set/huge").unwrap();
    header.set_size(1 << 40);
    header.set_cksum();
    let message = unpacked(&gzip(header.as_bytes())).unwrap_err();
    assert!(
        message.contains("expected at most 100 bytes in all, found 1099511627776 bytes"),
        "{message}"
    );
}

#[test]
fn damaged_archives_and_other_archives_are_refused() {
    let good = archive(&[("set/a.bin", b"abc")]);
    assert_eq!(unpacked(&good), Ok(b"abc".to_vec()));
    assert!(unpacked(&good[..good.len() / 2]).is_err(), "truncated");
    assert!(unpacked(b"not an archive").is_err(), "no gzip");
    let other = unpacked(&archive(&[("other/a.bin", b"abc")])).unwrap_err();
    assert!(
        other.starts_with("entry \"set\": expected a folder of this name, found 1 others in "),
        "{other}"
    );
    let twice = unpacked(&archive(&[("set/a.bin", b"abc"), ("set/a.bin", b"abc")])).unwrap_err();
    assert!(
        Path::new(twice.trim_end_matches(": cannot create")).ends_with("set/a.bin"),
        "{twice}"
    );
}
