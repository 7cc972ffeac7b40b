//! What flags, files and recipes decide together; trials; sweeps; evaluations.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{alexnet, fail, path_text, quick, succeed, text, trained};

/// The settings that a run was made with.
fn config(folder: &Path) -> String {
    fs::read_to_string(folder.join("config.toml")).unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Of each parameter after the first epoch, of values and gradients.
fn has_histograms(folder: &Path) {
    let rows = fs::read_to_string(folder.join("histograms.jsonl")).unwrap();
    let rows = rows
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let rows: Vec<_> = rows
        .filter(|row| row["parameter"] == "conv1.weight")
        .collect();
    for (row, is_gradient) in rows.iter().zip([false, true]) {
        assert_eq!(
            (&row["epoch"], &row["is_gradient"]),
            (&1.into(), &is_gradient.into()),
            "values first: {row}"
        );
        let counts = row["counts"].as_array().unwrap().iter();
        let n: u64 = counts.map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(n, 7 * 7 * 3 * 48, "every weight of conv1: {row}");
    }
    assert_eq!(
        rows.len(),
        2,
        "weights, and gradients as norms are asked for"
    );
}

fn has_norms(folder: &Path) {
    let norms = fs::read_to_string(folder.join("norms.csv")).unwrap();
    let lines: Vec<_> = norms.lines().collect();
    let header = "epoch,step,parameter,weight_norm,gradient_norm";
    assert_eq!(lines[0], header, "{norms}");
    let weights: Vec<_> = lines
        .iter()
        .filter(|line| line.contains(",conv1.weight,"))
        .collect();
    let cells: Vec<_> = weights[0].split(',').collect();
    assert_eq!(
        (weights.len(), &cells[..2]),
        (1, &["1", "2"][..]),
        "{norms}"
    );
    for cell in &cells[3..] {
        assert!(cell.parse::<f64>().unwrap() > 0.0, "{norms}");
    }
}

#[test]
fn flags_win_over_a_file_and_a_file_over_the_recipe() {
    let root = tempfile::tempdir().unwrap();
    let (file, folder) = (root.path().join("mine.toml"), root.path().join("run"));
    fs::write(
        &file,
        "seed = 7\nlimit = 999\nepochs = 9\n[optimizer]\nlearning_rate = 0.5\nweight_decay = 0.25\n",
    )
    .unwrap();
    let args = quick(&[
        "--config",
        path_text(&file),
        "--set",
        "optimizer.weight_decay=1e-4",
        "--set",
        "schedule.kind=plateau",
        "--lr",
        "1e-3",
        "--early-stopping",
        "4",
        "--checkpoint-every",
        "1",
        "--norms",
        "--out",
        path_text(&folder),
    ]);
    succeed(&args);
    let config = config(&folder);
    for line in [
        "seed = 7",
        "limit = 32",
        "epochs = 1",
        "batch_size = 16",
        "learning_rate = 0.001",
        "weight_decay = 0.0001",
        "kind = \"adam\"",
        "kind = \"plateau\"",
        "patience = 4",
        "every = 1",
    ] {
        assert!(
            config.lines().any(|it| it == line),
            "no '{line}' in\n{config}"
        );
    }
    assert!(
        folder
            .join("checkpoints/epoch-0001/model.safetensors")
            .is_file()
    );
    has_histograms(&folder);
    has_norms(&folder);
    fail(&quick(&["--set", "epoch=3"]), &["epoch"]);
    fail(&quick(&["--from", "/no/such/run"]), &["/no/such/run"]);
    fail(&quick(&["--freeze", "*"]), &["freeze"]);
}

#[test]
fn trials_say_what_they_found_and_leave_nothing_behind() {
    let root = tempfile::tempdir().unwrap();
    let here = |args: &[&str]| {
        let mut command = super::command(args);
        command.current_dir(root.path()).output().unwrap()
    };
    let fast = [
        "train",
        "--device",
        "cpu",
        "--batch-size",
        "8",
        "--fast-dev-run",
    ];
    let output = here(&fast);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).contains("3 steps"),
        "{}",
        text(&output.stdout)
    );
    // One step is too few to learn anything by.
    let output = here(&quick(&["--overfit-one-batch"]));
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).contains("failed to overfit"),
        "{}",
        text(&output.stdout)
    );
    assert_eq!(
        fs::read_dir(root.path()).unwrap().count(),
        0,
        "nothing is written"
    );
    let both = quick(&["--fast-dev-run", "--find-lr"]);
    assert_eq!(here(&both).status.code(), Some(2), "one at a time");
    let out = root.path().join("rates");
    let output = here(&quick(&["--find-lr", "--out", path_text(&out), "--json"]));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let csv = fs::read_to_string(out.join("lr_find.csv")).unwrap();
    let points = found["points"].as_array().unwrap();
    assert_eq!(csv.lines().count(), points.len() + 1, "{csv}");
    assert!(
        csv.starts_with("lr,loss,smoothed_loss\n0.0000001,"),
        "{csv}"
    );
    // Adam at a rate of ten is beyond any network.
    assert!(found["diverged_at"].as_f64().unwrap() > 1e-5, "{found}");
}

#[test]
fn a_time_limit_ends_a_run_that_can_go_on() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let said = succeed(&quick(&["--max-time", "1ms", "--out", path_text(&folder)]));
    assert!(
        said.contains("the time limit was reached")
            && said.contains("--resume")
            && said.contains("test accuracy"),
        "{said}"
    );
    assert_eq!(json(&folder.join("summary.json"))["ended"], "max-time");
    succeed(&["train", "--resume", path_text(&folder)]);
    let summary = json(&folder.join("summary.json"));
    assert_eq!(
        (&summary["ended"], &summary["steps"]),
        (&"epochs".into(), &2.into())
    );
    let never = quick(&["--max-time", "0s"]);
    assert_eq!(alexnet(&never).status.code(), Some(2), "no time at all");
}

#[test]
fn a_sweep_goes_on_after_a_failure_and_leaves_finished_runs_alone() {
    let root = tempfile::tempdir().unwrap();
    let (file, out) = (root.path().join("two.toml"), root.path().join("out"));
    fs::write(
        &file,
        "recipe = 'shapes10'\nbase = { limit = 32, epochs = 1, batch_size = 16 }\n\
         [[run]]\nname = 'too-large'\nbatch_size = 64\ndrop_last = true\n[[run]]\nname = 'right'\nseed = 1\n",
    )
    .unwrap();
    let args = [
        "sweep",
        path_text(&file),
        "--device",
        "cpu",
        "--out",
        path_text(&out),
    ];
    let output = alexnet(&args);
    let (said, told) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(said.contains("too-large  failed: batch size"), "{said}");
    let place = |name: &str| said.find(&format!("\n{name}")).unwrap();
    assert!(
        place("right") < place("too-large"),
        "the best first:\n{said}"
    );
    let csv = fs::read_to_string(out.join("comparison.csv")).unwrap();
    assert_eq!(csv.lines().count(), 3, "{csv}");
    let written = fs::metadata(out.join("right/summary.json"))
        .unwrap()
        .modified()
        .unwrap();
    let resumed = [
        "sweep",
        path_text(&file),
        "--device",
        "cpu",
        "--set",
        "batch_size=8",
        "--resume",
        path_text(&out),
        "--json",
    ];
    let found: Value = serde_json::from_str(&succeed(&resumed)).unwrap();
    assert_eq!(found["runs"].as_array().unwrap().len(), 2, "{found}");
    let again = fs::metadata(out.join("right/summary.json"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(written, again, "a finished run is not run again");
    assert_eq!(json(&out.join("too-large/summary.json"))["steps"], 4);
    fail(
        &["sweep", "nowhere.toml"],
        &["nowhere.toml", "torch-cifar100"],
    );
    let nowhere = root.path().join("nowhere");
    let args = ["sweep", path_text(&file), "--resume", path_text(&nowhere)];
    fail(&args, &["no sweep here"]);
}

#[test]
fn an_evaluation_shows_classes_and_is_written_to_a_file() {
    let root = tempfile::tempdir().unwrap();
    let folder = trained(root.path());
    let out = root.path().join("mine.json");
    let args = [
        "evaluate",
        path_text(&folder),
        "--device",
        "cpu",
        "--limit",
        "32",
        "--per-class",
        "--out",
        path_text(&out),
    ];
    let said = succeed(&args);
    assert!(
        said.contains("precision") && said.lines().count() == 12,
        "{said}"
    );
    let (mine, of_run) = (json(&out), json(&folder.join("evaluation.json")));
    assert_eq!(mine, of_run, "the run's own evaluation");
    assert_eq!(mine["confusion"].as_array().unwrap().len(), 10);
}

#[test]
fn fine_tuning_lists_what_is_new() {
    let root = tempfile::tempdir().unwrap();
    let folder = trained(root.path());
    let tuned = root.path().join("tuned");
    let output = alexnet(&quick(&[
        "--from",
        path_text(&folder),
        "--freeze",
        "conv*",
        "--out",
        path_text(&tuned),
    ]));
    let told = text(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(
        told.contains("parameters are those of") && !told.contains("new, as"),
        "{told}"
    );
    // Going on needs neither flag again.
    succeed(&["train", "--resume", path_text(&tuned), "--epochs", "2"]);
}
