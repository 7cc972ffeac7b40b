//! Weights at work on images, and the memory that training is said to take.

use std::path::Path;

use data::{Images, Split};
use model::{Architecture, Format, Network, Preparation, tensor_file_bytes};
use tensor::Device;
use train::{Classifier, CropKind, FitKind, Recipe, Trainer, Tta, Weights};

use super::{data, finished, recipe, run};

/// An image of the test split as a PNG, and its pixels.
fn image(folder: &Path, index: u32) -> (Vec<u8>, Vec<u8>) {
    let images = data().test.unwrap().subset(&[index]).unwrap();
    let pixels = images.read_all().unwrap();
    let path = folder.join("image.png");
    data::heat_map(&pixels, [32, 32], &[0.0], 1)
        .unwrap()
        .write_png(&path)
        .unwrap();
    (data::read_image(&path).unwrap(), pixels)
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
    let rgb: Vec<_> = all
        .chunks(images.image_bytes())
        .map(<[u8]>::to_vec)
        .collect();
    let rows = classifier.classify(&rgb).unwrap();
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

/// Twenty images of several shapes, as files' bytes.
fn images(folder: &Path) -> Vec<Vec<u8>> {
    let images = data().test.unwrap();
    let image = |index: usize| {
        let pixels = images.subset(&[u32::try_from(index).unwrap()]).unwrap();
        // An image with its heat map is twice as wide as high; a part of its rows makes other shapes.
        let path = folder.join(format!("{index}.png"));
        let pixels = pixels.read_all().unwrap();
        let rows = 8 + u32::try_from(index).unwrap();
        let part = &pixels[..rows as usize * 32 * 3];
        let image = data::heat_map(part, [rows, 32], &[0.0], 1).unwrap();
        image.write_png(&path).unwrap();
        data::read_image(&path).unwrap()
    };
    (0..20).map(image).collect()
}

/// By a weight file that left its run, answers and scores are those of the run: its normalisation, sizes and views are in
/// the file.
#[test]
fn an_exported_file_answers_exactly_as_its_run() {
    let root = tempfile::tempdir().unwrap();
    let images = images(root.path());
    type Change = fn(&mut Recipe);
    let changes: [Change; 4] = [
        |r| (r.images.mean, r.images.std) = (None, None),
        |r| (r.images.resize, r.images.crop) = (Some(40), CropKind::Random),
        |r| (r.evaluation.resize, r.evaluation.tta) = (Some(37), Tta::Flip),
        |r| (r.images.fit, r.images.mean) = (FitKind::Stretch, Some(vec![0.1, 0.2, 0.3])),
    ];
    for (idx, change) in changes.into_iter().enumerate() {
        let mut recipe = recipe();
        recipe.epochs = 1;
        change(&mut recipe);
        let folder = root.path().join(idx.to_string());
        finished(run(&folder, recipe, u64::MAX));
        let of_run = Weights::find(&folder).unwrap();
        let path = root.path().join(format!("{idx}.safetensors"));
        let network = Network::open(&of_run.path, &Device::cpu()).unwrap();
        network.export(Format::Safetensors, None, &path).unwrap();
        let alone = Weights::find(&path).unwrap();
        assert!(alone.recipe.is_none(), "no run around it");
        let recipes = [
            of_run.recipe.clone().unwrap(),
            Classifier::default_recipe(&path).unwrap(),
        ];
        let answers = [&of_run, &alone]
            .into_iter()
            .zip(&recipes)
            .map(|(weights, recipe)| {
                let classifier = Classifier::open(weights, recipe, &Device::cpu()).unwrap();
                let pixels = images.iter();
                let pixels: Vec<_> = pixels
                    .map(|bytes| classifier.pixels(bytes, Path::new("x.png")).unwrap())
                    .collect();
                classifier.classify(&pixels).unwrap()
            });
        let [theirs, own] = answers.collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(own.len(), 20);
        assert!(own == theirs, "change {idx}: the same probabilities");
        let mut scored = Recipe::for_dataset("shapes10").unwrap();
        scored.prepare_as(&Preparation::in_file(&path).unwrap().unwrap());
        let scores = [(&of_run, &recipes[0]), (&alone, &scored)].map(|(weights, recipe)| {
            let (data, test, device) = (data(), Split::Test, Device::cpu());
            let of = train::evaluate(&weights.path, recipe, &data, test, &device, &mut |_, _| {});
            of.unwrap().score
        });
        assert_eq!(
            (scores[0].loss, scores[0].accuracy),
            (scores[1].loss, scores[1].accuracy),
            "change {idx}"
        );
    }
}

/// A data set whose images have another size than the training images had is brought to theirs, by their interpolation.
#[test]
fn a_data_set_of_another_size_is_resized_as_the_weight_file_says() {
    let trained = Recipe::named("keras-cifar10").unwrap();
    let preparation = trained.preparation([227; 2], [227, 227, 3]).unwrap();
    let mut recipe = Recipe::for_dataset("cifar10").unwrap();
    recipe.prepare_as(&preparation);
    assert_eq!(recipe.images.resize_first, Some(227.into()));
    assert_eq!(recipe.images.interpolation, trained.images.interpolation);
    for (dataset, resize_first) in [("photos", None), ("mnist", Some(227.into()))] {
        recipe.turn_to(dataset);
        assert_eq!(recipe.images.resize_first, resize_first, "{dataset}");
        assert_eq!(recipe.source(), [227; 2], "{dataset}");
    }
    let mut small = Recipe::named("shapes10").unwrap();
    small.turn_to("cifar10");
    assert_eq!(small.images.resize_first, None, "of the same size");
}

/// Files without the key, such as those of older versions, are prepared as they were; bad ones are refused by name.
#[test]
fn a_file_without_a_preparation_has_the_old_one_and_a_bad_one_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.safetensors");
    let architecture = Architecture::new("alexnet-torchvision", Some(2), None).unwrap();
    let name = architecture.to_string();
    let one = || vec![("x".to_owned(), vec![1], vec![0.0])];
    std::fs::write(&path, tensor_file_bytes(one(), "network", &name).unwrap()).unwrap();
    assert_eq!(Preparation::in_file(&path).unwrap(), None);
    let recipe = Classifier::default_recipe(&path).unwrap();
    assert_eq!(
        (recipe.images.resize, recipe.images.source_size),
        (Some(256), 256.into())
    );
    assert_eq!(recipe.images.mean, Some(vec![0.485, 0.456, 0.406]));
    std::fs::write(&path, tensor_file_bytes(one(), "images", "{}").unwrap()).unwrap();
    let message = Classifier::default_recipe(&path).unwrap_err().to_string();
    assert!(message.contains("x.safetensors"), "{message}");
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
    let map = classifier
        .occlusion_map(&pixels, 1, &mut |done, of| told.push((done, of)))
        .unwrap();
    assert_eq!((told[0], *told.last().unwrap()), ((0, 256), (256, 256)));
    for (place, &fall) in map.falls.iter().enumerate() {
        let (row, column) = (place / map.columns, place % map.columns);
        if row > 6 || column > 6 {
            assert!(fall.abs() < 1e-6, "nothing is there: {row} {column} {fall}");
        }
    }
    assert!(map.falls[0].abs() > 1e-6, "the corner counts");
    assert!(
        classifier
            .occlusion_map(&pixels, 3, &mut |_, _| {})
            .is_err(),
        "no such class"
    );
    let (bytes, _) = image(root.path(), 0);
    assert_eq!(
        classifier.pixels(&bytes, Path::new("-")).unwrap().len(),
        pixels.len()
    );
    assert!(
        classifier.pixels(&bytes[..50], Path::new("-")).is_err(),
        "half an image"
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
