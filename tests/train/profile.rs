//! `Trainer::profile`: what it writes into the run folder.

use std::path::Path;

use serde_json::Value;
use train::RunDir;

use super::{finished, recipe, trainer};

fn read(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

#[test]
fn a_profiled_run_leaves_its_kernels_times_and_a_trace() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let mut recipe = recipe();
    (recipe.epochs, recipe.batch_size) = (1, 2);
    let mut trainer = trainer(recipe);
    let run = RunDir::create(&folder, trainer.recipe()).unwrap();
    trainer.save_to(run).unwrap();
    trainer.profile().unwrap();
    finished(
        trainer
            .run(&false.into(), &mut |_: train::Event<'_>| {})
            .unwrap(),
    );
    let profile = read(&folder, "profile.json");
    // Seventy images in twos are 35 steps: enough for all twenty that are timed.
    assert_eq!(profile["steps"], 20);
    for ceiling in ["roofline_gflops", "roofline_gb_s"] {
        assert!(
            profile[ceiling].as_f64().unwrap() > 0.0,
            "{ceiling}: {profile}"
        );
    }
    let kernels = profile["kernels"].as_array().unwrap();
    let conv = kernels
        .iter()
        .find(|row| row["name"] == "conv2d_forward")
        .unwrap();
    assert_eq!(conv["calls"], 100, "five layers in twenty steps: {conv}");
    for key in ["ms", "gflops", "gb_s", "share"] {
        assert!(conv[key].as_f64().unwrap() > 0.0, "{key}: {conv}");
    }
    let calls: u64 = kernels
        .iter()
        .map(|row| row["calls"].as_u64().unwrap())
        .sum();
    let trace = read(&folder, "trace.json");
    let events = trace["traceEvents"].as_array().unwrap();
    let complete: Vec<_> = events.iter().filter(|event| event["ph"] == "X").collect();
    assert_eq!(complete.len() as u64, calls, "an event for each launch");
    let ends: Vec<_> = complete
        .iter()
        .map(|event| {
            let [start, length] = ["ts", "dur"].map(|key| event[key].as_f64().unwrap());
            (start, start + length)
        })
        .collect();
    // The CPU device runs one kernel after the other. A nanosecond for rounding.
    assert!(
        ends.windows(2).all(|pair| pair[0].1 <= pair[1].0 + 1e-3),
        "events overlap"
    );
}
