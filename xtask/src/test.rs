//! `cargo xtask test`: everything that CI runs, in the order that fails soonest, stopping at the first failure
//! unless told to keep going.
//!
//! Crates are tested one by one, because testing the whole workspace at once unifies features and hides a missing one.

mod tally;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use self::tally::{Tally, run_tests};
use crate::cargo::{self, Workspace};
use crate::{cross, shaders, tidy, vulkan};

/// What the command line asked for.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Options {
    quick: bool,
    keep_going: bool,
    /// In place of all else, the checks of other platforms.
    cross: Option<Vec<cross::Check>>,
}

impl Options {
    /// Reads the arguments of `test`; the error is one line for the user.
    pub(crate) fn parse(args: &[OsString]) -> Result<Self, String> {
        let mut options = Self::default();
        for arg in args {
            match arg.to_str() {
                Some("--quick") => options.quick = true,
                Some("--keep-going") => options.keep_going = true,
                Some("--cross") => options.cross = Some(cross::CHECKS.into()),
                Some(arg) if arg.starts_with("--cross=") => {
                    options.cross = Some(vec![cross::named(&arg["--cross=".len()..])?]);
                }
                _ => {
                    return Err(format!(
                        "`test` does not know the argument `{}`",
                        arg.display()
                    ));
                }
            }
        }
        Ok(options)
    }
}

/// Environment variables that a step sets.
type Variables = &'static [(&'static str, &'static str)];

/// One thing to do, with a name for the headers and the summary.
#[derive(Debug)]
struct Step {
    name: String,
    action: Action,
}

#[derive(Debug)]
enum Action {
    /// The layout checks, in this process.
    Tidy,
    /// Other people's compilers on every shader, as far as they are installed.
    Shaders,
    /// Cargo with these arguments.
    Cargo(Variables, Vec<String>),
    /// A `cargo test`, whose closing lines are counted.
    Tests(Vec<String>),
    /// A project outside the workspace, by its folder relative to the root, built and run.
    Project(PathBuf),
    /// Something about another platform, which this machine may not have the tools for.
    Cross(cross::Check),
}

/// Runs the steps; the exit code is a failure if one of them failed.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let hint = vulkan::missing().filter(|_| options.cross.is_none());
    if let Some(hint) = hint {
        println!("{hint}");
    }
    let steps = match &options.cross {
        Some(checks) => checks.iter().copied().map(Step::cross).collect(),
        None => steps(&workspace, options)?,
    };
    let mut tally = Tally::default();
    let mut done = Vec::new();
    for (idx, step) in steps.iter().enumerate() {
        println!(
            "\n== {}/{} {}: {}",
            idx + 1,
            steps.len(),
            step.name,
            step.action.command_line()
        );
        let start = Instant::now();
        let passed = step.action.perform(&workspace, &mut tally)?;
        let time = start.elapsed();
        println!("== {} {} after {}", step.name, verdict(passed), spell(time));
        done.push(Done { step, passed, time });
        if !passed && !options.keep_going {
            break;
        }
    }
    summarise(&done, steps.len(), &tally);
    let all_passed = done.iter().all(|done| done.passed);
    Ok(if all_passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A step that was taken.
struct Done<'a> {
    step: &'a Step,
    passed: bool,
    time: Duration,
}

fn verdict(passed: bool) -> &'static str {
    if passed { "passed" } else { "FAILED" }
}

fn summarise(done: &[Done<'_>], n_steps: usize, tally: &Tally) {
    println!("\nSummary");
    for Done { step, passed, time } in done {
        println!(
            "  {:<8} {:<28} {:>14}",
            verdict(*passed),
            step.name,
            spell(*time)
        );
    }
    if done.len() < n_steps {
        println!("  {} further steps were not run", n_steps - done.len());
    }
    println!(
        "  {:<8} {:<28} {:>14}",
        "",
        "all",
        spell(done.iter().map(|done| done.time).sum())
    );
    let has_tests = |done: &Done<'_>| matches!(done.step.action, Action::Tests(_));
    if let Some(hint) = vulkan::missing().filter(|_| done.iter().any(has_tests)) {
        println!("{hint}");
    }
    for Done { step, .. } in done.iter().filter(|done| !done.passed) {
        println!(
            "`{}` failed; to repeat it:\n    {}",
            step.name,
            step.action.command_line()
        );
    }
    // Alone on a line and last: programs read the counts from here.
    println!(
        "{} passed, {} failed, {} skipped",
        tally.passed, tally.failed, tally.ignored
    );
}

fn steps(workspace: &Workspace, options: &Options) -> Result<Vec<Step>> {
    let step = |name: &str, action| Step {
        name: name.to_owned(),
        action,
    };
    let cargo = |variables, line: &str| Action::Cargo(variables, words(line));
    let projects = projects(&workspace.root)?;
    let line = format!("fmt --all -- --check {}", behind_macros(&workspace.root)?);
    let mut steps = vec![step("format", cargo(&[], &line))];
    for (name, folder) in &projects {
        let line = format!(
            "fmt --manifest-path {}/Cargo.toml -- --check",
            folder.display()
        );
        steps.push(step(&format!("format {name}"), cargo(&[], &line)));
    }
    steps.push(step("tidy", Action::Tidy));
    steps.push(step(
        "clippy",
        cargo(&[], "clippy --workspace --all-targets -- -D warnings"),
    ));
    for name in tidy::layers::lowest_first(workspace) {
        steps.push(step(
            &format!("test {name}"),
            Action::Tests(words(&format!("test -p {name}"))),
        ));
    }
    if !options.quick {
        steps.push(step("shaders check", Action::Shaders));
        steps.push(step(
            "docs",
            cargo(
                &[("RUSTDOCFLAGS", "-D warnings")],
                "doc --workspace --no-deps",
            ),
        ));
        for (name, folder) in projects {
            steps.push(step(&format!("project {name}"), Action::Project(folder)));
        }
    }
    Ok(steps)
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// Folders whose files a macro declares, which rustfmt does not find by itself.
const BEHIND_MACROS: [&str; 2] = ["crates/model/src/layers", "crates/verify/src/operators"];

/// Those files, relative to the root.
fn behind_macros(root: &Path) -> Result<String> {
    let mut files = Vec::new();
    for folder in BEHIND_MACROS {
        let entries = std::fs::read_dir(root.join(folder));
        for entry in entries.with_context(|| format!("cannot list {folder}"))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".rs") {
                files.push(format!("{folder}/{name}"));
            }
        }
    }
    files.sort();
    Ok(files.join(" "))
}

/// Where the example projects are, relative to the root.
const PROJECTS: &str = "tests/projects";

/// Names and folders of the example projects; none is fine.
fn projects(root: &Path) -> Result<Vec<(String, PathBuf)>> {
    let folder = root.join(PROJECTS);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut projects = Vec::new();
    for entry in
        std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?
    {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            projects.push((name, Path::new(PROJECTS).join(entry.file_name())));
        }
    }
    projects.sort();
    Ok(projects)
}

impl Step {
    fn cross(check: cross::Check) -> Self {
        Self {
            name: check.name.to_owned(),
            action: Action::Cross(check),
        }
    }
}

impl Action {
    /// What to type to repeat this step alone.
    fn command_line(&self) -> String {
        match self {
            Self::Tidy => "cargo xtask tidy".to_owned(),
            Self::Shaders => "cargo xtask shaders check".to_owned(),
            Self::Cargo(variables, args) => {
                let variables: String = variables
                    .iter()
                    .map(|(name, value)| format!("{name}=\"{value}\" "))
                    .collect();
                format!("{variables}cargo {}", args.join(" "))
            }
            Self::Tests(args) => format!("cargo {}", args.join(" ")),
            Self::Project(folder) => format!(
                "cargo run --manifest-path {}",
                folder.join("Cargo.toml").display()
            ),
            Self::Cross(check) => check.command_line(),
        }
    }

    /// Does it, all output on the terminal; false when it failed.
    fn perform(&self, workspace: &Workspace, tally: &mut Tally) -> Result<bool> {
        let mut cargo = cargo::command();
        cargo.current_dir(&workspace.root).stdin(Stdio::null());
        match self {
            Self::Tidy => return tidy::check(workspace),
            Self::Shaders => return shaders::check::check(workspace),
            Self::Cargo(variables, args) => {
                cargo.args(args).envs(variables.iter().copied());
            }
            Self::Tests(args) => return run_tests(cargo.args(args), tally),
            Self::Cross(check) => {
                let found = check.perform(workspace)?;
                tally.passed += found.passed;
                tally.failed += found.failed;
                tally.ignored += u64::from(found.is_skipped);
                return Ok(found.failed == 0);
            }
            Self::Project(folder) => {
                // A project of its own has a lock file of its own; starting from ours keeps the versions that are
                // tested, and so the dependencies that are built already.
                let lock = workspace.root.join(folder).join("Cargo.lock");
                std::fs::copy(workspace.root.join("Cargo.lock"), &lock)
                    .with_context(|| format!("cannot write {}", lock.display()))?;
                cargo
                    .args(["run", "--manifest-path"])
                    .arg(folder.join("Cargo.toml"))
                    // Nobody looks into these programs, and wgpu's takes long to write.
                    .env("CARGO_PROFILE_DEV_DEBUG", "0");
                cargo.arg("--target-dir").arg(&workspace.target_dir);
            }
        }
        Ok(cargo.status().context("cannot start cargo")?.success())
    }
}

/// A time as a person reads it: `0.4 s`, `2 min 05 s`.
fn spell(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_times() {
        assert_eq!(spell(Duration::from_millis(420)), "0.4 s");
        assert_eq!(spell(Duration::from_secs(125)), "2 min 05 s");
    }

    #[test]
    fn refuses_unknown_arguments() {
        assert_eq!(
            Options::parse(&["--quick".into()]),
            Ok(Options {
                quick: true,
                ..Options::default()
            })
        );
        assert!(
            Options::parse(&["--fast".into()])
                .unwrap_err()
                .contains("--fast")
        );
    }

    #[test]
    fn a_step_says_how_to_repeat_it() {
        let docs = Action::Cargo(&[("RUSTDOCFLAGS", "-D warnings")], words("doc --no-deps"));
        assert_eq!(
            docs.command_line(),
            "RUSTDOCFLAGS=\"-D warnings\" cargo doc --no-deps"
        );
    }
}
