//! Where the files that a list names are.

use std::path::{Path, PathBuf};

use crate::folder::names::EXTENSIONS;

/// Folders beside a list in which its pictures usually are.
const FOLDERS: [&str; 4] = ["train", "images", "train_images", "imgs"];

/// Whether a folder of this name usually has a list's pictures.
pub(super) fn is_of_pictures(name: &str) -> bool {
    FOLDERS.contains(&name.to_lowercase().as_str()) || name.to_lowercase() == "test_images"
}

/// Finds files by what a list calls them.
pub(super) struct Finder {
    folders: Vec<PathBuf>,
    /// Where the last one was found: the next one most likely is as well.
    last: (usize, Option<&'static str>),
}

impl Finder {
    pub(super) fn new(list: &Path, images_dir: Option<&Path>) -> Self {
        let folders = match images_dir {
            Some(folder) => vec![folder.to_owned()],
            None => {
                let here = list.parent().unwrap_or(Path::new(""));
                // `val.csv` has its pictures in `val`, before all others.
                let own = list.with_extension("");
                let usual = FOLDERS.iter().map(|name| here.join(name));
                let folders = [here.to_owned(), own].into_iter().chain(usual);
                folders
                    .filter(|folder| folder.as_os_str().is_empty() || folder.is_dir())
                    .collect()
            }
        };
        Self {
            folders,
            last: (0, None),
        }
    }

    /// The file of this name, which may lack its ending.
    pub(super) fn find(&mut self, name: &str) -> Option<PathBuf> {
        if name.is_empty() {
            return None;
        }
        let (folder, ending) = self.last;
        let try_at = |folder: &PathBuf, ending: Option<&str>| {
            let path = match ending {
                Some(ending) => folder.join(format!("{name}.{ending}")),
                None => folder.join(name),
            };
            // A path that is absolute stays as it is when it is joined. Pipes count as found: opening them is the error.
            (path.exists() && !path.is_dir()).then_some(path)
        };
        if let Some(path) = try_at(self.folders.get(folder)?, ending) {
            return Some(path);
        }
        for (place, folder) in self.folders.iter().enumerate() {
            for ending in std::iter::once(None).chain(EXTENSIONS.map(Some)) {
                if let Some(path) = try_at(folder, ending) {
                    self.last = (place, ending);
                    return Some(path);
                }
            }
        }
        None
    }

    /// The folders, for messages.
    pub(super) fn shown(&self) -> String {
        let shown = |folder: &PathBuf| match folder.as_os_str().is_empty() {
            true => ".".to_owned(),
            false => files::printable(folder.as_os_str()),
        };
        let folders: Vec<_> = self.folders.iter().map(shown).collect();
        folders.join(" or ")
    }
}
