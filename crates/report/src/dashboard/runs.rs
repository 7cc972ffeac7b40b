//! What may be served: runs that lie in the folder, and a few of their files. A name that a client sends is compared with
//! the names that there are; no path is made of it. Links are not followed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::gallery::PLOTS;

/// Files of a run's folder, and what they are.
const FILES: [(&str, &str); 10] = [
    ("report.html", "text/html; charset=utf-8"),
    ("config.toml", "text/plain; charset=utf-8"),
    ("environment.json", "application/json"),
    ("summary.json", "application/json"),
    ("evaluation.json", "application/json"),
    ("profile.json", "application/json"),
    ("metrics.csv", "text/csv; charset=utf-8"),
    ("metrics.jsonl", "text/plain; charset=utf-8"),
    ("steps.jsonl", "text/plain; charset=utf-8"),
    ("histograms.jsonl", "text/plain; charset=utf-8"),
];
/// Files of its folder of plots, by their ends.
const IMAGES: [(&str, &str); 2] = [(".svg", "image/svg+xml"), (".png", "image/png")];

/// The runs that lie in a folder, by name.
pub(super) fn runs(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let runs = entries.filter_map(|entry| {
        let path = entry.path();
        // The type of a link is that of a link.
        let is_run = entry.file_type().ok()?.is_dir() && is_file(&path.join("config.toml"));
        is_run.then_some((entry.file_name().into_string().ok()?, path))
    });
    let mut runs: Vec<_> = runs.collect();
    runs.sort();
    runs
}

/// The run of this name.
pub(super) fn run(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut runs = runs(folder).into_iter();
    Some(runs.find(|(known, _)| known == name)?.1)
}

/// The names of a run's files that are served.
pub(super) fn names(run: &Path) -> Vec<String> {
    let files = FILES.iter().filter(|(name, _)| is_file(&run.join(name)));
    let mut names: Vec<_> = files.map(|(name, _)| (*name).to_owned()).collect();
    let mut images: Vec<_> = plots(run).map(|(name, ..)| name).collect();
    images.sort();
    names.extend(images);
    names
}

/// The file of this name, and its type.
pub(super) fn file(run: &Path, name: &str) -> Option<(PathBuf, &'static str)> {
    if let Some((known, kind)) = FILES.iter().find(|(known, _)| *known == name) {
        let path = run.join(known);
        return is_file(&path).then_some((path, *kind));
    }
    let (_, path, kind) = plots(run).find(|(known, ..)| known == name)?;
    Some((path, kind))
}

fn plots(run: &Path) -> impl Iterator<Item = (String, PathBuf, &'static str)> {
    let folder = run.join(PLOTS);
    let is_folder = fs::symlink_metadata(&folder).is_ok_and(|folder| folder.is_dir());
    let entries = is_folder
        .then(|| fs::read_dir(&folder))
        .into_iter()
        .flatten();
    entries.flatten().flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let (_, kind) = IMAGES.iter().find(|(end, _)| name.ends_with(end))?;
        let is_file = entry.file_type().ok()?.is_file();
        is_file.then(|| (format!("{PLOTS}/{name}"), entry.path(), *kind))
    })
}

/// Whether this is a file itself, not a link to one.
fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| file.is_file())
}
