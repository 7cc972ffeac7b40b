//! Other Vulkan drivers than the machine's own: a test runs once more, in a process of its own, since a process has the drivers that its
//! environment named at its start.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Chromium's packages put SwiftShader, its software driver.
const SWIFTSHADER: [&str; 3] = [
    "/usr/lib/chromium/vk_swiftshader_icd.json",
    "/usr/lib/chromium-browser/vk_swiftshader_icd.json",
    "/opt/google/chrome/vk_swiftshader_icd.json",
];

/// Runs `test` of this program on SwiftShader. Without it this says so; with `REQUIRE_SWIFTSHADER=1` it fails.
pub(crate) fn rerun_on_swiftshader(test: &str) {
    let manifest = SWIFTSHADER.iter().find(|path| Path::new(path).is_file());
    let Some(manifest) = manifest else {
        let is_required = std::env::var("REQUIRE_SWIFTSHADER").as_deref() == Ok("1");
        assert!(!is_required, "REQUIRE_SWIFTSHADER=1: no Chromium");
        return skip("no SwiftShader here (apt-get install chromium)");
    };
    let mut command = Command::new(this_program());
    command
        .env("VK_DRIVER_FILES", manifest)
        .env("VK_ICD_FILENAMES", manifest);
    rerun(command, test, "SwiftShader");
}

/// Runs `test` of this program on the driver that `.ci/newer-mesa` has put into `$NEWER_MESA`. Without it this says so.
pub(crate) fn rerun_on_newer_mesa(test: &str) {
    let Some(folder) = std::env::var_os("NEWER_MESA") else {
        return skip("no newer lavapipe here (.ci/newer-mesa FOLDER, NEWER_MESA=FOLDER)");
    };
    let mut command = Command::new(PathBuf::from(folder).join("run"));
    command.arg(this_program());
    rerun(command, test, "llvmpipe");
}

fn this_program() -> PathBuf {
    std::env::current_exe().expect("a running program has a file")
}

/// The test must run, pass, and say that it ran on `adapter`.
fn rerun(mut command: Command, test: &str, adapter: &str) {
    command
        .args(["--exact", test, "--nocapture"])
        .env("REQUIRE_GPU", "1");
    let output = command.output().expect("a test program starts again");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let has_passed = output.status.success() && text.contains("1 passed");
    assert!(has_passed, "{test} on {adapter}: {text}\n{errors}");
    let device = text.lines().find_map(|line| line.split_once("device: "));
    let device = device.map_or("", |(_, device)| device);
    assert!(device.contains(adapter), "{test} ran on `{device}`");
}

#[expect(clippy::print_stdout, reason = "a test says what it skips")]
fn skip(reason: &str) {
    println!("skipped: {reason}");
}
