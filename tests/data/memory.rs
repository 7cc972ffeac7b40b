//! Large images on many threads: all decoders together stay within the budget.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use data::{DECODE_BYTES, FolderOptions, read_folder};
use flate2::{Compression, Crc, write::ZlibEncoder};

/// Where the child finds its images.
const FOLDER: &str = "ALEXNET_TEST_LARGE_IMAGES";
/// What a process takes that decodes nothing: threads, lists, the allocator's caches.
const AROUND: u64 = 64 << 20;

/// A black PNG of this side with alpha and 16 bits a channel.
fn large_png(side: u32) -> Vec<u8> {
    let mut pixels = ZlibEncoder::new(Vec::new(), Compression::fast());
    let row = vec![0; 1 + 8 * side as usize];
    for _ in 0..side {
        pixels.write_all(&row).unwrap();
    }
    let header = [
        &side.to_be_bytes()[..],
        &side.to_be_bytes(),
        &[16, 6, 0, 0, 0],
    ]
    .concat();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, content) in [
        (b"IHDR", header),
        (b"IDAT", pixels.finish().unwrap()),
        (b"IEND", vec![]),
    ] {
        png.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
        let chunk = [&name[..], &content].concat();
        let mut crc = Crc::new();
        crc.update(&chunk);
        png.extend(chunk);
        png.extend(crc.sum().to_be_bytes());
    }
    png
}

/// Decodes the folder that the test below names, in a process of its own; alone it does nothing.
#[test]
fn child_that_decodes() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let options = FolderOptions {
        size: [16, 16],
        ..FolderOptions::default()
    };
    read_folder(&folder, &options, &mut |_| {}).unwrap();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM:"));
    fs::write(folder.join("peak"), peak.unwrap()).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn sixteen_threads_stay_within_the_budget() {
    let dir = tempfile::tempdir().unwrap();
    // 240 MiB each while it becomes 8 bits: 3.8 GiB on 16 threads.
    let png = large_png(4096);
    for number in 0..16 {
        let class = dir.path().join(["a", "b"][number % 2]);
        fs::create_dir_all(&class).unwrap();
        fs::write(class.join(format!("{number}.png")), &png).unwrap();
    }
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["memory::child_that_decodes", "--exact"])
        .env(FOLDER, dir.path())
        .env("RAYON_NUM_THREADS", "16")
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    let peak = kibibytes(&dir.path().join("peak")) << 10;
    assert!(peak <= DECODE_BYTES + AROUND, "{} MiB", peak >> 20);
    assert!(
        peak > DECODE_BYTES / 2,
        "{} MiB: side by side where there is room",
        peak >> 20
    );
}

/// The number in a line of `/proc/self/status`.
fn kibibytes(path: &Path) -> u64 {
    let line = fs::read_to_string(path).unwrap();
    let number: String = line.chars().filter(char::is_ascii_digit).collect();
    number.parse().unwrap()
}
