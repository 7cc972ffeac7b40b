//! What the Windows program does under Wine: the life of a run, and what Windows is strict about. On the CPU device.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Outcome;
use super::wine::{ALEXNET, CONSOLE, READER, Wine, wait_for, wait_for_end, wait_until};
use crate::cargo::{self, Workspace};

/// A name for people, and what happens.
type Scene = (&'static str, fn(&Stage) -> Result<()>);

const SCENES: [Scene; 8] = [
    ("trains to the weights of Linux, bit for bit", same_weights),
    ("evaluates, reports, predicts, exports", results),
    ("is interrupted by Ctrl-C and resumes", interrupted),
    ("is killed and resumes to the same weights", killed),
    ("takes blanks, umlauts and long paths", good_names),
    ("refuses names of devices", bad_names),
    ("waits for files that others have open", in_use),
    ("examines a machine without a GPU", doctor),
];

/// Epochs of a run that is disturbed.
const EPOCHS: &str = "12";
/// Epochs of a run that is compared with Linux: 90 steps. Functions of two C libraries that round one result in some ten thousand
/// differently showed after 50.
const MANY_EPOCHS: &str = "30";

struct Stage {
    wine: Wine,
    /// The program of this machine.
    native: PathBuf,
}

/// Plays them all; each stands for a test.
pub(super) fn play(workspace: &Workspace) -> Result<Outcome> {
    let stage = Stage {
        wine: Wine::set_up(workspace)?,
        native: native(workspace)?,
    };
    let mut outcome = Outcome::default();
    for (name, scene) in SCENES {
        let begun = Instant::now();
        let played = scene(&stage);
        let seconds = begun.elapsed().as_secs_f64();
        match played {
            Ok(()) => {
                outcome.passed += 1;
                println!("ok      {seconds:5.1} s  {name}");
            }
            Err(error) => {
                outcome.failed += 1;
                println!("FAILED  {seconds:5.1} s  {name}: {error:#}");
            }
        }
    }
    stage.wine.shut_down()?;
    Ok(outcome)
}

/// The program of this machine as the tests of `cli` build it, so that nothing is built twice; `ALEXNET=FILE` is another.
fn native(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("ALEXNET") {
        return Ok(path.into());
    }
    let output = cargo::command()
        .current_dir(&workspace.root)
        .args(["test", "--locked", "-p", "cli", "--no-run"])
        .args(["--message-format", "json-render-diagnostics"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    ensure!(
        output.status.success(),
        "`cargo test -p cli` does not build"
    );
    let messages = String::from_utf8_lossy(&output.stdout);
    crate::alexnet::executable(&messages).context("cargo built no alexnet")
}

/// The arguments of a run of some seconds whose learning rate does not depend on how many epochs it has.
fn training<'a>(out: &'a str, epochs: &'a str) -> Vec<&'a str> {
    let mut args = vec![
        "train",
        "--device",
        "cpu",
        "--limit",
        "96",
        "--batch-size",
        "32",
    ];
    args.extend([
        "--set",
        "schedule.kind=constant",
        "--epochs",
        epochs,
        "--out",
        out,
    ]);
    args
}

/// The parameters in a run's last checkpoint, without what the file says of itself.
fn weights(run: &Path) -> Result<Vec<u8>> {
    let path = run.join("checkpoints/last/model.safetensors");
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let (length, rest) = bytes.split_first_chunk().context("an empty file")?;
    let length = usize::try_from(u64::from_le_bytes(*length))?;
    Ok(rest.get(length..).context("a damaged file")?.to_vec())
}

fn same_weights(stage: &Stage) -> Result<()> {
    let wine = &stage.wine;
    let args = training("runs/first", MANY_EPOCHS);
    let said = wine.succeed(&args)?;
    let folder = r"runs\first";
    for place in [
        folder,
        r"runs\first\report.html",
        r"plots in runs\first\plots,",
    ] {
        ensure!(said.contains(place), "no {place} in {said}");
    }
    ensure!(
        !said.contains("runs/"),
        "a path of another platform: {said}"
    );
    let mut native = Command::new(&stage.native);
    native
        .current_dir(wine.scenes())
        .args(training("linux", MANY_EPOCHS));
    let output = native.output().context("cannot start alexnet")?;
    ensure!(
        output.status.success(),
        "on Linux: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let [here, there] = ["linux", "runs/first"].map(|run| weights(&wine.scenes().join(run)));
    let (here, there) = (here?, there?);
    let differ = here.iter().zip(&there).filter(|(a, b)| a != b).count();
    ensure!(
        here.len() == there.len() && differ == 0,
        "{differ} of {} bytes differ",
        here.len()
    );
    Ok(())
}

fn results(stage: &Stage) -> Result<()> {
    let wine = &stage.wine;
    let run = "runs/first";
    let score = wine.succeed(&[
        "evaluate", run, "--device", "cpu", "--limit", "96", "--json",
    ])?;
    let score: Value = serde_json::from_str(&score)?;
    let summary = fs::read_to_string(wine.scenes().join(run).join("summary.json"))?;
    let summary: Value = serde_json::from_str(&summary)?;
    ensure!(
        score["accuracy"] == summary["test_accuracy"],
        "{score} is not {summary}"
    );
    let page = wine.succeed(&["report", run])?;
    ensure!(page.contains(r"runs\first\report.html"), "{page}");
    let plots = wine.scenes().join(run).join("plots/loss.svg");
    ensure!(plots.is_file(), "no {}", plots.display());
    let images = wine.scenes().join("Bilder für alle");
    fs::create_dir_all(&images)?;
    fs::copy(plots.with_extension("png"), images.join("größe 1.png"))?;
    let guesses = wine.succeed(&[
        "predict",
        run,
        "Bilder für alle",
        "--device",
        "cpu",
        "--json",
    ])?;
    ensure!(
        guesses.contains(r"Bilder für alle\\größe 1.png"),
        "{guesses}"
    );
    for (format, out) in [("onnx", "net.onnx"), ("torchvision", "net.safetensors")] {
        let args = ["export", run, "--format", format, "--out", out];
        let said = wine.run(&args)?;
        let is_there = wine.scenes().join(out).is_file();
        // A network that torchvision has not is refused; ONNX takes all.
        ensure!((said.code == Some(0)) == is_there, "{said:?}");
        ensure!(format != "onnx" || is_there, "{said:?}");
    }
    wine.succeed(&["inspect", run]).map(drop)
}

/// A run that nothing disturbs, made once.
fn straight(stage: &Stage) -> Result<Vec<u8>> {
    let folder = stage.wine.scenes().join("straight");
    if !folder.join("summary.json").exists() {
        stage.wine.succeed(&training("straight", EPOCHS))?;
    }
    weights(&folder)
}

/// Resumes a run to its end, which must be that of the undisturbed one.
fn finish(stage: &Stage, run: &str) -> Result<()> {
    stage
        .wine
        .succeed(&["train", "--resume", run, "--epochs", EPOCHS])?;
    let folder = stage.wine.scenes().join(run);
    ensure!(
        weights(&folder)? == straight(stage)?,
        "other weights than undisturbed"
    );
    let rows = rows(&folder)?;
    ensure!(
        rows.to_string() == EPOCHS,
        "expected {EPOCHS} epochs, found {rows}"
    );
    Ok(())
}

/// The epochs that a run has written down.
fn rows(run: &Path) -> Result<usize> {
    let text = fs::read_to_string(run.join("metrics.csv"))?;
    Ok(text.lines().count().saturating_sub(1))
}

fn interrupted(stage: &Stage) -> Result<()> {
    let wine = &stage.wine;
    let alexnet = wine.alexnet();
    let mut args = vec!["stop", alexnet.as_str()];
    args.extend(training("interrupted", "500"));
    let mut child = wine.spawn(CONSOLE, &args)?;
    let run = wine.scenes().join("interrupted");
    wait_for(&run.join("checkpoints/last"))?;
    fs::write(wine.scenes().join("stop"), "")?;
    let code = wait_for_end(&mut child)?;
    ensure!(code == Some(130), "expected exit code 130, found {code:?}");
    finish(stage, "interrupted")
}

/// `KILLS=20` tries it so often.
fn killed(stage: &Stage) -> Result<()> {
    let kills = std::env::var("KILLS").map_or(Ok(3), |n| n.parse::<u64>())?;
    let run = stage.wine.scenes().join("killed");
    let mut child = stage.wine.spawn(ALEXNET, &training("killed", "500"))?;
    wait_for(&run.join("checkpoints/last"))?;
    for kill in 0..kills {
        let before = rows(&run).unwrap_or(0);
        wait_until(|| rows(&run).is_ok_and(|rows| rows > before))
            .with_context(|| format!("kill {kill}: no further epoch"))?;
        // Moments that do not repeat, over a few epochs with their checkpoints.
        std::thread::sleep(Duration::from_millis(kill * 389 % 701));
        child.kill()?;
        child.wait()?;
        child = stage
            .wine
            .spawn(ALEXNET, &["train", "--resume", "killed"])?;
    }
    child.kill()?;
    child.wait()?;
    // Resuming writes the rows anew, of which one may be missing.
    let more = (rows(&run)? + 2).to_string();
    stage
        .wine
        .succeed(&["train", "--resume", "killed", "--epochs", &more])?;
    stage.wine.succeed(&training("unkilled", &more))?;
    let same = weights(&run)? == weights(&stage.wine.scenes().join("unkilled"))?;
    ensure!(same, "other weights than undisturbed");
    Ok(())
}

fn good_names(stage: &Stage) -> Result<()> {
    let long = ["tief"; 60].join("/") + "/Läufe mit Ü/ein Lauf";
    ensure!(long.len() > 260, "longer than Windows's MAX_PATH");
    for run in ["Läufe mit Ü/ein Lauf", &long] {
        let said = stage.wine.succeed(&training(run, "1"))?;
        let shown = run.replace('/', "\\");
        ensure!(said.contains(&shown), "no {shown} in {said}");
        let score = ["evaluate", run, "--device", "cpu", "--limit", "32"];
        stage.wine.succeed(&score)?;
        let page = stage.wine.scenes().join(run).join("report.html");
        ensure!(page.is_file(), "no {}", page.display());
    }
    Ok(())
}

fn bad_names(stage: &Stage) -> Result<()> {
    let wine = &stage.wine;
    for name in ["CON", "nul", "aux.txt", "COM1"] {
        wine.fail(&training(name, "1"), &[name, "device", "another name"])?;
        wine.fail(&["train", "--config", name], &[name, "device"])?;
        let export = ["export", "runs/first", "--format", "onnx", "--out", name];
        wine.fail(&export, &[name, "device", "another name"])?;
    }
    for name in ["run.", "run "] {
        wine.fail(
            &training(name, "1"),
            &["run", "a dot or a blank at the end"],
        )?;
    }
    ensure!(
        !wine.scenes().join("run").exists(),
        "a run under another name"
    );
    Ok(())
}

fn in_use(stage: &Stage) -> Result<()> {
    let wine = &stage.wine;
    for (file, is_let_go) in [
        ("metrics.csv", true),
        ("checkpoints/last/model.safetensors", true),
        ("metrics.csv", false),
    ] {
        let run = format!("{}-{is_let_go}", file.replace('/', "-"));
        let folder = wine.scenes().join(&run);
        let let_go = wine.scenes().join(format!("{run}-let-go"));
        let mut child = wine.command(ALEXNET, &training(&run, EPOCHS));
        let child = child.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        wait_for(&folder.join(file))?;
        let held = format!("{run}/{file}");
        let until = format!("{run}-let-go");
        let mut reader = wine.spawn(READER, &[&held, &until])?;
        if is_let_go {
            std::thread::sleep(Duration::from_millis(1500));
            fs::write(&let_go, "")?;
        }
        let output = child.wait_with_output()?;
        let err = String::from_utf8_lossy(&output.stderr);
        if is_let_go {
            ensure!(output.status.success(), "{file}: {err}");
        } else {
            ensure!(output.status.code() == Some(1), "{file}: {err}");
            let is_told = err.contains("metrics.csv") && err.contains("close it there");
            ensure!(is_told, "{file}: {err}");
            fs::write(&let_go, "")?;
        }
        wait_for_end(&mut reader)?;
        finish(stage, &run)?;
    }
    Ok(())
}

fn doctor(stage: &Stage) -> Result<()> {
    let said = stage.wine.succeed(&["doctor"])?;
    for part in ["cpu    cpu (", "can train"] {
        ensure!(said.contains(part), "no {part:?} in {said}");
    }
    Ok(())
}
