//! `cargo xtask bench --peers`: build the peers in Rust, then let `alexnet bench --peers DIR` run them beside itself.

use std::ffi::OsString;
use std::path::Path;
use std::process::{ExitCode, Stdio};

use anyhow::{Context as _, Result};

use crate::cargo::{self, Workspace};

/// The flag that brings the peers in; here it may stand alone.
pub(crate) const PEERS: &str = "--peers";

/// The packages of `benches/peers`, each built by itself: together, burn's backends would switch on each other's features.
const PACKAGES: [&str; 3] = ["burn_flex_bench", "burn_wgpu_bench", "candle_bench"];

/// Runs the comparison with these arguments.
pub(crate) fn run(args: Vec<OsString>) -> Result<ExitCode> {
    let folder = Workspace::load()?.root.join("benches/peers");
    let names_folder = args
        .windows(2)
        .any(|pair| pair[0] == PEERS && !pair[1].to_string_lossy().starts_with('-'));
    if !names_folder {
        PACKAGES
            .iter()
            .try_for_each(|package| build(&folder, package))?;
    }
    crate::alexnet::run(&with_folder(args, names_folder, &folder))
}

/// A peer that does not build is absent from the comparison, which says so.
fn build(folder: &Path, package: &str) -> Result<()> {
    let mut cargo = cargo::command();
    cargo.args(["build", "--release", "--locked", "-p", package]);
    cargo.arg("--manifest-path").arg(folder.join("Cargo.toml"));
    cargo.arg("--target-dir").arg(folder.join("target"));
    cargo.stdin(Stdio::null());
    let status = cargo.status().context("cannot start cargo")?;
    if !status.success() {
        eprintln!("warning: {package} was not built, so it is left out");
    }
    Ok(())
}

fn with_folder(args: Vec<OsString>, names_folder: bool, folder: &Path) -> Vec<OsString> {
    let mut all = vec!["bench".into()];
    for arg in args {
        let is_flag = arg == PEERS;
        all.push(arg);
        if is_flag && !names_folder {
            all.push(folder.into());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(args: &[&str], names_folder: bool) -> Vec<OsString> {
        let args = args.iter().map(Into::into).collect();
        with_folder(args, names_folder, Path::new("/w/benches/peers"))
    }

    #[test]
    fn the_flag_gets_the_checkouts_own_peers() {
        assert_eq!(
            completed(&["--json", "--peers", "--rounds", "1"], false),
            [
                "bench",
                "--json",
                "--peers",
                "/w/benches/peers",
                "--rounds",
                "1"
            ]
        );
        assert_eq!(
            completed(&["--peers", "elsewhere"], true),
            ["bench", "--peers", "elsewhere"]
        );
    }
}
