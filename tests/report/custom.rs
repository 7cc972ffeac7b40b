//! The example of a network of one's own: it trains on both devices, and what it leaves is opened without it.

use std::fs;
use std::path::Path;

use model::Network;
use tensor::Device;
use train::{Classifier, Trainer, Weights};

#[path = "../../examples/03_custom_network.rs"]
#[expect(dead_code, reason = "its main")]
mod example;

/// Two classes, dark and bright, twelve images each.
fn write_images(root: &Path) {
    for (class, shade) in [("dark", 40_u8), ("bright", 160)] {
        let folder = root.join(class);
        fs::create_dir_all(&folder).unwrap();
        for number in 0..12_u8 {
            let image = image::RgbImage::from_fn(80, 72, |x, y| {
                let noise = u8::try_from((x * 7 + y * 13 + u32::from(number) * 31) % 50).unwrap();
                image::Rgb([shade + noise; 3])
            });
            image.save(folder.join(format!("{number}.png"))).unwrap();
        }
    }
}

#[test]
fn a_network_of_ones_own_trains_reports_and_is_exported_on_both_devices() {
    let root = tempfile::tempdir().unwrap();
    let images = root.path().join("images");
    write_images(&images);
    for (idx, device) in super::devices().iter().enumerate() {
        let run = root.path().join(format!("run-{idx}"));
        let trainer: Trainer = example::train(&images, &run, device).unwrap();
        let report = fs::read_to_string(run.join("report.html")).unwrap();
        assert!(report.contains("mine"), "the network's name");
        assert!(run.join("plots/loss.png").is_file(), "plots");
        assert!(fs::metadata(run.join("mine.onnx")).unwrap().len() > 4 * 93_000);
        // Another program finds the network in the file, and its answers.
        let weights = Weights::find(&run).unwrap();
        let network = Network::open(&weights.path, &Device::cpu()).unwrap();
        assert_eq!(network.architecture(), trainer.network().architecture());
        let recipe = weights.recipe.clone().unwrap();
        let classifier = Classifier::open(&weights, &recipe, &Device::cpu()).unwrap();
        let bright = fs::read(images.join("bright/3.png")).unwrap();
        let pixels = classifier.pixels(&bright, Path::new("3.png")).unwrap();
        let answer = classifier.classify(&[pixels]).unwrap();
        assert!(answer[0][0] > 0.5, "bright comes first: {answer:?}");
    }
}
