//! Cases of resizing, as PyTorch 2.15 computes them in double precision: each of its methods for images.

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};
use tempfile::TempDir;
use tensor::Device;
use verify::parity::{Report, run};

const X: [f32; 6] = [1.0, 5.0, 2.0, 4.0, 8.0, 0.0];

/// `torch.nn.functional.interpolate` of `X` as `[1, 1, 2, 3]` to 3x2 pixels: method, antialiasing, result.
const CASES: [(&str, bool, [f64; 6]); 5] = [
    (
        "bicubic",
        false,
        [
            1.736043294271,
            2.895589192708,
            3.599609375,
            2.38671875,
            5.463175455729,
            1.877848307292,
        ],
    ),
    (
        "bicubic",
        true,
        [
            2.309495649235,
            3.226746641886,
            4.120385232745,
            3.08507223114,
            5.931274816254,
            2.943397820394,
        ],
    ),
    ("bilinear", true, [2.5, 3.125, 4.0, 3.0625, 5.5, 3.0]),
    ("nearest", false, [1.0, 5.0, 1.0, 5.0, 4.0, 8.0]),
    ("nearest-exact", false, [1.0, 2.0, 4.0, 0.0, 4.0, 0.0]),
];

fn report(case: &Value, y: &[f64], device: &Device) -> Report {
    let folder = TempDir::new().expect("a temporary folder");
    let manifest = json!({ "format": 1, "cases": [case] }).to_string();
    std::fs::write(folder.path().join("manifest.json"), manifest).expect("it is writable");
    let x: Vec<u8> = X.iter().flat_map(|x| x.to_le_bytes()).collect();
    let y: Vec<u8> = y.iter().flat_map(|y| y.to_le_bytes()).collect();
    let views = [
        (
            "x",
            TensorView::new(Dtype::F32, vec![1, 1, 2, 3], &x).expect("six floats"),
        ),
        (
            "y",
            TensorView::new(Dtype::F64, vec![1, 1, 3, 2], &y).expect("six doubles"),
        ),
    ];
    let bytes = safetensors::serialize(views, None).expect("they fit");
    std::fs::write(folder.path().join("resize.safetensors"), bytes).expect("it is writable");
    run(folder.path(), device, None, |_, _| {}).expect("the folder is sound")
}

/// A case by its operator and attributes; sums of up to 16 products of numbers up to 8.
fn case(op: &str, attributes: &Value) -> Value {
    json!({
        "name": "resize/case", "group": "resize", "op": op, "file": "resize.safetensors", "attrs": attributes,
        "inputs": { "x": { "dtype": "F32", "shape": [1, 1, 2, 3], "tensor": "x" } },
        "outputs": { "y": { "dtype": "F64", "shape": [1, 1, 3, 2], "tensor": "y", "atol": 2e-5, "rtol": 0.0 } },
    })
}

#[test]
fn each_method_of_pytorch_is_known_by_attribute_and_by_operator() {
    let device = Device::cpu();
    for (mode, antialias, expected) in CASES {
        let attributes =
            json!({ "out": [3, 2], "align_corners": false, "antialias": antialias, "mode": mode });
        let by_mode = report(&case("bilinear_resize", &attributes), &expected, &device);
        assert_eq!(by_mode.totals(), [1, 0, 0], "{mode}: {by_mode:?}");
        let attributes = json!({ "out": [3, 2], "antialias": antialias });
        let op = format!("{}_resize", mode.replace('-', "_"));
        let by_op = report(&case(&op, &attributes), &expected, &device);
        assert_eq!(by_op.totals(), [1, 0, 0], "{mode}: {by_op:?}");
        let mut other = expected;
        other[3] += 1e-3;
        let wrong = report(&case(&op, &attributes), &other, &device);
        assert_eq!(wrong.totals(), [0, 1, 0], "{mode}: {wrong:?}");
    }
    let attributes = json!({ "out": [3, 2], "antialias": false, "mode": "lanczos" });
    let unknown = report(&case("bilinear_resize", &attributes), &[0.0; 6], &device);
    assert_eq!(unknown.totals(), [0, 1, 0], "{unknown:?}");
}
