//! Tests of the forms in which people keep PyTorch's weights, against files of PyTorch 2.15 (`tests/golden/torch_forms.py`).

use std::path::{Path, PathBuf};

use super::names::unwrapped;
use super::pth::PthFile;
use super::torchvision::ANCHOR;

/// A parameter's shape and number; its elements are that and eighths.
const TENSORS: [(&str, &[usize], u8); 4] = [
    ("features.0.weight", &[2, 3, 1, 1], 0),
    ("features.0.bias", &[2], 1),
    ("classifier.6.weight", &[3, 2], 2),
    ("classifier.6.bias", &[3], 3),
];

fn golden(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/torch_forms");
    folder.join(format!("{name}.pth"))
}

/// What a file's names mean, with shapes and elements, and what is beside them.
type Content = (Vec<(String, Vec<usize>, Vec<f32>)>, Vec<String>);

fn content(path: &Path) -> Result<Content, String> {
    let mut file = PthFile::open(path).map_err(|error| error.to_string())?;
    let shapes = file.shapes();
    let names = unwrapped(shapes.keys(), ANCHOR)?;
    let mut tensors = Vec::new();
    for (name, own) in names.own {
        let values = file.read(&own).map_err(|error| error.to_string())?;
        tensors.push((name, shapes[&own].clone(), values));
    }
    let mut ignored = file.ignored().to_vec();
    ignored.extend(names.ignored);
    ignored.sort();
    Ok((tensors, ignored))
}

fn expected() -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let mut expected: Vec<_> = TENSORS
        .iter()
        .map(|&(name, shape, number)| {
            let n = u8::try_from(shape.iter().product::<usize>()).unwrap();
            let values = (0..n).map(|i| f32::from(i) / 8.0 + f32::from(number));
            (name.to_owned(), shape.to_vec(), values.collect())
        })
        .collect();
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    expected
}

#[test]
fn every_form_that_people_have_gives_the_same_tensors_by_name() {
    let beside = ["arch", "best_acc1", "epoch", "optimizer"];
    let lightning = [
        "callbacks",
        "criterion.weight",
        "epoch",
        "hyper_parameters",
        "pytorch-lightning_version",
    ];
    for (name, ignored) in [
        ("plain", &[][..]),
        ("legacy", &[]),
        ("double", &[]),
        ("half-legacy", &[]),
        ("checkpoint", &beside),
        ("features-module-legacy", &beside),
        ("model-key", &["args"]),
        ("lightning", &lightning),
        ("net-compiled", &[]),
        ("whole", &[]),
        ("whole-legacy", &[]),
        ("whole-parallel", &[]),
        ("script", &[]),
        ("traced", &[]),
    ] {
        let (tensors, beside) = content(&golden(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(tensors, expected(), "{name}");
        assert_eq!(beside, ignored, "{name}");
    }
    let (tensors, ignored) = content(&golden("norm")).unwrap();
    assert_eq!(ignored, ["features.1.num_batches_tracked"]);
    assert_eq!(tensors.len(), 8, "with statistics");
}

#[test]
fn what_has_no_names_is_refused_in_a_line() {
    let message = content(&golden("tensor")).unwrap_err();
    assert!(
        message.contains("tensor.pth") && message.contains("no dictionary"),
        "{message}"
    );
    assert!(!message.contains('\n'), "{message}");
}

/// splitmix64.
fn next(word: &mut u64) -> usize {
    *word = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *word;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    usize::try_from((z ^ (z >> 31)) >> 16).unwrap()
}

/// A file with a few bytes changed, left out, doubled or cut off.
fn damaged(bytes: &[u8], word: &mut u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=next(word) % 3 {
        let at = next(word) % bytes.len().max(1);
        let length = (next(word) % 40).min(bytes.len() - at.min(bytes.len()));
        match next(word) % 6 {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..at + length)),
            2 => {
                let part = bytes[at..at + length].to_vec();
                bytes.splice(at..at, part);
            }
            3 => bytes[at] = 0xFF,
            4 => bytes[at] = bytes[at].wrapping_add(1),
            _ => bytes[at] ^= 1 << (next(word) % 8),
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

/// `DAMAGED=5000` tries more than the usual 300. A zip archive has checksums, so nothing in it changes in silence; the older
/// format has none, and there other elements or names may come out, but never more than the file could hold.
#[test]
fn damaged_files_end_in_one_line_or_the_same_tensors() {
    let tries = std::env::var("DAMAGED").ok().and_then(|n| n.parse().ok());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.pth");
    let names = [
        "checkpoint",
        "features-module-legacy",
        "whole",
        "whole-legacy",
        "script",
        "lightning",
    ];
    let goldens = names.map(|name| std::fs::read(golden(name)).unwrap());
    let (mut word, mut n_refused) = (7, 0);
    let tries = tries.unwrap_or(300);
    for idx in 0..tries {
        let whole = &goldens[idx % goldens.len()];
        std::fs::write(&path, damaged(whole, &mut word)).unwrap();
        match content(&path) {
            Ok((tensors, _)) => {
                let is_zip = whole.starts_with(b"PK");
                assert!(!is_zip || tensors == expected(), "{idx}: other tensors");
                let elements: usize = tensors.iter().map(|(_, _, values)| values.len()).sum();
                assert!(elements < 4 * whole.len(), "{idx}: {elements} elements");
            }
            Err(message) => {
                n_refused += 1;
                assert!(
                    !message.contains('\n') && !message.is_empty(),
                    "{idx}: {message}"
                );
            }
        }
    }
    assert!(n_refused > tries / 4, "{n_refused} of {tries} are refused");
}
