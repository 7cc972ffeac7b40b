//! Whole files of each format, from which the inputs of the fuzz targets are made.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use model::{Architecture, Network};
use train::Recipe;

use super::pickled::{EACH, Python};

/// The seeds of a target.
pub(crate) fn of(target: &str) -> Vec<Vec<u8>> {
    let recipe = || Recipe::named("shapes10").unwrap().to_toml().unwrap();
    match target {
        "weights" => vec![tensors(), network()],
        "imported" => [golden("torch_forms"), vec![tensors(), network()]].concat(),
        "recipe" => vec![recipe().into_bytes(), b"[optimizer]\nmomentum = 0.5\n".to_vec()],
        "settings" => vec![
            b"optimizer.momentum=0.5".to_vec(),
            b"network=alexnet-bn".to_vec(),
            b"images.mean=[0.1, 0.2, 0.3]".to_vec(),
        ],
        "sweep" => vec![
            b"recipe = 'shapes10'\n[grid]\noptimizer.momentum = [0.0, 0.9]\nseed = [1, 2]\n".to_vec(),
            b"recipe = 'shapes10'\n[base]\nepochs = 1\n[[run]]\nname = 'a'\n[[run]]\nseed = 3\n".to_vec(),
        ],
        "rows" => vec![
            br#"{"epoch":1,"step":4,"lr":0.1,"train_loss":2.0,"train_accuracy":0.1,"images_per_s":7.0,"data_wait_fraction":0.0,"seconds":1.5}"#.to_vec(),
            br#"{"step":4,"epoch":1,"lr":0.1,"loss":null,"accuracy":0.1}"#.to_vec(),
        ],
        "cifar" => {
            let record: Vec<u8> = (0..=250).cycle().take(3074).collect();
            vec![record, vec![1; 3074]]
        }
        "pickle" => {
            let batch = |python: Python| python.batch(&[7; 2 * 3072], &[("fine_labels", &[1, 99])]);
            EACH.map(batch).to_vec()
        }
        "idx" => {
            let mut images = b"\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x02".to_vec();
            images.extend(0..8);
            let labels = b"\0\0\x08\x01\0\0\0\x02\0\x01".to_vec();
            vec![gz(&images), gz(&labels), images, labels]
        }
        "archive" => {
            let tar = tar();
            vec![gz(&tar), tar]
        }
        "image" => golden("images"),
        "manifest" => {
            let stored = |name: &str| format!(r#"{{"dtype":"F32","shape":[3],"tensor":"{name}"}}"#);
            let expected = |name: &str| stored(name).replace('}', r#","atol":1e-6,"rtol":0.0}"#);
            let [x, dy, y, dx] = [stored("x"), stored("dy"), expected("y"), expected("dx")];
            let case = r#""name":"relu/three","group":"relu","op":"relu","file":"relu.safetensors","attrs":{}"#;
            let all = format!(
                r#"{{"format":1,"cases":[{{{case},"inputs":{{"x":{x},"dy":{dy}}},"outputs":{{"y":{y},"dx":{dx}}}}}]}}"#
            );
            vec![all.into_bytes()]
        }
        "labels" => vec![
            b"image,label\na.png,cat\nb,dog\n".to_vec(),
            b"id;class\n\"a.png\";\"a; b\"\n10;x\n".to_vec(),
            b"a.png 0\nb.jpg 1\n".to_vec(),
        ],
        "state" => vec![
            br#"{"format":1,"epoch":1,"batch":0,"step":4,"partial":{"loss":0.0,"correct":0.0,"correct_in_five":0.0,"images":0,"seconds":0.0,"waited_s":0.0},"rows":[],"best":null,"train_s":1.0,"wall_s":1.0}"#.to_vec(),
            br#"{"format":2,"epoch":1,"batch":0,"step":4,"rows":[],"sha256":{"model.safetensors":"a","optimizer.safetensors":"b","state.json":"c"}}"#.to_vec(),
        ],
        other => panic!("no seeds of {other}"),
    }
}

/// The files of a folder of recorded ones.
fn golden(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden")
        .join(folder);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// A safetensors file of one number.
fn tensors() -> Vec<u8> {
    let header = br#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let length = u64::try_from(header.len()).unwrap().to_le_bytes();
    [&length[..], header, &[0; 4]].concat()
}

/// The header of a network's weight file, without its megabytes.
fn network() -> Vec<u8> {
    let device = tensor::Device::cpu();
    let network = Network::new(
        Architecture::new("alexnet-small", None, None).unwrap(),
        1,
        &device,
    )
    .unwrap();
    let mut bytes = network.to_bytes().unwrap();
    bytes.truncate(4096);
    bytes
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An archive of a folder with a file.
fn tar() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(3);
    header.set_mode(0o644);
    header.set_cksum();
    archive
        .append_data(&mut header, "set/a.bin", &b"abc"[..])
        .unwrap();
    archive.into_inner().unwrap()
}
