//! Folders of recorded cases: good ones pass, wrong ones fail, damaged ones are errors and never crashes.

use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};
use tempfile::TempDir;
use tensor::Device;
use verify::parity::{Error, Report, run};

/// The tensors of a ReLU over three elements, and of a wrong answer.
fn tensors() -> Vec<u8> {
    let bytes = |values: &[f32]| {
        values
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let all = [
        ("x", bytes(&[-1.0, 0.5, 2.0])),
        ("dy", bytes(&[1.0, 2.0, 3.0])),
        ("y", bytes(&[0.0, 0.5, 2.0])),
        ("dx", bytes(&[0.0, 2.0, 3.0])),
        ("wrong", bytes(&[0.0, 0.5, 2.5])),
    ];
    let views = all.iter().map(|(name, bytes)| {
        (
            *name,
            TensorView::new(Dtype::F32, vec![3], bytes).expect("three floats"),
        )
    });
    let mut index = 2_i64.to_le_bytes().to_vec();
    index.extend(9_i64.to_le_bytes());
    let far = TensorView::new(Dtype::I64, vec![2], &index).expect("two numbers");
    safetensors::serialize(views.chain([("far", far)]), None).expect("they fit")
}

fn manifest() -> Value {
    let stored = |tensor: &str| json!({ "dtype": "F32", "shape": [3], "tensor": tensor });
    let expected = |tensor: &str| json!({ "dtype": "F32", "shape": [3], "tensor": tensor, "atol": 1e-6, "rtol": 0.0 });
    json!({
        "format": 1,
        "cases": [{
            "name": "relu/three", "group": "relu", "op": "relu", "file": "relu.safetensors", "attrs": {},
            "inputs": { "x": stored("x"), "dy": stored("dy") },
            "outputs": { "y": expected("y"), "dx": expected("dx") },
        }],
    })
}

fn run_folder(manifest: &[u8], tensors: &[u8]) -> Result<Report, Error> {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(folder.path().join("manifest.json"), manifest).expect("it is writable");
    std::fs::write(folder.path().join("relu.safetensors"), tensors).expect("it is writable");
    run(folder.path(), &Device::cpu(), None, |_, _| {})
}

/// Runs the manifest after `change`.
fn changed(change: impl Fn(&mut Value)) -> Result<Report, Error> {
    let mut manifest = manifest();
    change(&mut manifest);
    run_folder(manifest.to_string().as_bytes(), &tensors())
}

#[test]
fn a_right_case_passes_and_a_wrong_one_fails() {
    let report = changed(|_| {}).expect("the folder is sound");
    assert_eq!(report.totals(), [1, 0, 0], "{report:?}");
    let wrong = |m: &mut Value| m["cases"][0]["outputs"]["y"]["tensor"] = json!("wrong");
    let report = changed(wrong).expect("the folder is sound");
    assert_eq!(report.totals(), [0, 1, 0], "{report:?}");
    let absent = |m: &mut Value| {
        let y = m["cases"][0]["outputs"]["y"].clone();
        m["cases"][0]["outputs"]["z"] = y;
    };
    let report = changed(absent).expect("the folder is sound");
    assert_eq!(
        report.totals(),
        [0, 1, 0],
        "an output that nobody computes: {report:?}"
    );
}

#[test]
fn an_unknown_operator_fails() {
    let report = changed(|m| m["cases"][0]["op"] = json!("mystery")).expect("the folder is sound");
    let (_, reason) = &report.groups["relu"].failed[0];
    assert!(reason.contains("unknown operator mystery"), "{reason}");
}

#[test]
fn an_onnx_case_of_scope_extra_may_be_skipped() {
    let case = |scope: &str| {
        let tensor =
            |name: &str| json!({ "name": name, "tensor": name, "dtype": "float32", "shape": [3] });
        json!({
            "format": 1, "kind": "onnx-backend-cases",
            "cases": [{
                "name": "test_mystery", "op": "Mystery", "file": "relu.safetensors", "opset": 13, "scope": scope,
                "attrs_with_defaults": {}, "rtol": 1e-3, "atol": 1e-7,
                "inputs": [tensor("x")], "outputs": [tensor("y")],
            }],
        })
    };
    for (scope, totals) in [("extra", [0, 0, 1]), ("core", [0, 1, 0])] {
        let report = run_folder(case(scope).to_string().as_bytes(), &tensors());
        assert_eq!(
            report.expect("the folder is sound").totals(),
            totals,
            "{scope}"
        );
    }
    let mut relu = case("core");
    relu["cases"][0]["op"] = json!("Relu");
    let report = run_folder(relu.to_string().as_bytes(), &tensors()).expect("the folder is sound");
    assert_eq!(report.totals(), [1, 0, 0], "{report:?}");
}

#[test]
fn damaged_manifests_are_errors() {
    let text = manifest().to_string();
    for len in 0..text.len() {
        assert!(
            run_folder(&text.as_bytes()[..len], &tensors()).is_err(),
            "cut after {len} bytes"
        );
    }
    let changes: [fn(&mut Value); 7] = [
        |m| m["format"] = json!(2),
        |m| m["kind"] = json!("something else"),
        |m| m["cases"] = json!(7),
        |m| m["cases"] = json!([]),
        |m| m["cases"][0]["file"] = json!("../relu.safetensors"),
        |m| m["cases"][0]["file"] = json!("missing.safetensors"),
        |m| m["cases"][0]["name"] = json!(null),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        assert!(changed(change).is_err(), "change {i}");
    }
    assert!(
        run(Path::new("no/such/folder"), &Device::cpu(), None, |_, _| {}).is_err(),
        "no folder"
    );
}

#[test]
fn damaged_cases_fail_with_a_reason() {
    let generated = |shape: Value, exp2: i64| {
        json!({ "dtype": "F32", "shape": shape,
                "gen": { "kind": "splitmix64-uniform", "seed": "0x1", "exp2": exp2 } })
    };
    let inputs = [
        json!({ "shape": [4], "tensor": "x" }),
        json!({ "shape": [3], "tensor": "nowhere" }),
        json!({ "shape": "three", "tensor": "x" }),
        json!({ "shape": [-3], "tensor": "x" }),
        json!(7),
        generated(json!([1_u64 << 40, 1_u64 << 40]), 0),
        generated(json!([1 << 20, 1 << 20]), 0),
        generated(json!([3]), 1 << 40),
    ];
    for input in inputs {
        let report = changed(|m| m["cases"][0]["inputs"]["x"] = input.clone());
        assert_eq!(
            report.expect("the manifest is sound").totals(),
            [0, 1, 0],
            "{input}"
        );
    }
    let outputs = [
        json!({ "shape": [3], "tensor": "y", "full_shape": [9], "atol": 0.0, "rtol": 0.0 }),
        json!({ "shape": [3], "tensor": "y", "full_shape": [9], "sample_index": "far", "atol": 0.0, "rtol": 0.0 }),
        json!({ "shape": [3], "tensor": "y", "full_shape": [3], "sample_index": "x", "atol": 0.0, "rtol": 0.0 }),
        json!({ "shape": [3], "tensor": "y" }),
    ];
    for output in outputs {
        let report = changed(|m| m["cases"][0]["outputs"]["y"] = output.clone());
        assert_eq!(
            report.expect("the manifest is sound").totals(),
            [0, 1, 0],
            "{output}"
        );
    }
}

#[test]
fn damaged_tensor_files_are_errors() {
    let (manifest, tensors) = (manifest().to_string(), tensors());
    for len in (0..tensors.len()).step_by(7) {
        let result = run_folder(manifest.as_bytes(), &tensors[..len]);
        assert!(result.is_err(), "cut after {len} bytes");
    }
    for at in 0..tensors.len().min(200) {
        let mut damaged = tensors.clone();
        damaged[at] ^= 0x55;
        // Some bytes are values or white space: what counts is that nothing panics.
        drop(run_folder(manifest.as_bytes(), &damaged));
    }
}

/// Rates as PyTorch 2 has them, worked out by hand: `LinearLR(start_factor=0.25, total_iters=2)` chained with
/// `CosineAnnealingWarmRestarts(T_0=2, T_mult=2)` and with `StepLR(step_size=2, gamma=0.5)`, each from the rate 1.
#[test]
fn schedules_restart_and_are_chained_with_a_warm_up() {
    let restarts =
        json!({ "schedule": "CosineAnnealingWarmRestarts", "T_0": 2, "T_mult": 2, "eta_min": 0.0 });
    let warm = |name: &str| json!({ "schedule": format!("Warmup+{name}"), "warmup_steps": 2, "start_factor": 0.25 });
    let mut warm_restarts = warm("CosineAnnealingWarmRestarts");
    let mut warm_step = warm("StepLR");
    for (key, value) in [("T_0", 2), ("T_mult", 2), ("eta_min", 0)] {
        warm_restarts[key] = json!(value);
    }
    (warm_step["step_size"], warm_step["gamma"]) = (json!(2), json!(0.5));
    let mut after = warm_step.clone();
    after["sequential"] = json!(true);
    let root = std::f64::consts::FRAC_1_SQRT_2;
    let [high, low] = [1.0 + root, 1.0 - root].map(|twice| twice / 2.0);
    for (attributes, rates) in [
        (restarts, [1.0, 0.5, 1.0, high, 0.5, low]),
        (warm_restarts, [0.25, 0.3125, 1.0, high, 0.5, low]),
        (warm_step, [0.25, 0.625, 0.5, 0.5, 0.25, 0.25]),
        (after, [0.25, 0.625, 1.0, 1.0, 0.5, 0.5]),
    ] {
        let mut attributes = attributes;
        attributes["base_lr"] = json!(1.0);
        let bytes: Vec<u8> = rates.iter().flat_map(|rate| rate.to_le_bytes()).collect();
        let view = TensorView::new(Dtype::F64, vec![6], &bytes).expect("six numbers");
        let tensors = safetensors::serialize([("lr", view)], None).expect("they fit");
        let manifest = json!({
            "format": 1,
            "cases": [{
                "name": "lr_schedule/one", "group": "lr_schedule", "op": "lr_schedule", "file": "relu.safetensors",
                "attrs": attributes, "inputs": {},
                "outputs": { "lr": { "dtype": "F64", "shape": [6], "tensor": "lr", "atol": 1e-12, "rtol": 0.0 } },
            }],
        });
        let report = run_folder(manifest.to_string().as_bytes(), &tensors).expect("a good folder");
        assert_eq!(
            report.groups["lr_schedule"].passed, 1,
            "{attributes}: {report:?}"
        );
    }
}
