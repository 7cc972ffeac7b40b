//! `cargo xtask shaders stats`: what Mesa's compilers for five makers' GPUs make of every shader variant that AlexNet's shapes ask
//! for, without a GPU: registers, spills, occupancy, cycles. The drivers run in a folder with Debian sid, on kernels that do nothing.

mod compare;
mod measure;
mod table;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::cargo::Workspace;
use table::Table;

/// The committed table, relative to the root.
const TABLE: &str = "benches/shader-stats.md";

/// What the command line asked for.
#[derive(Debug, Default, PartialEq)]
struct Options {
    /// The folder for the drivers; without it nothing is measured.
    chroot: Option<PathBuf>,
    /// Where the table is, in place of the committed one.
    table: Option<PathBuf>,
    /// A file or a commit to compare with.
    against: Option<OsString>,
    /// All variants there are, not only those that a card's table can choose.
    is_all: bool,
}

impl Options {
    /// Reads the arguments; the error is one line for the user.
    fn parse(args: &[OsString]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = |what: &str| {
                let message = format!("`shaders stats {}` expects {what}", arg.display());
                args.next().cloned().ok_or(message)
            };
            match arg.to_str() {
                Some("--chroot") => options.chroot = Some(value("a folder")?.into()),
                Some("--table") => options.table = Some(value("a file")?.into()),
                Some("--against") => options.against = Some(value("a file or a commit")?),
                Some("--all") => options.is_all = true,
                _ => {
                    let arg = arg.display();
                    return Err(format!(
                        "`shaders stats` does not know the argument `{arg}`"
                    ));
                }
            }
        }
        if options.is_all && options.table.is_none() {
            return Err("`shaders stats --all` expects `--table FILE`: the committed table is of what can be chosen".to_owned());
        }
        if options.chroot.is_none() && options.against.is_none() {
            return Err("`shaders stats` expects `--chroot DIR` to measure, `--against FILE|COMMIT` to compare, or both".to_owned());
        }
        Ok(options)
    }
}

/// Measures, compares, or both. A variant that spills is a failure.
pub(super) fn run(args: &[OsString]) -> Result<ExitCode> {
    let options = match Options::parse(args) {
        Ok(options) => options,
        Err(message) => return Ok(crate::usage(&message)),
    };
    let workspace = Workspace::load()?;
    let path = options.table.clone();
    let path = path.unwrap_or_else(|| workspace.root.join(TABLE));
    // Before the table is written anew: it may be what is compared with.
    let before = options.against.as_ref();
    let before = before.map(|what| read_any(&workspace.root, what));
    let before = before.transpose()?;
    let table = match &options.chroot {
        Some(folder) => {
            let table = measure::run(&workspace, folder, options.is_all)?;
            let text = table.to_string();
            std::fs::write(&path, text)
                .with_context(|| format!("cannot write {}", path.display()))?;
            println!("{}: {} rows", path.display(), table.rows());
            table
        }
        None => read(&path)?,
    };
    if let Some(before) = &before {
        print!("{}", compare::report(before, &table));
    }
    let spilling = table.spilling();
    for name in &spilling {
        println!("spills: {name}");
    }
    Ok(if spilling.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn read(path: &Path) -> Result<Table> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    Table::parse(&text).with_context(|| format!("{} is no such table", path.display()))
}

/// A table in a file, or the committed one of a commit.
fn read_any(root: &Path, what: &OsString) -> Result<Table> {
    if Path::new(what).is_file() {
        return read(Path::new(what));
    }
    let what = what.to_string_lossy();
    let object = format!("{what}:{TABLE}");
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(["show", &object]);
    let output = git.output().context("cannot start git")?;
    if !output.status.success() {
        bail!("--against: expected a file, or a commit with {TABLE}, found `{what}`");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Table::parse(&text).with_context(|| format!("{object} is no such table"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Options, String> {
        let args: Vec<OsString> = args.iter().map(Into::into).collect();
        Options::parse(&args)
    }

    #[test]
    fn arguments_are_read_or_refused_in_a_line() {
        let options = parsed(&["--chroot", "/tmp/sid", "--against", "main"]).unwrap();
        assert_eq!(options.chroot, Some("/tmp/sid".into()));
        assert_eq!(options.against, Some("main".into()));
        for wrong in [
            &[][..],
            &["--chroot"],
            &["--fast"],
            &["--chroot", "d", "--all"],
        ] {
            let message = parsed(wrong).unwrap_err();
            assert!(
                message.starts_with("`shaders stats"),
                "{wrong:?}: {message}"
            );
        }
    }
}
