//! TensorBoard's files: whole records with right checksums, and what the real reader makes of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use report::{TensorBoard, records, write_report};
use train::{Event, Outcome, Row};

use super::{recipe, train};

/// Prints, as JSON: steps and values of scalars, steps of histograms with their counts, sizes of images.
const READER: &str = r"
import json, sys
from tensorboard.backend.event_processing import event_accumulator as ea
a = ea.EventAccumulator(sys.argv[1], size_guidance={ea.SCALARS: 0, ea.HISTOGRAMS: 0, ea.IMAGES: 0})
a.Reload()
print(json.dumps({
    'scalars': {t: [[e.step, e.value] for e in a.Scalars(t)] for t in a.Tags()['scalars']},
    'histograms': {t: [[e.step, e.histogram_value.num, sum(e.histogram_value.bucket)] for e in a.Histograms(t)] for t in a.Tags()['histograms']},
    'images': {t: [[e.step, e.width, e.height] for e in a.Images(t)] for t in a.Tags()['images']},
}))
";

fn event_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("events.out.tfevents.")
        })
        .collect();
    files.sort();
    files
}

/// A Python that has the `tensorboard` package.
fn python() -> Option<String> {
    let chosen = std::env::var("TENSORBOARD_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&chosen)
        .args(["-c", "import tensorboard"])
        .output();
    found
        .is_ok_and(|output| output.status.success())
        .then_some(chosen)
}

#[test]
fn records_are_whole_and_damage_is_found() {
    let root = tempfile::tempdir().unwrap();
    let mut writer = TensorBoard::new(root.path());
    writer.event(&Event::Epoch(&row()));
    writer.finish(&[]).unwrap();
    assert!(
        event_files(root.path()).is_empty(),
        "nothing before the start"
    );
    let folder = root.path().join("run");
    train(&folder, recipe(), 2, &[]);
    let files = event_files(&folder);
    let bytes = fs::read(&files[0]).unwrap();
    let all = records(&bytes).unwrap();
    assert!(all.len() >= 3, "version, start, step");
    assert!(
        all[0].windows(13).any(|part| part == b"brain.Event:2"),
        "the version first"
    );
    for (place, what) in [
        (0, "length"),
        (9, "its checksum"),
        (20, "data"),
        (bytes.len() - 1, "last checksum"),
    ] {
        let mut bad = bytes.clone();
        bad[place] ^= 1;
        assert!(records(&bad).is_err(), "{what}");
    }
    assert!(records(&bytes[..bytes.len() - 3]).is_err(), "cut off");
}

fn row() -> Row {
    Row {
        epoch: 1,
        step: 4,
        lr: 0.1,
        train_loss: 2.0,
        train_accuracy: 0.5,
        val_loss: None,
        val_accuracy: None,
        val_top5: None,
        images_per_s: 1.0,
        data_wait_fraction: 0.0,
        seconds: 1.0,
        ..Row::default()
    }
}

#[test]
fn a_resumed_run_is_read_by_the_real_reader() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    assert!(matches!(
        train(&folder, recipe(), 6, &[]),
        Outcome::Interrupted { .. }
    ));
    let last = fs::read(folder.join("checkpoints/last/state.json")).unwrap();
    assert!(matches!(
        train(&folder, recipe(), u64::MAX, &[]),
        Outcome::Finished(_)
    ));
    assert!(!last.is_empty());
    let files = event_files(&folder);
    assert_eq!(files.len(), 2, "a file for each part");
    for file in &files {
        let bytes = fs::read(file).unwrap();
        records(&bytes).unwrap();
    }
    let written = write_report(&folder).unwrap();
    // A complete run that goes on is tested again, and nothing else.
    train(&folder, recipe(), u64::MAX, &written.gallery.plots);
    let Some(python) = python() else {
        eprintln!("skipped: no Python with the tensorboard package ($TENSORBOARD_PYTHON)");
        return;
    };
    let output = Command::new(python)
        .args(["-c", READER])
        .arg(&folder)
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    let read: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    for (row, idx) in rows.lines().zip(0..) {
        let row: BTreeMap<String, f64> = serde_json::from_str(row).unwrap();
        for (tag, key) in [
            ("loss/train", "train_loss"),
            ("accuracy/validation", "val_accuracy"),
        ] {
            let point = &read["scalars"][tag][idx];
            assert_eq!(point[0].as_f64(), Some(row["step"]), "{tag}");
            let difference = point[1].as_f64().unwrap() - row[key];
            assert!(difference.abs() < 1e-6, "{tag}: {point} {row:?}");
        }
    }
    let n_epochs = rows.lines().count();
    for (tag, points) in read["scalars"].as_object().unwrap() {
        let steps: Vec<_> = points
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p[0].as_u64().unwrap())
            .collect();
        assert!(
            steps.windows(2).all(|pair| pair[0] <= pair[1]),
            "{tag} goes back: {steps:?}"
        );
    }
    let kernel = &read["histograms"]["weights/conv1.weight"];
    assert_eq!(kernel.as_array().map(Vec::len), Some(n_epochs), "{read}");
    assert!(
        kernel[0][1].as_f64().unwrap() > 100.0 && kernel[0][1] == kernel[0][2],
        "{kernel}"
    );
    assert!(
        read["images"]["samples"][0][1].as_u64().unwrap() > 100,
        "{read}"
    );
}
