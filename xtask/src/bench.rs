//! `cargo xtask bench`: the kernels' criterion benches, at AlexNet's real shapes. `cargo bench -p kernels` is the same.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::cargo::{self, Workspace};

/// Runs the benches of `kernels`; the arguments are criterion's: a filter such as `conv2d`, or `--save-baseline NAME`.
pub(crate) fn run(args: &[OsString]) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let status = cargo::command()
        .args(["bench", "-p", "kernels", "--manifest-path"])
        .arg(workspace.root.join("Cargo.toml"))
        .arg("--")
        .args(args)
        .status()
        .context("cannot start cargo")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
