//! Weights at work on pictures, and the memory that training is said to take.

use std::path::Path;

use train::data::{self, Images, Split};
use train::model::{Architecture, Network};
use train::{Classifier, Device, Recipe, Trainer, Weights};

use super::{data, finished, recipe, run};

/// A picture of the test split as a PNG, and its pixels.
fn picture(folder: &Path, index: u32) -> (Vec<u8>, Vec<u8>) {
    let images = data().test.unwrap().subset(&[index]).unwrap();
    let pixels = images.read_all().unwrap();
    let path = folder.join("picture.png");
    data::heat_map(&pixels, [32, 32], &[0.0], 1)
        .unwrap()
        .write_png(&path)
        .unwrap();
    (data::read_picture(&path).unwrap(), pixels)
}

#[test]
fn a_classifier_answers_as_the_evaluation_counts() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let summary = finished(run(&folder, recipe(), u64::MAX));
    let weights = Weights::find(&folder).unwrap();
    let recipe = weights.recipe.clone().unwrap();
    let classifier = Classifier::open(&weights, &recipe, &Device::cpu()).unwrap();
    assert_eq!(
        classifier.names(),
        data().class_names(),
        "names come with the weights"
    );
    let images: Images = data().split(Split::Test).unwrap().clone();
    let all = images.read_all().unwrap();
    let pictures: Vec<_> = all
        .chunks(images.image_bytes())
        .map(<[u8]>::to_vec)
        .collect();
    let rows = classifier.classify(&pictures).unwrap();
    let mut correct = 0.0;
    for (row, &label) in rows.iter().zip(images.labels()) {
        let sum: f32 = row.iter().sum();
        assert!((sum - 1.0).abs() < 1e-5, "probabilities: {sum}");
        let best = (0..row.len())
            .max_by(|&a, &b| row[a].total_cmp(&row[b]))
            .unwrap();
        correct += f64::from(u8::from(best == label as usize));
    }
    let accuracy = correct / f64::from(u32::try_from(images.len()).unwrap());
    assert!(
        (accuracy - summary.test_accuracy.unwrap()).abs() < 1e-6,
        "{accuracy}"
    );
    assert!(classifier.classify(&[vec![0; 5]]).is_err(), "another size");
}

#[test]
fn an_explanation_finds_the_place_that_counts() {
    let root = tempfile::tempdir().unwrap();
    let architecture = Architecture::new("alexnet-small", Some(3), None).unwrap();
    let network = Network::new(architecture, 3, &Device::cpu()).unwrap();
    let path = root.path().join("x.safetensors");
    std::fs::write(&path, network.to_bytes().unwrap()).unwrap();
    let weights = Weights::find(&path).unwrap();
    let recipe = Classifier::default_recipe(&path).unwrap();
    let classifier = Classifier::open(&weights, &recipe, &Device::cpu()).unwrap();
    assert_eq!(classifier.names(), ["class 0", "class 1", "class 2"]);
    // Grey, which covering does not change, but for a corner.
    let mut pixels = vec![128; 32 * 32 * 3];
    for row in 0..6 {
        pixels[row * 96..row * 96 + 18].fill(255);
    }
    let mut told = Vec::new();
    let explanation = classifier
        .explain(&pixels, 1, &mut |done, of| told.push((done, of)))
        .unwrap();
    assert_eq!((told[0], *told.last().unwrap()), ((0, 256), (256, 256)));
    for (place, &fall) in explanation.falls.iter().enumerate() {
        let (row, column) = (place / explanation.columns, place % explanation.columns);
        if row > 6 || column > 6 {
            assert!(fall.abs() < 1e-6, "nothing is there: {row} {column} {fall}");
        }
    }
    assert!(explanation.falls[0].abs() > 1e-6, "the corner counts");
    assert!(
        classifier.explain(&pixels, 3, &mut |_, _| {}).is_err(),
        "no such class"
    );
    let (bytes, _) = picture(root.path(), 0);
    assert_eq!(
        classifier.pixels(&bytes, Path::new("-")).unwrap().len(),
        pixels.len()
    );
    assert!(
        classifier.pixels(&bytes[..50], Path::new("-")).is_err(),
        "half a picture"
    );
}

/// The estimate is of shapes alone: the pool's classes add an eighth at most, and scratch for gradients a little.
#[test]
fn training_takes_as_much_memory_as_the_summary_says() {
    let mut data = data();
    (data.validation, data.test) = (None, None);
    for batch_size in [16, 64] {
        let recipe = Recipe {
            batch_size,
            ..recipe()
        };
        let device = Device::cpu();
        let trainer = Trainer::new(recipe, data.clone(), &device).unwrap();
        let (taken, _) = device.memory();
        let said = trainer
            .network()
            .architecture()
            .training_memory(batch_size, 2)
            .total();
        assert!(
            taken > said / 100 * 90 && taken < said / 100 * 115,
            "batch {batch_size}: {taken} bytes taken, {said} said"
        );
    }
}
