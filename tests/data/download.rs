//! Transfers from good and bad servers, and what is left on disk after each.

use std::fs;
use std::path::Path;

use data::{DataError, OpenOptions, Progress, Remote, Stage, download, install, open};

use crate::server::{Manner, Server};
use crate::unpack::archive;

/// 200,000 bytes without a pattern that a repeated or missing stretch would keep, and their MD5.
fn file() -> (Vec<u8>, &'static str) {
    let bytes = (0..200_000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24).to_le_bytes()[0])
        .collect();
    (bytes, FILE_MD5)
}

const FILE_MD5: &str = "bc82f4f2ed9ad9079ae8dbdc03b049d8";

/// Downloads the file from such a server into `dir/file`, which may hold `file.part` already.
fn fetch(dir: &Path, manner: Manner, md5: &str) -> (Result<(), DataError>, Server, Vec<u64>) {
    let server = Server::start(file().0, manner);
    let mut done = Vec::new();
    let mut progress = |progress: Progress<'_>| {
        assert_eq!(
            progress.stage,
            Stage::Download,
            "a download is reported as one"
        );
        done.push(progress.done);
    };
    let remote = Remote {
        url: &server.url,
        md5,
        max_bytes: 300_000,
    };
    let result = download(&remote, &dir.join("file"), &mut progress);
    (result, server, done)
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_good_transfer_is_checked_and_reported_to_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (result, server, done) = fetch(dir.path(), Manner::Good, FILE_MD5);
    result.unwrap();
    assert_eq!(fs::read(dir.path().join("file")).unwrap(), file().0);
    assert_eq!(
        (names(dir.path()), server.requests()),
        (vec!["file".to_owned()], vec![None])
    );
    assert_eq!((done[0], done[done.len() - 1]), (0, 200_000));
    assert!(done.is_sorted());
}

#[test]
fn a_broken_transfer_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let (result, server, _) = fetch(dir.path(), Manner::HangsUpAfter(90_000), FILE_MD5);
    result.unwrap();
    assert_eq!(fs::read(dir.path().join("file")).unwrap(), file().0);
    assert_eq!(
        server.requests(),
        [None, Some("90000-".to_owned()), Some("180000-".to_owned())]
    );
}

#[test]
fn what_an_earlier_run_left_is_continued_completed_or_replaced() {
    let part = |bytes: &[u8]| {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file.part"), bytes).unwrap();
        dir
    };
    let whole = file().0;
    let wrong = vec![7; 1000];
    for (left, manner, requests) in [
        (&whole[..50_000], Manner::Good, vec![Some("50000-")]),
        (
            &whole[..50_000],
            Manner::IgnoresRanges,
            vec![Some("50000-")],
        ),
        (
            &whole[..50_000],
            Manner::WrongPart,
            vec![Some("50000-"), None],
        ),
        (&whole[..], Manner::Good, vec![Some("200000-")]),
        (&wrong[..], Manner::Good, vec![Some("1000-"), None]),
    ] {
        let dir = part(left);
        let (result, server, _) = fetch(dir.path(), manner, FILE_MD5);
        result.unwrap();
        assert_eq!(
            fs::read(dir.path().join("file")).unwrap(),
            whole,
            "{manner:?}"
        );
        assert_eq!(names(dir.path()), ["file"]);
        let requests: Vec<_> = requests
            .into_iter()
            .map(|range| range.map(str::to_owned))
            .collect();
        assert_eq!(
            server.requests(),
            requests,
            "{manner:?}, {} bytes left",
            left.len()
        );
    }
}

#[test]
fn a_wrong_checksum_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (result, server, _) = fetch(dir.path(), Manner::Good, "ffffffffffffffffffffffffffffffff");
    let expected = format!(
        "{}: expected MD5 ffffffffffffffffffffffffffffffff, found {FILE_MD5}; the file was discarded",
        server.url
    );
    assert_eq!(result.unwrap_err().to_string(), expected);
    assert!(names(dir.path()).is_empty());
}

#[test]
fn servers_that_fail_or_send_too_much_are_given_up() {
    for (manner, reason) in [
        (
            Manner::Status(404),
            "after 0 bytes: the server answered 404",
        ),
        (
            Manner::Status(503),
            "after 0 bytes: the server answered 503",
        ),
        (Manner::HangsUpAfter(0), "after 0 bytes: "),
        (Manner::Redirects, "after 0 bytes: the server answered 302"),
        (
            Manner::Endless,
            "bytes: the file is longer than the 300000 bytes that were expected at most",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let message = fetch(dir.path(), manner, FILE_MD5)
            .0
            .unwrap_err()
            .to_string();
        assert!(message.contains(reason), "{manner:?}: {message}");
        let written: u64 = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum();
        assert!(written <= 300_000, "{manner:?} wrote {written} bytes");
    }
}

#[test]
fn only_https_or_this_machine() {
    for url in [
        "http://www.cs.toronto.edu/~kriz/x",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "http://127.0.0.1.evil.example/x",
        "",
    ] {
        let remote = Remote {
            url,
            md5: FILE_MD5,
            max_bytes: 1,
        };
        let error = download(&remote, Path::new("/nonexistent/x"), &mut |_| {})
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            format!("url: expected an https address, found {url}")
        );
    }
}

#[test]
fn installing_unpacks_once_and_cleans_up() {
    let archive = archive(&[("set/a.bin", b"abc"), ("set/b.bin", b"d")]);
    let md5 = {
        use md5::{Digest, Md5};
        Md5::digest(&archive)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let server = Server::start(archive.clone(), Manner::Good);
    let dir = tempfile::tempdir().unwrap();
    let into = dir.path().join("new/folder");
    let remote = Remote {
        url: &server.url,
        md5: &md5,
        max_bytes: 10_000,
    };
    for _ in 0..2 {
        let folder = install(&remote, "set", &into, 4, &mut |_| {}).unwrap();
        assert_eq!(fs::read(folder.join("a.bin")).unwrap(), b"abc");
    }
    assert_eq!(server.requests().len(), 1);
    assert_eq!(names(&into), [".download-lock", "set"]);
    // An archive that somebody put there is used, and stays; a damaged one is replaced.
    for there in [archive.as_slice(), b"damaged"] {
        fs::remove_dir_all(into.join("set")).unwrap();
        fs::write(into.join("file.tar.gz"), there).unwrap();
        install(&remote, "set", &into, 4, &mut |_| {}).unwrap();
        assert_eq!(names(&into), [".download-lock", "file.tar.gz", "set"]);
    }
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_missing_data_set_says_what_to_put_where() {
    let dir = tempfile::tempdir().unwrap();
    let options = OpenOptions {
        data_dir: Some(dir.path().to_owned()),
        download: false,
        ..OpenOptions::default()
    };
    let error = |name: &str| {
        open(name.as_ref(), &options, &mut |_| {})
            .unwrap_err()
            .to_string()
    };
    let here = dir.path().display();
    assert_eq!(
        error("cifar10"),
        format!(
            "CIFAR-10: no {here}/cifar-10-batches-bin/data_batch_1.bin; download \
             https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz to {here}/cifar-10-binary.tar.gz"
        )
    );
    assert!(error("mnist").ends_with(&format!(
        "t10k-labels-idx1-ubyte.gz,train-images-idx3-ubyte.gz}} to {here}/mnist"
    )));
    assert_eq!(
        error("cifar11"),
        "cifar11: no such data set or folder; built-in data sets are shapes10, cifar10, cifar100, cifar100-coarse, mnist, fashion-mnist, flowers, imagenet"
    );
}
