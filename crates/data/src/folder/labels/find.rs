//! Where the files that a list names are.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::folder::names::{is_ignored, is_image};

/// Folders beside a list in which its images usually are, in lower case.
const FOLDERS: [&str; 4] = ["train", "images", "train_images", "imgs"];

/// Whether a folder of this name usually has a list's images.
pub(super) fn is_of_images(name: &str) -> bool {
    FOLDERS.contains(&name.to_lowercase().as_str()) || name.to_lowercase() == "test_images"
}

/// Finds files by what a list calls them: endings may be missing, and letters of the other case.
pub(super) struct Finder {
    folders: Vec<PathBuf>,
    /// The folder in which the last one was found: the next one most likely is as well.
    last: usize,
    /// What is in the folders that were looked into.
    contents: HashMap<PathBuf, Content>,
}

/// The names of a folder's files, by [`key`].
type Content = HashMap<String, Vec<String>>;

/// What a name means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    One(PathBuf),
    /// Files that differ in their endings or in the case of letters, and none of exactly this name.
    Several(Vec<String>),
}

impl Finder {
    pub(super) fn new(list: &Path, images_dir: Option<&Path>) -> Self {
        let folders = match images_dir {
            Some(folder) => vec![folder.to_owned()],
            None => {
                let here = list.parent().unwrap_or(Path::new(""));
                // `val.csv` has its images in `val`, before all others.
                let own = list.with_extension("");
                let mut folders = vec![here.to_owned()];
                folders.extend(own.is_dir().then_some(own));
                folders.extend(usual_folders(here));
                folders
            }
        };
        Self {
            folders,
            last: 0,
            contents: HashMap::new(),
        }
    }

    /// The file of this name.
    pub(super) fn find(&mut self, name: &str) -> Found {
        let last = self.last;
        let others = (0..self.folders.len()).filter(|place| *place != last);
        for place in std::iter::once(last).chain(others) {
            // A path that is absolute stays as it is when it is joined.
            let path = self.folders[place].join(name);
            let found = self.find_at(&path);
            if found != Found::Nothing {
                self.last = place;
                return found;
            }
        }
        Found::Nothing
    }

    fn find_at(&mut self, path: &Path) -> Found {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Found::Nothing;
        };
        let Some(name) = name.to_str() else {
            return Found::Nothing;
        };
        let folder_path = folder.to_owned();
        let content = self.contents.entry(folder_path);
        let content = content.or_insert_with(|| content_of(folder));
        let Some(files) = content.get(&key(name)) else {
            return Found::Nothing;
        };
        // `a.jpg` is not `a.png`, but `a` may be.
        let has_ending = is_image(Path::new(name));
        let lower = name.to_lowercase();
        let is_meant = |file: &&String| !has_ending || file.to_lowercase() == lower;
        match files.iter().filter(is_meant).collect::<Vec<_>>()[..] {
            [] => Found::Nothing,
            [file] => Found::One(folder.join(file)),
            ref several if several.iter().any(|file| *file == name) => Found::One(path.to_owned()),
            ref several => Found::Several(several.iter().map(|file| (*file).clone()).collect()),
        }
    }

    /// The folders, for messages.
    pub(super) fn shown(&self) -> String {
        let shown = |folder: &PathBuf| match folder.as_os_str().is_empty() {
            true => ".".to_owned(),
            false => files::shown(folder),
        };
        let folders: Vec<_> = self.folders.iter().map(shown).collect();
        folders.join(" or ")
    }
}

/// A name in lower case without the ending of an image.
fn key(name: &str) -> String {
    let path = Path::new(name);
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let stem = stem.filter(|_| is_image(path)).unwrap_or(name);
    stem.to_lowercase()
}

/// What is in a folder, but for other folders. Pipes count: opening them is the error.
fn content_of(folder: &Path) -> Content {
    let here = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let mut content = Content::new();
    for entry in fs::read_dir(here).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(text) = name.to_str().filter(|_| !is_ignored(&name)) else {
            continue;
        };
        if !entry.path().is_dir() {
            let names = content.entry(key(text)).or_default();
            names.push(text.to_owned());
            names.sort();
        }
    }
    content
}

/// The folders of [`FOLDERS`] that are in one, in that order, in any case.
fn usual_folders(here: &Path) -> Vec<PathBuf> {
    let root = if here.as_os_str().is_empty() {
        Path::new(".")
    } else {
        here
    };
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    let of_name = |usual: &&str| {
        let names = names.iter().filter(|name| name.to_lowercase() == **usual);
        names.map(|name| here.join(name)).collect::<Vec<_>>()
    };
    FOLDERS.iter().flat_map(of_name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_and_cases_are_found_unless_they_say_two_things() {
        let root = tempfile::tempdir().unwrap();
        let images = root.path().join("Images");
        fs::create_dir_all(images.join("sub")).unwrap();
        for name in [
            "dog.0.JPG",
            "a.jpg",
            "a.png",
            "B",
            "b.JPEG",
            "sub/c.Png",
            "x.txt",
        ] {
            fs::write(images.join(name), b"x").unwrap();
        }
        let mut finder = Finder::new(&root.path().join("labels.csv"), None);
        let mut find = |name: &str| finder.find(name);
        let one = |name: &str| Found::One(images.join(name));
        for (name, file) in [
            ("dog.0", "dog.0.JPG"),
            ("dog.0.jpg", "dog.0.JPG"),
            ("DOG.0.JPG", "dog.0.JPG"),
            ("a.png", "a.png"),
            ("A.PNG", "a.png"),
            ("B", "B"),
            ("b.jpeg", "b.JPEG"),
            ("sub/C", "sub/c.Png"),
            ("./a.jpg", "./a.jpg"),
            ("x.txt", "x.txt"),
        ] {
            assert_eq!(find(name), one(file), "{name}");
        }
        let absolute = images.join("dog.0");
        assert_eq!(find(absolute.to_str().unwrap()), one("dog.0.JPG"));
        let several = |names: [&str; 2]| Found::Several(names.map(str::to_owned).to_vec());
        assert_eq!(find("a"), several(["a.jpg", "a.png"]));
        assert_eq!(find("b"), several(["B", "b.JPEG"]));
        for nothing in ["", "..", "sub", "dog.0.png", "dog", "nowhere/a.jpg"] {
            assert_eq!(find(nothing), Found::Nothing, "{nothing}");
        }
    }
}
