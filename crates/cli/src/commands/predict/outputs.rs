//! The files that `predict` writes, and the inputs among which it must not find them again.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::args::PredictArgs;
use crate::report::shown;

/// How the names of occlusion maps end.
const MAP: &str = ".occlusion.png";
/// The folder for occlusion maps, unless another is asked for.
const MAPS: &str = "occlusion-maps";
/// More images of one name are given up.
const MOST_OF_A_NAME: usize = 10_000;

/// An image to classify.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub(super) path: PathBuf,
    /// Its path in the folder that was named, or its name.
    inner: PathBuf,
}

impl Input {
    /// A file that was named.
    pub(super) fn file(path: &Path) -> Self {
        let name = match path.file_name() {
            Some(name) if path != Path::new("-") => name,
            _ => OsStr::new("stdin"),
        };
        Self {
            path: path.to_owned(),
            inner: name.into(),
        }
    }

    /// A file in a folder that was named.
    pub(super) fn inside(path: PathBuf, folder: &Path) -> Self {
        let inner = path.strip_prefix(folder).unwrap_or(&path).to_owned();
        Self { path, inner }
    }
}

/// Where files go.
#[derive(Debug)]
pub(super) struct Outputs {
    maps: PathBuf,
    sorted: Option<PathBuf>,
    /// What this command has written.
    taken: HashSet<PathBuf>,
}

impl Outputs {
    pub(super) fn new(args: &PredictArgs) -> Self {
        Self {
            maps: args.out.clone().unwrap_or_else(|| PathBuf::from(MAPS)),
            sorted: args.sort_into.clone(),
            taken: HashSet::new(),
        }
    }

    /// Whether a file in a folder is a map, or a copy that was sorted into its class.
    pub(super) fn are_own(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_sorted = || {
            let folder = self.sorted.as_deref()?.canonicalize().ok()?;
            Some(path.canonicalize().ok()?.starts_with(folder))
        };
        name.ends_with(MAP) || is_sorted().unwrap_or(false)
    }

    /// The file for an image's map: `rose.jpg` has its map in `rose.occlusion.png`, standard input in `stdin.occlusion.png`.
    pub(super) fn map(&mut self, input: &Input) -> Result<PathBuf> {
        let stem = input.inner.with_extension("");
        let path = |n: usize| {
            let mut name = stem.clone().into_os_string();
            if n > 1 {
                name.push(format!("-{n}"));
            }
            name.push(MAP);
            self.maps.join(within(Path::new(&name)))
        };
        // `a.jpg` and `a.png` have two maps; those of an earlier call are drawn anew.
        let free = (1..MOST_OF_A_NAME)
            .map(path)
            .find(|path| !self.taken.contains(path));
        let path =
            free.with_context(|| format!("{}: too many images of one name", shown(&stem)))?;
        if let Some(folder) = path.parent() {
            files::create_folder(folder)?;
        }
        self.taken.insert(path.clone());
        Ok(path)
    }

    /// Copies an image into the folder of its class, if that is asked for. A file that is there already and another one
    /// stays: the copy gets a number.
    pub(super) fn sort(&self, input: &Input, class: &str, bytes: &[u8]) -> Result<Option<PathBuf>> {
        let Some(folder) = &self.sorted else {
            return Ok(None);
        };
        let folder = folder.join(folder_name(class));
        files::create_folder(&folder)?;
        let name = Path::new(input.inner.file_name().unwrap_or_default());
        let stem = name.file_stem().unwrap_or_default().to_string_lossy();
        let ending = name.extension().unwrap_or_default().to_string_lossy();
        for n in 1..MOST_OF_A_NAME {
            let path = match n {
                1 => folder.join(name),
                _ if ending.is_empty() => folder.join(format!("{stem}-{n}")),
                _ => folder.join(format!("{stem}-{n}.{ending}")),
            };
            if !path.exists() {
                files::replace(&path, bytes)?;
                return Ok(Some(path));
            }
            let is_same = files::read(&path, bytes.len() as u64).is_ok_and(|there| there == bytes);
            if is_same {
                return Ok(Some(path));
            }
        }
        anyhow::bail!("{}: too many images of one name", shown(&folder.join(name)))
    }
}

/// A path that leads nowhere but inwards.
fn within(path: &Path) -> PathBuf {
    let names = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name),
        _ => None,
    });
    names.collect()
}

/// A class's name as a folder can have it, on any system.
fn folder_name(class: &str) -> String {
    let plain = |c: char| {
        if c.is_control() || "/\\:*?\"<>|".contains(c) {
            '_'
        } else {
            c
        }
    };
    let name: String = class.trim().chars().map(plain).collect();
    match name.trim_end_matches('.') {
        "" => "_".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_become_folders_that_every_system_has() {
        for (class, folder) in [
            ("rose", "rose"),
            (
                "African crocodile, Nile crocodile",
                "African crocodile, Nile crocodile",
            ),
            ("../etc", ".._etc"),
            ("..", "_"),
            ("a/b", "a_b"),
            ("", "_"),
        ] {
            assert_eq!(folder_name(class), folder, "{class}");
        }
    }

    #[test]
    fn maps_of_one_name_do_not_replace_each_other() {
        let root = tempfile::tempdir().unwrap();
        let mut outputs = Outputs {
            maps: root.path().to_owned(),
            sorted: None,
            taken: HashSet::new(),
        };
        let inputs = [
            Input::file(Path::new("x/a.jpg")),
            Input::file(Path::new("a.png")),
            Input::inside("dir/deep/a.b.png".into(), Path::new("dir")),
            Input::file(Path::new("-")),
        ];
        let maps = inputs.map(|input| outputs.map(&input).unwrap());
        let expected = [
            "a.occlusion.png",
            "a-2.occlusion.png",
            "deep/a.b.occlusion.png",
            "stdin.occlusion.png",
        ];
        assert_eq!(maps, expected.map(|name| root.path().join(name)));
        assert!(outputs.are_own(&maps[0]) && !outputs.are_own(Path::new("a.png")));
    }
}
