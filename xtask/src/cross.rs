//! `cargo xtask test --cross`: what can be known of other platforms from this one. The crates are compiled for each of them, and
//! the Windows program runs under Wine. What needs a tool that this machine has not is left out, with a word on how to get it.
//!
//! Not for running natively there: `.github/workflows/ci.yml` does.

mod scenes;
mod wine;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::cargo::{self, Workspace};

/// The Windows that a C compiler of Debian links for.
pub(crate) const WINDOWS: &str = "x86_64-pc-windows-gnu";
pub(crate) const ARM_LINUX: &str = "aarch64-unknown-linux-gnu";
pub(crate) const APPLE: &str = "aarch64-apple-darwin";
const WEB: &str = "wasm32-unknown-unknown";

/// The profile of the Windows program: fast to build, and fast enough to train under Wine.
const PROFILE: &str = "cross";

/// What is checked, in this order.
pub(crate) const CHECKS: [Check; 5] = [
    Check {
        name: "linux-arm",
        target: ARM_LINUX,
        work: Work::Compile {
            verb: "check",
            crates: &["cli"],
        },
        tools: &[ARM_COMPILER],
    },
    Check {
        name: "macos",
        target: APPLE,
        work: Work::Compile {
            verb: "check",
            crates: &["cli"],
        },
        tools: &[],
    },
    Check {
        name: "web",
        target: WEB,
        // Up to the networks: nothing there reads a disk or waits.
        work: Work::Compile {
            verb: "check",
            crates: &["shaders", "kernels", "tensor", "model"],
        },
        tools: &[],
    },
    Check {
        name: "windows",
        target: WINDOWS,
        work: Work::Compile {
            verb: "build",
            crates: &["cli"],
        },
        tools: &[WINDOWS_COMPILER],
    },
    Check {
        name: "wine",
        target: WINDOWS,
        work: Work::Wine,
        tools: &[WINDOWS_COMPILER, WINE],
    },
];

/// The check of this name; the error is one line for the user.
pub(crate) fn named(name: &str) -> Result<Check, String> {
    let check = CHECKS.into_iter().find(|check| check.name == name);
    let names = CHECKS.map(|check| check.name).join(", ");
    check.ok_or_else(|| format!("--cross={name}: expected one of {names}"))
}

/// C compilers, for the C of `ring` and for linking.
pub(crate) const ARM_COMPILER: Tool = Tool {
    program: "aarch64-linux-gnu-gcc",
    packages: "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
};
pub(crate) const WINDOWS_COMPILER: Tool = Tool {
    program: "x86_64-w64-mingw32-gcc",
    packages: "gcc-mingw-w64-x86-64",
};
const WINE: Tool = Tool {
    program: "wine",
    packages: "wine wine64",
};

/// One platform or one way to look at it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    target: &'static str,
    work: Work,
    tools: &'static [Tool],
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Work {
    /// Cargo compiles crates for the target.
    Compile {
        verb: &'static str,
        crates: &'static [&'static str],
    },
    /// The scenes of [`scenes`].
    Wine,
}

/// A program that a check needs, with the packages of Debian and Ubuntu that have it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tool {
    pub(crate) program: &'static str,
    pub(crate) packages: &'static str,
}

/// What came of a check.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) is_skipped: bool,
}

impl Check {
    /// What to type to repeat it alone.
    pub(crate) fn command_line(&self) -> String {
        match self.work {
            Work::Compile { .. } => format!("cargo {}", self.arguments().join(" ")),
            Work::Wine => format!("cargo xtask test --cross={}", self.name),
        }
    }

    fn arguments(&self) -> Vec<String> {
        let Work::Compile { verb, crates } = self.work else {
            return Vec::new();
        };
        // Only what is run is worth a profile of its own; a check shares what the tests have built for this machine.
        let profile = if verb == "build" { PROFILE } else { "dev" };
        let mut line = format!(
            "{verb} --locked --profile {profile} --target {}",
            self.target
        );
        for name in crates {
            line.push_str(" -p ");
            line.push_str(name);
        }
        line.split(' ').map(str::to_owned).collect()
    }

    /// Does it, or says why not.
    pub(crate) fn perform(&self, workspace: &Workspace) -> Result<Outcome> {
        if let Some(reason) = missing(self.target, self.tools)? {
            println!("skipped: {reason}");
            return Ok(Outcome {
                is_skipped: true,
                ..Outcome::default()
            });
        }
        match self.work {
            Work::Compile { .. } => {
                let mut cargo = cargo::command();
                cargo.current_dir(&workspace.root).stdin(Stdio::null());
                cargo.args(self.arguments()).envs(linker(self.target));
                let has_passed = cargo.status().context("cannot start cargo")?.success();
                Ok(Outcome {
                    passed: u64::from(has_passed),
                    failed: u64::from(!has_passed),
                    is_skipped: false,
                })
            }
            Work::Wine => scenes::play(workspace),
        }
    }
}

/// The variable that tells cargo which program links for a target, where the default is none.
pub(crate) fn linker(target: &str) -> Option<(&'static str, &'static str)> {
    (target == ARM_LINUX).then_some((
        "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
        ARM_COMPILER.program,
    ))
}

/// What this machine lacks to compile for a target, and how to get it.
pub(crate) fn missing(target: &str, tools: &[Tool]) -> Result<Option<String>> {
    if !has_target(target)? {
        return Ok(Some(format!(
            "Rust's standard library for {target} is not installed: rustup target add {target}"
        )));
    }
    let absent = tools.iter().find(|tool| !is_on_path(tool.program));
    Ok(absent.map(|tool| {
        format!(
            "no {} here; on Debian and Ubuntu: apt-get install -y {}",
            tool.program, tool.packages
        )
    }))
}

fn has_target(target: &str) -> Result<bool> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .output()
        .context("cannot start rustc")?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    Ok(output.status.success() && folder.is_dir())
}

pub(crate) fn is_on_path(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_says_how_to_repeat_it() {
        let lines: Vec<_> = CHECKS.iter().map(Check::command_line).collect();
        assert_eq!(
            lines[2],
            "cargo check --locked --profile dev --target wasm32-unknown-unknown \
             -p shaders -p kernels -p tensor -p model"
        );
        assert_eq!(
            lines[3],
            "cargo build --locked --profile cross --target x86_64-pc-windows-gnu -p cli"
        );
    }

    #[test]
    fn one_check_is_found_by_its_name() {
        assert_eq!(named("wine").unwrap().work, Work::Wine);
        assert!(named("beos").unwrap_err().contains("macos"));
    }

    #[test]
    fn what_is_missing_comes_with_how_to_get_it() {
        let reason = missing("no-such-target", &[]).unwrap().unwrap();
        assert!(
            reason.contains("rustup target add no-such-target"),
            "{reason}"
        );
        let here = Command::new("rustc").arg("-vV").output().unwrap();
        let here = String::from_utf8(here.stdout).unwrap();
        let here = here.lines().find_map(|line| line.strip_prefix("host: "));
        let tool = Tool {
            program: "no-such-compiler",
            packages: "its-package",
        };
        let reason = missing(here.unwrap(), &[tool]).unwrap().unwrap();
        assert!(
            reason.contains("apt-get install -y its-package"),
            "{reason}"
        );
    }
}
