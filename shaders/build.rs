//! Lists the WGSL files of this folder, so that one more needs no line anywhere.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(folder("CARGO_MANIFEST_DIR")?);
    let mut list = String::from("&[\n");
    for sub in ["", "shared"] {
        watch(&root.join(sub));
        let mut names = Vec::new();
        for entry in fs::read_dir(root.join(sub))? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "wgsl")
            {
                watch(&path);
                names.push(path);
            }
        }
        names.sort();
        for path in names {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let prefix = if sub.is_empty() { "" } else { "shared/" };
            let path = path.to_string_lossy();
            let line = writeln!(list, "    (\"{prefix}{file}\", include_str!({path:?})),");
            line.map_err(io::Error::other)?;
        }
    }
    list.push_str("]\n");
    fs::write(Path::new(&folder("OUT_DIR")?).join("files.rs"), list)
}

fn folder(variable: &str) -> io::Result<String> {
    env::var(variable).map_err(io::Error::other)
}

fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}
