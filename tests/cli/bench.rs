//! `alexnet bench`: `--peers`, with peers that are shell scripts, and `--plan`; and `alexnet tune`.

#[cfg(unix)]
use std::fs;
#[cfg(unix)]
use std::path::Path;

use serde_json::Value;

use super::{alexnet, fail, path_text, succeed, text};

/// A peer that says that a step takes a second, and 250 ms without training.
#[cfg(unix)]
const PEER: &str = r#"
case "$1" in
--variants) echo '[{"name": "sloth", "device": "cpu", "args": ["--slow"], "env": {"MOOD": "calm"}},
                   {"name": "broken", "device": "cpu", "args": ["--fail"]},
                   {"name": "elsewhere", "device": "gpu", "args": []}]' ;;
--slow) [ "$MOOD $2 $3 $4 $5" = "calm --network alexnet-small --batch-size 128" ] || exit 1
        echo '{"parameters": 2887306, "first_step_s": 2, "train": {"seconds": [1, 1]},
               "infer": {"seconds": [0.25]}, "peak_host_bytes": 1048576, "peak_device_bytes": null}' ;;
--fail) echo "Traceback" >&2; echo "ValueError: no idea" >&2; exit 1 ;;
esac
"#;

#[cfg(unix)]
fn compare(folder: &Path, more: &[&str]) -> String {
    let peers = ["--peers", path_text(folder), "--python", "/bin/sh"];
    let quick = ["--steps", "1", "--seconds", "0.01"];
    let what = ["bench", "alexnet-small", "--device", "cpu"];
    succeed(&[&what[..], &peers, &quick, more].concat())
}

#[cfg(unix)]
#[test]
fn peers_are_measured_beside_this_program_and_absent_ones_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("torch_bench.py"), PEER).unwrap();
    let json: Value =
        serde_json::from_str(&compare(folder.path(), &["--json", "--rounds", "2"])).unwrap();
    let results = json["results"].as_array().unwrap();
    let names: Vec<_> = results
        .iter()
        .map(|result| result["name"].as_str().unwrap())
        .collect();
    assert!(
        names.len() == 3 && names[0].starts_with("alexnet, cpu"),
        "{names:?}"
    );
    let [ours, sloth, broken] = [0, 1, 2].map(|idx: usize| &results[idx]);
    assert_eq!(ours["parameters"], 2_887_306, "{ours}");
    assert_eq!(
        ours["train"]["steps"], 2,
        "one step in each of two rounds: {ours}"
    );
    assert_eq!(sloth["train"]["images_per_s"], 128.0, "{sloth}");
    assert_eq!(sloth["infer"]["images_per_s"], 512.0, "{sloth}");
    assert_eq!(
        (&sloth["rounds"], &sloth["train"]["steps"]),
        (&2.into(), &4.into()),
        "{sloth}"
    );
    let rate = ours["train"]["images_per_s"].as_f64().unwrap();
    let ratio = sloth["train_ratio"].as_f64().unwrap();
    assert!(
        (ratio * 128.0 - rate).abs() < 1e-6 * rate,
        "{ratio} of {rate} images/s"
    );
    assert_eq!(broken["failure"], "ValueError: no idea");
    let absent = json["absent"].as_array().unwrap();
    let absent: Vec<_> = absent
        .iter()
        .map(|peer| peer["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        absent,
        [
            "tf_bench.py",
            "burn_flex_bench",
            "burn_wgpu_bench",
            "candle_bench"
        ]
    );
}

#[cfg(unix)]
#[test]
fn a_comparison_is_a_table_with_ratios() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("torch_bench.py"), PEER).unwrap();
    let table = compare(folder.path(), &["--rounds", "1"]);
    for part in [
        "alexnet-small, batch 128, cpu",
        "128.0 (128.0-128.0)",
        "failed: ValueError: no idea",
        "absent: candle_bench: ",
    ] {
        assert!(table.contains(part), "no '{part}' in\n{table}");
    }
}

#[test]
fn tuning_shows_what_each_product_takes() {
    fail(
        &["tune", "alexnet-small", "--device", "cpu"],
        &["--device", "CPU device"],
    );
    fail(
        &["tune", "alexnet-small", "--batch-size", "0"],
        &["--batch-size"],
    );
    if tensor::Device::adapters().is_empty() {
        assert!(std::env::var("REQUIRE_GPU").as_deref() != Ok("1"), "no GPU");
        return;
    }
    let table = succeed(&["tune", "alexnet-small", "--batch-size", "2"]);
    for part in ["conv2d_weight_gradient", "TFLOP/s", "all products: "] {
        assert!(table.contains(part), "no '{part}' in\n{table}");
    }
    let args = [
        "tune",
        "alexnet-small",
        "--batch-size",
        "2",
        "--quiet",
        "--json",
    ];
    let found: Value = serde_json::from_str(&succeed(&args)).unwrap();
    let products = found["products"].as_array().unwrap();
    assert!(products.len() > 10, "{found}");
    assert!(products[0]["used"]["seconds"].as_f64().unwrap() > 0.0);
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    fail(&["bench", "--peers", "/nowhere"], &["--peers", "/nowhere"]);
    let folder = tempfile::tempdir().unwrap();
    let peers = ["--peers", path_text(folder.path()), "--device", "cpu"];
    let args = [&["bench", "alexnet-bn"][..], &peers].concat();
    fail(&args, &["alexnet-small", "alexnet-ungrouped"]);
    fail(
        &["bench", "alexnet-small", "--steps", "0"],
        &["--steps", "0"],
    );
    let large = "9999999999999";
    fail(
        &[
            "bench",
            "alexnet-small",
            "--device",
            "cpu",
            "--batch-size",
            large,
        ],
        &["batch_size", "memory", large],
    );
}

/// An H100 took these images a second in training on batches of 128: `benches/README.md`.
const ON_AN_H100: [(&str, f64); 4] = [
    ("alexnet-small", 86_677.0),
    ("alexnet-cifar", 34_103.0),
    ("alexnet", 6_605.0),
    ("alexnet-ungrouped", 5_124.0),
];

#[test]
fn a_plan_predicts_what_an_h100_took() {
    for (network, measured) in ON_AN_H100 {
        let text = succeed(&[
            "bench",
            network,
            "--plan",
            "--card",
            "h100",
            "--winograd",
            "never",
            "--json",
        ]);
        let plan: Value = serde_json::from_str(&text).unwrap();
        let card = &plan["cards"][0];
        let predicted = card["train_images_per_s"].as_f64().unwrap();
        let ratio = predicted / measured;
        assert!(
            (0.87..1.15).contains(&ratio),
            "{network}: {predicted}, measured {measured}"
        );
        let kernels = card["kernels"].as_array().unwrap();
        let sum: f64 = kernels
            .iter()
            .map(|kernel| kernel["seconds"].as_f64().unwrap())
            .sum();
        assert!(
            (sum - card["step_s"].as_f64().unwrap()).abs() < 1e-9,
            "{network}: {sum}"
        );
    }
}

#[test]
fn a_plan_lists_all_cards_and_asks_for_a_network() {
    let table = succeed(&["bench", "alexnet-small", "--plan", "--batch-size", "32"]);
    for card in ["H100", "RTX 4090", "7900 XTX", "A770", "Apple M2", "UHD"] {
        assert!(table.contains(card), "{card}: {table}");
    }
    for (args, missing) in [
        (&["bench", "--plan"][..], "NAME"),
        (&["bench", "alexnet-small", "--card", "h100"], "--plan"),
    ] {
        let output = alexnet(args);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(message.contains(missing), "{args:?}: {message}");
    }
}
