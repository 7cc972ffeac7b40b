//! Has the drivers compile: a folder with Debian sid is set up, `tools/pipeline-stats` lists the variants on this system and compiles
//! them there.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::table::{Section, Table};
use crate::cargo::{self, Workspace};

/// Where the program, its shaders and its copy of the driver's answers lie in the folder.
const ROOM: &str = "srv/pipeline-stats";

/// A driver in the folder, and the card that the stub of its kernel stands for.
struct Driver {
    /// The compiler's name in `verify::cards`.
    compiler: &'static str,
    /// `/usr/share/vulkan/icd.d/<manifest>_icd.json`
    manifest: &'static str,
    /// `lib<shim>_noop_drm_shim.so`
    shim: &'static str,
    /// The variable that says which card it is.
    card: &'static str,
}

const DRIVERS: [Driver; 7] = [
    Driver {
        compiler: "navi21",
        manifest: "radeon",
        shim: "amdgpu",
        card: "AMDGPU_GPU_ID=navi21",
    },
    Driver {
        compiler: "navi31",
        manifest: "radeon",
        shim: "amdgpu",
        card: "AMDGPU_GPU_ID=navi31",
    },
    Driver {
        compiler: "gfx1201",
        manifest: "radeon",
        shim: "amdgpu",
        card: "AMDGPU_GPU_ID=gfx1201",
    },
    Driver {
        compiler: "ada",
        manifest: "nouveau",
        shim: "nouveau",
        card: "NOUVEAU_CHIPSET=0x192",
    },
    Driver {
        compiler: "dg2",
        manifest: "intel",
        shim: "intel",
        card: "INTEL_STUB_GPU_PLATFORM=dg2",
    },
    Driver {
        compiler: "m1",
        manifest: "asahi",
        shim: "asahi",
        card: "ASAHI_CARD=1",
    },
    Driver {
        compiler: "a740",
        manifest: "freedreno",
        shim: "freedreno",
        card: "FD_GPU_ID=740",
    },
];

/// Runs a command in the folder, with mounts that end with it: `bash -c INSIDE bash FOLDER COMMAND…`.
const INSIDE: &str =
    r#"mount --bind /proc "$1/proc" && mount --bind /dev "$1/dev" && exec chroot "$@""#;

/// Compiles everything with every compiler.
pub(super) fn run(workspace: &Workspace, folder: &Path, is_all: bool) -> Result<Table> {
    let tool = workspace.root.join("tools/pipeline-stats");
    let mut set_up = Command::new(tool.join("chroot.sh"));
    set_up.arg(folder).stdout(Stdio::null());
    succeed(&mut set_up).context("cannot set up the folder; its script says why")?;
    let program = build(workspace, &tool)?;
    let room = folder.join(ROOM);
    std::fs::create_dir_all(&room).with_context(|| format!("cannot make {}", room.display()))?;
    let mut list = Command::new(&program);
    list.arg("list").arg(&room).args(is_all.then_some("all"));
    succeed(&mut list)?;
    std::fs::copy(&program, room.join("pipeline-stats")).context("cannot copy pipeline-stats")?;
    let mut sections = Vec::new();
    for driver in &DRIVERS {
        eprintln!("{}", driver.compiler);
        let text = driver.compile(folder, &room)?;
        sections.push(Section::read(driver.compiler, &text)?);
    }
    Ok(Table { sections })
}

/// Builds the program with the workspace's versions, and returns its path.
fn build(workspace: &Workspace, tool: &Path) -> Result<std::path::PathBuf> {
    let lock = tool.join("Cargo.lock");
    std::fs::copy(workspace.root.join("Cargo.lock"), &lock)
        .with_context(|| format!("cannot write {}", lock.display()))?;
    let mut cargo = cargo::command();
    cargo.args(["build", "--manifest-path"]);
    cargo.arg(tool.join("Cargo.toml"));
    cargo.arg("--target-dir").arg(&workspace.target_dir);
    succeed(&mut cargo)?;
    Ok(workspace.target_dir.join("debug/pipeline-stats"))
}

fn succeed(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.stdin(Stdio::null()).status();
    let status = status.with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!("{name} failed: {status}");
    }
    Ok(())
}

impl Driver {
    /// What the program makes of its list in the folder.
    fn compile(&self, folder: &Path, room: &Path) -> Result<String> {
        let folder = folder.canonicalize()?;
        let library = format!(
            "/usr/lib/{}-linux-gnu/lib{}_noop_drm_shim.so",
            std::env::consts::ARCH,
            self.shim
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private"]);
        command.args(["bash", "-c", INSIDE, "bash"]).arg(folder);
        command.args(["env", "-i", "HOME=/root", "XDG_RUNTIME_DIR=/tmp"]);
        // Without a cache, which would answer a second run; and with Honeykrisp's listings, which it gives to standard output alone.
        command.args(["MESA_SHADER_CACHE_DISABLE=true", "AGX_MESA_DEBUG=shaders"]);
        command.arg(format!(
            "VK_DRIVER_FILES=/usr/share/vulkan/icd.d/{}_icd.json",
            self.manifest
        ));
        command.args([&format!("LD_PRELOAD={library}"), self.card]);
        command.args([&format!("/{ROOM}/pipeline-stats"), "compile"]);
        command.args([&format!("/{ROOM}"), self.compiler]);
        let file = |ending| room.join(format!("{}.{ending}", self.compiler));
        let printed = std::fs::File::create(file("out")).context("cannot write there")?;
        let log = std::fs::File::create(file("log")).context("cannot write there")?;
        succeed(command.stdout(printed).stderr(log))
            .with_context(|| format!("see {}", file("log").display()))?;
        let stats = file("stats");
        std::fs::read_to_string(&stats).with_context(|| format!("cannot read {}", stats.display()))
    }
}
