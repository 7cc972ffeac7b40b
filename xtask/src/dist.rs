//! `cargo xtask dist`: a stripped program for each platform that this machine can build for, in an archive with its licences,
//! man pages and completions, and the archives' SHA-256 sums. The same commit gives the same bytes again.

mod archive;
mod licences;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use self::archive::Entry;
use crate::alexnet;
use crate::cargo::{self, Workspace};
use crate::cross::{
    APPLE, ARM_COMPILER, ARM_LINUX, Tool, WINDOWS, WINDOWS_COMPILER, linker, missing,
};

/// What is built for, besides the platform of this machine, with what that takes.
const TARGETS: [(&str, &[Tool]); 4] = [
    ("x86_64-unknown-linux-gnu", &[]),
    (ARM_LINUX, &[ARM_COMPILER]),
    (WINDOWS, &[WINDOWS_COMPILER]),
    (APPLE, &[]),
];

/// Shells whose completions are made, and the name under which each looks for a file.
const SHELLS: [(&str, &str); 5] = [
    ("bash", "alexnet.bash"),
    ("elvish", "alexnet.elv"),
    ("fish", "alexnet.fish"),
    ("powershell", "_alexnet.ps1"),
    ("zsh", "_alexnet"),
];

/// Files of the repository that go along.
const DOCUMENTS: [&str; 4] = ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// What the command line asked for.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    profile: String,
    /// All that can be had, if empty.
    targets: Vec<String>,
    /// `dist` in the target folder, if none.
    out: Option<PathBuf>,
}

impl Options {
    /// Reads the arguments of `dist`; the error is one line for the user.
    pub(crate) fn parse(args: &[OsString]) -> Result<Self, String> {
        let mut options = Self {
            profile: "dist".to_owned(),
            targets: Vec::new(),
            out: None,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || {
                let value = args.next().and_then(|value| value.to_str());
                value
                    .map(str::to_owned)
                    .ok_or_else(|| format!("`{}` needs a value", arg.display()))
            };
            match arg.to_str() {
                Some("--profile") => options.profile = value()?,
                Some("--target") => options.targets.push(value()?),
                Some("--out") => options.out = Some(value()?.into()),
                _ => {
                    return Err(format!(
                        "`dist` does not know the argument `{}`",
                        arg.display()
                    ));
                }
            }
        }
        Ok(options)
    }
}

/// Builds and packs; says what can't be built here.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let out = options
        .out
        .clone()
        .unwrap_or_else(|| workspace.target_dir.join("dist"));
    fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
    let host = host()?;
    let seconds = time_of_commit(&workspace)?;
    // Its program writes the pages of all.
    let own = build(&workspace, options, &host)?;
    let shared = [documents(&workspace)?, pages(&own)?].concat();
    let mut sums = String::new();
    for (target, reason) in targets(options, &host)? {
        if let Some(reason) = reason {
            println!("{target}: not built: {reason}");
            continue;
        }
        let program = if target == host {
            own.clone()
        } else {
            build(&workspace, options, &target)?
        };
        let mut entries = shared.clone();
        entries.push(Entry::text(
            "THIRD-PARTY.txt",
            licences::of_target(&workspace, &target)?,
        ));
        let bytes =
            fs::read(&program).with_context(|| format!("cannot read {}", program.display()))?;
        entries.push(Entry::program(program_name(&target), bytes));
        let name = format!("alexnet-{}-{target}", workspace.version("cli")?);
        let (file, packed) = archive::pack(&name, target.contains("windows"), entries, seconds)?;
        let path = out.join(&file);
        fs::write(&path, &packed).with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}: {:.1} MB", path.display(), packed.len() as f64 / 1e6);
        sums.push_str(&sum_line(&packed, &file));
    }
    let path = out.join("SHA256SUMS");
    fs::write(&path, sums).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{}", path.display());
    Ok(ExitCode::SUCCESS)
}

/// A line as `sha256sum --check` reads it.
fn sum_line(bytes: &[u8], file: &str) -> String {
    let digits = Sha256::digest(bytes);
    let digits: String = digits.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits}  {file}\n")
}

fn program_name(target: &str) -> &'static str {
    if target.contains("windows") {
        "alexnet.exe"
    } else {
        "alexnet"
    }
}

/// This machine's platform, as rustc calls it.
fn host() -> Result<String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .context("cannot start rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .context("rustc does not say what machine this is")
}

/// What is to be built, each with the reason if it can't be.
fn targets(options: &Options, host: &str) -> Result<Vec<(String, Option<String>)>> {
    let known = TARGETS.iter().map(|(target, _)| *target);
    let all: Vec<&str> = if options.targets.is_empty() {
        let others = known.filter(|target| *target != host);
        std::iter::once(host).chain(others).collect()
    } else {
        options.targets.iter().map(String::as_str).collect()
    };
    let mut targets = Vec::new();
    for target in all {
        let tools = TARGETS.iter().find(|(known, _)| *known == target);
        let tools = tools.map_or(&[][..], |(_, tools)| tools);
        let reason = if target == host {
            None
        } else if target.contains("apple") && !cfg!(target_vendor = "apple") {
            Some("Apple's linker is on macOS alone: `cargo xtask dist` there makes it".to_owned())
        } else {
            missing(target, tools)?
        };
        targets.push((target.to_owned(), reason));
    }
    Ok(targets)
}

/// Builds the program for a target. Nothing in it tells where it was built, or when.
fn build(workspace: &Workspace, options: &Options, target: &str) -> Result<PathBuf> {
    let mut flags = vec![remapped(&workspace.root, "/alexnet")];
    let home = cargo_home();
    flags.extend(home.as_deref().map(|home| remapped(home, "/cargo")));
    // Linkers for Windows write down the time.
    if target.ends_with("windows-gnu") {
        flags.push("-Clink-arg=-Wl,--no-insert-timestamp".to_owned());
    } else if target.ends_with("windows-msvc") {
        flags.push("-Clink-arg=/Brepro".to_owned());
    }
    let mut cargo = cargo::command();
    cargo
        .current_dir(&workspace.root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    cargo.args([
        "build",
        "--locked",
        "-p",
        "cli",
        "--profile",
        &options.profile,
    ]);
    cargo.args([
        "--target",
        target,
        "--message-format",
        "json-render-diagnostics",
    ]);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    // An interrupted build's leftovers would change how code is cut into objects.
    cargo.env("CARGO_INCREMENTAL", "0").envs(linker(target));
    let output = cargo.output().context("cannot start cargo")?;
    ensure!(
        output.status.success(),
        "{target}: the build failed, as printed above"
    );
    let messages = String::from_utf8_lossy(&output.stdout);
    alexnet::executable(&messages).with_context(|| format!("{target}: cargo built no alexnet"))
}

fn remapped(folder: &Path, name: &str) -> String {
    format!("--remap-path-prefix={}={name}", folder.display())
}

/// Where cargo keeps the sources of dependencies.
fn cargo_home() -> Option<PathBuf> {
    let of_home = || {
        let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"))?;
        Some(PathBuf::from(home).join(".cargo"))
    };
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(of_home)
}

/// The files of the repository that go along, and the licence of the font that is in the program.
fn documents(workspace: &Workspace) -> Result<Vec<Entry>> {
    let font = ["crates", "report", "fonts", "LICENSE.txt"]
        .iter()
        .collect::<PathBuf>();
    let files = DOCUMENTS.map(|name| (PathBuf::from(name), name));
    let mut entries = Vec::new();
    for (path, name) in files.into_iter().chain([(font, "LICENSE-DejaVuSans")]) {
        let path = workspace.root.join(path);
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        entries.push(Entry::text(name, text));
    }
    Ok(entries)
}

/// Man pages and completions, which the program writes itself.
fn pages(program: &Path) -> Result<Vec<Entry>> {
    let ask = |args: &[&str]| -> Result<Vec<u8>> {
        let output = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .output();
        let output = output.with_context(|| format!("cannot start {}", program.display()))?;
        ensure!(
            output.status.success(),
            "alexnet {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(output.stdout)
    };
    let mut entries = Vec::new();
    for (shell, file) in SHELLS {
        let script = String::from_utf8(ask(&["completions", shell])?)?;
        entries.push(Entry::text(&format!("completions/{file}"), script));
    }
    let folder = program.with_file_name("man-pages");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot remove the man pages of a build before")?;
    }
    ask(&[
        "man",
        "--out",
        folder
            .to_str()
            .context("the target folder's name is not UTF-8")?,
    ])?;
    for entry in fs::read_dir(&folder).context("the program wrote no man pages")? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            bail!("{}: not a man page's name", path.display());
        };
        entries.push(Entry::text(
            &format!("man/man1/{name}"),
            fs::read_to_string(&path)?,
        ));
    }
    Ok(entries)
}

/// When what is packed was written, in seconds since 1970: `SOURCE_DATE_EPOCH`, else the time of the last commit.
fn time_of_commit(workspace: &Workspace) -> Result<u64> {
    if let Some(seconds) = std::env::var_os("SOURCE_DATE_EPOCH") {
        let seconds = seconds.to_str().and_then(|seconds| seconds.parse().ok());
        return seconds.context("SOURCE_DATE_EPOCH: expected seconds since 1970");
    }
    let output = Command::new("git")
        .current_dir(&workspace.root)
        .args(["log", "-1", "--format=%ct"])
        .output()
        .context("cannot start git; SOURCE_DATE_EPOCH says the time without it")?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim()
        .parse()
        .ok()
        .context("no commit here; SOURCE_DATE_EPOCH says the time without one")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options, String> {
        Options::parse(&args.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_are_read_or_refused() {
        let options = parse(&["--profile", "dev", "--target", "a", "--target", "b"]).unwrap();
        assert_eq!(options.profile, "dev");
        assert_eq!(options.targets, ["a", "b"]);
        assert_eq!(parse(&[]).unwrap().profile, "dist");
        assert!(parse(&["--target"]).unwrap_err().contains("needs a value"));
        assert!(parse(&["--fast"]).unwrap_err().contains("--fast"));
    }

    #[test]
    fn this_machine_is_built_for_and_what_is_not_has_a_reason() {
        let host = host().unwrap();
        let targets = targets(&parse(&[]).unwrap(), &host).unwrap();
        assert_eq!(targets[0], (host, None));
        let apple = targets.iter().find(|(target, _)| target == APPLE).unwrap();
        let is_told = apple
            .1
            .as_deref()
            .is_some_and(|reason| reason.contains("macOS"));
        assert_eq!(is_told, !cfg!(target_vendor = "apple"));
    }

    #[test]
    fn sums_are_those_of_sha256sum() {
        // From FIPS 180-2, appendix B.1.
        let expected =
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  abc.zip\n";
        assert_eq!(sum_line(b"abc", "abc.zip"), expected);
    }
}
