//! The logits of Keras 3, recorded and live, beside those of the same weights here.

use std::fs;
use std::process::Command;

use model::{Architecture, Format};
use serde_json::Value;

use super::interchange::{NETWORKS, channels_last, golden, lively, logits, values};

/// What the first image's logits are in Keras 3.15 on PyTorch 2.15, by `golden/keras_model.py` and the files that this
/// program writes, recorded by `golden/keras_logits.py`.
const KERAS: [(&str, [f32; 5]); 2] = [
    (
        "alexnet-small",
        [
            -0.532_574_3,
            -0.399_159_43,
            0.476_811_7,
            -0.477_753,
            -0.030_342_698,
        ],
    ),
    (
        "alexnet-cifar",
        [
            -0.729_564_3,
            -3.802_114_2,
            1.556_723_2,
            1.968_180_3,
            1.620_218_6,
        ],
    ),
];

#[test]
fn keras_gives_the_same_logits() {
    match std::env::var("KERAS_PYTHON") {
        Ok(python) => run_keras(&python),
        Err(_) => eprintln!("no KERAS_PYTHON: Keras' recorded logits are compared alone"),
    }
    for (name, expected) in KERAS {
        let network = lively(name, 32);
        let ours = logits(&network, &values(7, 2 * 3 * 32 * 32, 1), 2);
        let largest = ours.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        for (a, b) in ours.iter().zip(expected) {
            let difference = (a - b).abs() / largest;
            assert!(
                difference <= 1e-5,
                "{name}: {b} in place of {a}, of {largest}"
            );
        }
    }
}

/// Loads each network's file into a model of Keras and compares, by a Python that has Keras.
fn run_keras(python: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut script = Command::new(python);
    script.arg(golden("keras_logits.py"));
    for (name, size) in NETWORKS {
        let network = lively(name, size);
        let path = folder.path().join(name);
        let weights = folder.path().join(format!("{name}.weights.h5"));
        network.export(Format::Keras, None, &weights).unwrap();
        let images = values(7, 2 * 3 * size * size, 1);
        let write = |end: &str, values: &[f32]| {
            let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            fs::write(path.with_extension(end), bytes).unwrap();
        };
        write("input", &channels_last(&images, 2, [size, size, 3]));
        write("logits", &logits(&network, &images, 2));
        let summary = keras_summary(network.architecture());
        fs::write(path.with_extension("json"), summary.to_string()).unwrap();
        script.arg(&path);
    }
    let output = script.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
}

/// What `alexnet summary --json` prints of the layers.
fn keras_summary(architecture: &Architecture) -> Value {
    let summary = architecture.summary();
    let layers = summary.rows().iter().map(|row| {
        let settings = row.settings.iter();
        let settings = settings.map(|&(name, value)| (name.to_owned(), Value::from(value)));
        serde_json::json!({
            "kind": row.kind,
            "activation": row.activation,
            "settings": settings.collect::<serde_json::Map<_, _>>(),
        })
    });
    serde_json::json!({
        "input_size": architecture.input_size(),
        "layers": layers.collect::<Vec<_>>(),
    })
}
