//! `cargo xtask tidy`: what the compiler and clippy cannot see. Which crate uses which, whether every operator has all
//! of its parts, and what a file may look like. Reads `cargo metadata` and the files that git knows; changes nothing.

pub(crate) mod citations;
pub(crate) mod files;
pub(crate) mod layers;
pub(crate) mod modules;
pub(crate) mod operators;
pub(crate) mod tuples;

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::cargo::Workspace;
use files::File;

/// The verb.
pub(crate) fn run() -> Result<ExitCode> {
    Ok(if check(&Workspace::load()?)? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints every finding, one a line; false when there is one.
pub(crate) fn check(workspace: &Workspace) -> Result<bool> {
    let files = read_files(&workspace.root)?;
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut findings = layers::check(&workspace.packages);
    findings.extend(layers::check_manifests(&files));
    findings.extend(operators::check(&paths));
    findings.extend(citations::check(&files));
    findings.extend(files.iter().flat_map(files::check));
    findings.extend(files.iter().flat_map(modules::check));
    findings.extend(files.iter().flat_map(tuples::check));
    for finding in &findings {
        println!("tidy: {finding}");
    }
    let n_operators = operators::names(&paths).len();
    println!(
        "tidy: {} files, {n_operators} operators, {} findings",
        files.len(),
        findings.len()
    );
    Ok(findings.is_empty())
}

/// The files that git tracks or would track, with paths relative to the root and `/` between the parts.
fn read_files(root: &Path) -> Result<Vec<File>> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .context("cannot start git, which lists the files to look at")?;
    if !output.status.success() {
        bail!(
            "git ls-files failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let list = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    let mut paths: Vec<&str> = list.split_terminator('\0').collect();
    paths.sort_unstable();
    paths.dedup();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let absolute = root.join(path);
        // Deleted, but not yet in a commit.
        if absolute.is_file() {
            files.push(File::read(&absolute, path).with_context(|| format!("cannot read {path}"))?);
        }
    }
    Ok(files)
}
