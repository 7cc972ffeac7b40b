//! Whether a Vulkan driver is installed, from files alone, and what to say when none is. Opens no device: that is the
//! job of `alexnet devices`, which has to be built first.

use std::path::{Path, PathBuf};

/// How to get a driver that needs no GPU.
const HINT: &str = "\
note: no Vulkan driver found on this machine, so the tests that need a GPU say so and pass
      (with REQUIRE_GPU=1 they fail). A software one, on Debian and Ubuntu:
          apt-get install -y libvulkan1 mesa-vulkan-drivers";

/// What to tell somebody whose machine has no Vulkan driver; nothing on systems that bring Metal or DirectX 12.
pub(crate) fn missing() -> Option<&'static str> {
    let needs_vulkan = cfg!(all(unix, not(target_vendor = "apple")));
    (needs_vulkan && !(has_driver(&driver_folders()) && has_loader(&library_folders())))
        .then_some(HINT)
}

/// Where the Vulkan loader looks for drivers' manifests, by the loader's own documentation
/// (`docs/LoaderDriverInterface.md` in Vulkan-Loader, "Driver Discovery on Linux").
fn driver_folders() -> Vec<PathBuf> {
    let mut places = Vec::new();
    for name in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES"] {
        places.extend(paths_in(name));
    }
    let mut roots: Vec<PathBuf> = [
        "XDG_CONFIG_HOME",
        "XDG_CONFIG_DIRS",
        "XDG_DATA_HOME",
        "XDG_DATA_DIRS",
    ]
    .iter()
    .flat_map(|name| paths_in(name))
    .collect();
    if let Some(home) = std::env::var_os("HOME") {
        roots.extend([".config", ".local/share"].map(|folder| Path::new(&home).join(folder)));
    }
    roots.extend(
        [
            "/etc/xdg",
            "/etc",
            "/usr/local/etc",
            "/usr/local/share",
            "/usr/share",
        ]
        .map(PathBuf::from),
    );
    places.extend(roots.into_iter().map(|root| root.join("vulkan/icd.d")));
    places
}

/// Where the dynamic linker finds `libvulkan.so.1` on the common distributions.
fn library_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = paths_in("LD_LIBRARY_PATH").collect();
    for root in [
        "/usr/lib",
        "/usr/local/lib",
        "/lib",
        "/usr/lib64",
        "/lib64",
        "/run/opengl-driver/lib",
    ] {
        folders.push(root.into());
    }
    // Debian and Ubuntu have a folder for each machine type, such as /usr/lib/x86_64-linux-gnu.
    for entry in std::fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .flatten()
    {
        folders.push(entry.path());
    }
    folders
}

fn paths_in(variable: &str) -> impl Iterator<Item = PathBuf> {
    let value = std::env::var_os(variable).unwrap_or_default();
    std::env::split_paths(&value)
        .filter(|path| !path.as_os_str().is_empty())
        .collect::<Vec<_>>()
        .into_iter()
}

/// Whether one of the places is a manifest, or a folder that holds one.
fn has_driver(places: &[PathBuf]) -> bool {
    let is_manifest = |path: &Path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
            && path.is_file()
    };
    places.iter().any(|place| {
        let mut entries = std::fs::read_dir(place).into_iter().flatten().flatten();
        is_manifest(place) || entries.any(|entry| is_manifest(&entry.path()))
    })
}

fn has_loader(folders: &[PathBuf]) -> bool {
    folders
        .iter()
        .any(|folder| folder.join("libvulkan.so.1").exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_without_manifests_are_no_driver() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(!has_driver(&[
            here.join("src"),
            here.join("no-such-folder")
        ]));
        assert!(!has_loader(&[here.to_path_buf()]));
    }

    #[test]
    fn the_hint_names_the_packages() {
        assert!(HINT.contains("apt-get install -y libvulkan1 mesa-vulkan-drivers"));
    }
}
