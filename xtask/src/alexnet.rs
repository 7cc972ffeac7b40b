//! `cargo xtask train`, `evaluate` and every other verb of `alexnet`: build the binary in release mode, then become it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::cargo::{self, Workspace};

/// The binary's name, from the manifest of `cli`.
const BINARY: &str = "alexnet";

/// Builds `alexnet` and runs it with these arguments, in the caller's folder and on the caller's terminal.
pub(crate) fn run(args: &[OsString]) -> Result<ExitCode> {
    let executable = build()?;
    become_process(Command::new(&executable).args(args))
        .with_context(|| format!("cannot start {}", executable.display()))
}

/// Builds the binary, cargo's progress visible, and asks cargo itself where it is: that holds with `CARGO_TARGET_DIR`
/// and with a `build.target` in somebody's configuration.
fn build() -> Result<PathBuf> {
    let workspace = Workspace::load()?;
    let output = cargo::command()
        .args([
            "build",
            "--release",
            "-p",
            "cli",
            "--message-format",
            "json-render-diagnostics",
        ])
        .arg("--manifest-path")
        .arg(workspace.root.join("Cargo.toml"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!("the build failed, as printed above; `cargo build --release -p cli` repeats it");
    }
    let messages = String::from_utf8(output.stdout).context("cargo's messages are not UTF-8")?;
    executable(&messages).with_context(|| format!("cargo built no binary called {BINARY}"))
}

/// Finds the binary in cargo's messages, one JSON object a line.
pub(crate) fn executable(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == BINARY)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

/// On Unix this process is replaced, so that signals reach `alexnet` itself and its exit code is the caller's.
#[cfg(unix)]
fn become_process(command: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec().into())
}

#[cfg(not(unix))]
fn become_process(command: &mut Command) -> Result<ExitCode> {
    let status = command.status()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_binary_among_the_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"train"},"executable":null}"#,
            "\nnot a message\n",
            r#"{"reason":"compiler-artifact","target":{"name":"alexnet"},"executable":"/t/release/alexnet"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(executable(messages), Some("/t/release/alexnet".into()));
    }

    #[test]
    fn a_build_without_the_binary_is_noticed() {
        assert_eq!(
            executable(r#"{"reason":"build-finished","success":true}"#),
            None
        );
    }
}
