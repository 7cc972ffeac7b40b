//! Wine, as the scenes use it: a Windows of its own in the target folder, the program with what Wine lacks beside it, and the
//! helpers of `xtask/wine`, compiled here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use super::{PROFILE, WINDOWS, WINDOWS_COMPILER};
use crate::cargo::Workspace;

/// The Windows program.
pub(super) const ALEXNET: &str = "alexnet.exe";
/// Helpers: a Ctrl-C, and a file that is held open.
pub(super) const CONSOLE: &str = "console.exe";
pub(super) const READER: &str = "reader.exe";

/// How long to wait for what takes seconds, before something is wrong.
const PATIENCE: Duration = Duration::from_secs(300);

/// A Windows with the program in it.
#[derive(Debug)]
pub(super) struct Wine {
    /// Programs, Windows's drive, and what the scenes leave.
    folder: PathBuf,
}

/// What a program said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

impl Wine {
    /// Puts everything in its place. The program has been built.
    pub(super) fn set_up(workspace: &Workspace) -> Result<Self> {
        let wine = Self {
            folder: workspace.target_dir.join("wine"),
        };
        let scenes = wine.scenes();
        if scenes.exists() {
            fs::remove_dir_all(&scenes).context("cannot empty the scenes' folder")?;
        }
        for folder in [&scenes, &wine.programs()] {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let built = workspace
            .target_dir
            .join(WINDOWS)
            .join(PROFILE)
            .join(ALEXNET);
        fs::copy(&built, wine.programs().join(ALEXNET))
            .with_context(|| format!("no {}: the build comes first", built.display()))?;
        for (source, output, flags) in [
            (
                "bcryptprimitives.c",
                "bcryptprimitives.dll",
                &["-shared"][..],
            ),
            ("console.c", CONSOLE, &["-municode"]),
            ("reader.c", READER, &["-municode"]),
        ] {
            let status = Command::new(WINDOWS_COMPILER.program)
                .args(["-O1", "-Wall", "-Wextra", "-Werror"])
                .args(flags)
                .arg("-o")
                .arg(wine.programs().join(output))
                .arg(workspace.root.join("xtask").join("wine").join(source))
                .arg("-ladvapi32")
                .status()
                .context("cannot start the C compiler")?;
            ensure!(status.success(), "{source} does not compile");
        }
        Ok(wine)
    }

    /// Where the programs run.
    pub(super) fn scenes(&self) -> PathBuf {
        self.folder.join("scenes")
    }

    fn programs(&self) -> PathBuf {
        self.folder.join("programs")
    }

    /// A Windows program with these arguments, in the scenes' folder.
    pub(super) fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new("wine");
        command.arg(self.programs().join(program)).args(args);
        command.current_dir(self.scenes()).stdin(Stdio::null());
        command.env("WINEPREFIX", self.folder.join("windows"));
        // Its own messages; its questions about Mono and Gecko; windows, for which there is no screen.
        command.env("WINEDEBUG", "-all").env_remove("DISPLAY");
        command.env("WINEDLLOVERRIDES", "mscoree,mshtml=");
        command.env_remove("ALEXNET_DATA");
        command
    }

    /// The path by which Windows programs know `alexnet.exe`.
    pub(super) fn alexnet(&self) -> String {
        format!("Z:{}", self.programs().join(ALEXNET).display()).replace('/', "\\")
    }

    /// Runs `alexnet` to its end.
    pub(super) fn run(&self, args: &[&str]) -> Result<Said> {
        let output = self
            .command(ALEXNET, args)
            .output()
            .context("cannot start wine")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
        Ok(Said {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        })
    }

    /// Runs `alexnet`, which must succeed; what it said on standard output.
    pub(super) fn succeed(&self, args: &[&str]) -> Result<String> {
        let said = self.run(args)?;
        ensure!(said.code == Some(0), "{args:?}: {said:#?}");
        Ok(said.out)
    }

    /// Runs `alexnet`, which must end with one line of error that has each of `parts`.
    pub(super) fn fail(&self, args: &[&str], parts: &[&str]) -> Result<()> {
        let said = self.run(args)?;
        ensure!(
            said.code == Some(1),
            "{args:?}: expected exit code 1: {said:#?}"
        );
        let errors: Vec<_> = said
            .err
            .lines()
            .filter(|line| line.starts_with("error: "))
            .collect();
        let [error] = errors[..] else {
            bail!("{args:?}: expected one error: {said:#?}");
        };
        for part in parts {
            ensure!(error.contains(part), "{args:?}: no {part:?} in {error:?}");
        }
        Ok(())
    }

    /// Starts a program quietly.
    pub(super) fn spawn(&self, program: &str, args: &[&str]) -> Result<Child> {
        let mut command = self.command(program, args);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().context("cannot start wine")
    }

    /// Ends Wine's own processes, which outlive its programs by a while.
    pub(super) fn shut_down(&self) -> Result<()> {
        let mut command = Command::new("wineserver");
        command
            .arg("-k")
            .env("WINEPREFIX", self.folder.join("windows"));
        // Debian has no such program on the path without `wine`; what is left ends by itself.
        drop(command.status());
        Ok(())
    }
}

/// Waits until a file is there.
pub(super) fn wait_for(path: &Path) -> Result<()> {
    wait_until(|| path.exists()).with_context(|| format!("waiting for {}", path.display()))
}

/// Waits for a program's end.
pub(super) fn wait_for_end(child: &mut Child) -> Result<Option<i32>> {
    let mut status = None;
    let waited = wait_until(|| {
        status = child.try_wait().ok().flatten();
        status.is_some()
    });
    if waited.is_err() {
        child.kill()?;
    }
    waited.context("waiting for a program's end")?;
    Ok(status.and_then(|status| status.code()))
}

/// Waits until something has come about.
pub(super) fn wait_until(mut is_done: impl FnMut() -> bool) -> Result<()> {
    let begun = Instant::now();
    while !is_done() {
        ensure!(begun.elapsed() < PATIENCE, "nothing after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
