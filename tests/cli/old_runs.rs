//! A run, its weights and settings from before the settings were renamed (`tests/golden/e25ac3f`): they open, and mean what
//! they meant.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{command, text};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden/e25ac3f")
        .join(name)
}

/// What the program of that commit said of its own files.
fn expected() -> Value {
    serde_json::from_slice(&fs::read(golden("expected.json")).unwrap()).unwrap()
}

/// The run, its images and the weights it started from, in a folder of their own.
fn unpacked() -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let archive = golden("run.tar.gz");
    ::data::unpack(&archive, "old", root.path(), 1 << 28, &mut |_| {}).unwrap();
    let folder = root.path().join("old");
    (root, folder)
}

/// Runs in `folder`, as paths in the run are relative, and expects success; the standard output.
fn succeed_in(folder: &Path, args: &[&str]) -> String {
    let output = command(args).current_dir(folder).output().unwrap();
    let errors = text(&output.stderr);
    assert!(output.status.success(), "{args:?}: {errors}");
    text(&output.stdout)
}

fn json_in(folder: &Path, args: &[&str]) -> Value {
    serde_json::from_str(&succeed_in(
        folder,
        &[args, &["--device", "cpu", "--json"]].concat(),
    ))
    .unwrap()
}

fn assert_close(got: &Value, want: &Value, what: &str) {
    let [got, want] = [got, want].map(|value| value.as_f64().unwrap());
    assert!((got - want).abs() < 1e-5, "{what}: {got}, was {want}");
}

#[test]
fn an_old_run_scores_and_predicts_as_it_did() {
    let (_root, folder) = unpacked();
    let was = expected();
    // The run's own setting, and the flag under its name of that time.
    for flags in [&[][..], &["--views", "flip"]] {
        let score = json_in(&folder, &[&["evaluate", "run"], flags].concat());
        for key in ["images", "accuracy", "loss"] {
            assert_close(&score[key], &was["evaluate"][key], key);
        }
    }
    let answer = json_in(&folder, &["predict", "run", "images/down/3.png"]);
    let (got, want) = (&answer["images"][0], &was["predict"]["images"][0]);
    for (got, want) in std::iter::zip(classes(got), classes(want)) {
        assert_eq!(got["class"], want["class"]);
        assert_close(&got["probability"], &want["probability"], "probability");
    }
    assert_eq!(classes(got).len(), 2);
    // Weights without a run, and the flag of that time for the occlusion map.
    let plain = [
        "predict",
        "start.safetensors",
        "images/down/3.png",
        "--explain",
    ];
    succeed_in(&folder, &[&plain[..], &["--device", "cpu"]].concat());
    assert!(folder.join("occlusion-maps/3.occlusion.png").is_file());
    succeed_in(&folder, &["inspect", "run"]);
    succeed_in(&folder, &["report", "run"]);
    assert!(folder.join("run/report.html").is_file());
}

fn classes(image: &Value) -> &[Value] {
    image["predictions"].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn an_old_run_is_resumed_with_the_same_bits() {
    let (_root, folder) = unpacked();
    let config = folder.join("run/config.toml");
    let settings = fs::read_to_string(&config).unwrap();
    assert!(settings.contains("[machine]") && settings.contains("[average]"));
    fs::write(&config, settings.replace("epochs = 1\n", "epochs = 2\n")).unwrap();
    succeed_in(&folder, &["train", "--resume", "run", "--quiet"]);
    let file = fs::read(folder.join("run/checkpoints/last/model.safetensors")).unwrap();
    let header = usize::try_from(u64::from_le_bytes(file[..8].try_into().unwrap())).unwrap();
    let tensors = files::sha256(&[&file[8 + header..]]);
    assert_eq!(tensors, expected()["resumed_tensors_sha256"]);
}
