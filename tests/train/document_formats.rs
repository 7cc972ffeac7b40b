//! Each published walk-through from a made-up data set in its document's own file format: found, split and resized as the
//! document says, and trained for two steps on both devices.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use data::DataSet;
use tensor::Device;
use train::{
    CropKind, Event, FirstBatch, FitKind, ImagesRecipe, InterpolationKind, Metric, Outcome, Recipe,
    ScheduleRecipe, Trainer, ValidationKind,
};

use super::pickled::{Python, write_cifar10, write_cifar100};

/// The least side that these networks take: their steps at 227 would take minutes on a software driver.
const SIDE: usize = 67;

/// `folder` of `dir` as a gzipped archive, in place of the folder.
fn pack(dir: &Path, folder: &str, archive: &str) {
    let file = fs::File::create(dir.join(archive)).unwrap();
    let gz = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    let mut tar = tar::Builder::new(gz);
    tar.append_dir_all(folder, dir.join(folder)).unwrap();
    tar.into_inner().unwrap().finish().unwrap();
    fs::remove_dir_all(dir.join(folder)).unwrap();
}

/// A built-in recipe with data in `dir` and nothing that takes more than two steps to come to bear.
fn recipe(name: &str, dir: &Path, images: ImagesRecipe) -> Recipe {
    let mut recipe = Recipe::named(name).unwrap();
    recipe.runtime.data_dir = Some(dir.to_str().unwrap().to_owned());
    recipe.epochs = 1;
    recipe.images = images;
    recipe.schedule = ScheduleRecipe::default();
    recipe.early_stopping = None;
    recipe.checkpoints.best = Some(Metric::TrainLoss);
    recipe
}

/// Two steps on each device, from the data set that the recipe finds.
fn two_steps(mut recipe: Recipe, sizes: [usize; 3]) -> DataSet {
    recipe.batch_size = sizes[0] / 2;
    let data = recipe.open_data(false, &mut |_| {}).unwrap();
    let n = |images: &Option<data::Images>| images.as_ref().map_or(0, data::Images::len);
    let found = [data.train.len(), n(&data.validation), n(&data.test)];
    assert_eq!(found, sizes, "{}", recipe.name);
    for device in [Some(Device::cpu()), super::gpu()].into_iter().flatten() {
        let mut trainer = Trainer::new(recipe.clone(), data.clone(), &device).unwrap();
        let mut listener = |_: Event<'_>| {};
        let outcome = trainer.run(&AtomicBool::new(false), &mut listener).unwrap();
        let Outcome::Finished(summary) = outcome else {
            panic!("nobody interrupts");
        };
        let name = (&recipe.name, device.name());
        assert_eq!(summary.steps, 2, "{name:?}");
        assert!(summary.train_loss.is_finite(), "{name:?}");
    }
    data
}

#[test]
fn keras_on_cifar10_from_its_archive_with_a_fifth_for_validation() {
    let dir = tempfile::tempdir().unwrap();
    write_cifar10(&dir.path().join("cifar-10-batches-py"), Python::Two, 2);
    pack(dir.path(), "cifar-10-batches-py", "cifar-10-python.tar.gz");
    // Scaled by 1/255 alone.
    let images = ImagesRecipe {
        mean: Some(vec![0.0; 3]),
        std: Some(vec![1.0; 3]),
        ..ImagesRecipe::default()
    };
    let mut recipe = recipe("keras-cifar10", dir.path(), images);
    recipe.validation = Some(ValidationKind::Percent(20.0));
    recipe.input_size = Some(SIDE.into());
    two_steps(recipe, [8, 2, 2]);
}

#[test]
fn pytorch_on_cifar100_resizes_twice_and_does_not_shuffle() {
    let dir = tempfile::tempdir().unwrap();
    write_cifar100(&dir.path().join("cifar-100-python"), Python::Two, 4);
    let images = ImagesRecipe {
        mean: Some(vec![0.4914, 0.4822, 0.4465]),
        std: Some(vec![0.2023, 0.1994, 0.2010]),
        resize_first: Some((SIDE + 3).into()),
        flip: true,
        ..ImagesRecipe::default()
    };
    let mut recipe = recipe("torch-cifar100", dir.path(), images);
    recipe.validation = Some(0.into());
    recipe.shuffle = false;
    recipe.input_size = Some(SIDE.into());
    let data = two_steps(recipe.clone(), [4, 0, 4]);
    assert_eq!(data.train.size(), [SIDE + 3; 2]);
    recipe.batch_size = 3;
    let batch = FirstBatch::new(&recipe, &data, &Device::cpu()).unwrap();
    assert_eq!(batch.shape, [3, SIDE, SIDE, 3]);
    assert_eq!(batch.images.labels(), [0, 1, 2], "in the file's order");
    // Every image is of one grey: what it becomes is known.
    let red = batch.channels[0];
    let expected = (2.0 / 255.0 - 0.4914) / 0.2023;
    assert!((red.max - expected).abs() < 1e-4, "{red:?}, {expected}");
}

#[test]
fn keras_on_flowers_with_folders_for_both_splits_by_the_nearest_pixel() {
    let dir = tempfile::tempdir().unwrap();
    for (split, n) in [("train", 4), ("val", 2)] {
        for (class, name) in ["daisy", "dandelion", "roses", "sunflowers", "tulips"]
            .iter()
            .enumerate()
        {
            for number in 0..n {
                let folder = dir.path().join(format!("flower_photos/{split}/{name}"));
                fs::create_dir_all(&folder).unwrap();
                let shade = u8::try_from(40 * class + number).unwrap();
                let image = image::RgbImage::from_fn(30, 20, |x, _| {
                    image::Rgb(if x < 15 { [0; 3] } else { [shade; 3] })
                });
                image.save(folder.join(format!("{number}.png"))).unwrap();
            }
        }
    }
    let images = ImagesRecipe {
        source_size: SIDE.into(),
        fit: FitKind::Stretch,
        interpolation: InterpolationKind::Nearest,
        mean: Some(vec![0.0; 3]),
        std: Some(vec![1.0; 3]),
        ..ImagesRecipe::default()
    };
    let mut recipe = recipe("flowers", dir.path(), images);
    recipe.input_size = Some(SIDE.into());
    let data = two_steps(recipe, [20, 10, 0]);
    // The nearest pixel is one that is there, never a mixture of two.
    let pixels = data.train.read_all().unwrap();
    let shades = |byte: &u8| *byte % 40 < 4;
    assert!(
        pixels.iter().all(shades),
        "stretched, with no colour between"
    );
}

#[test]
fn tensorflow_on_cifar10_validates_on_the_fifth_file() {
    let dir = tempfile::tempdir().unwrap();
    write_cifar10(&dir.path().join("cifar-10-batches-py"), Python::Two, 2);
    let images = ImagesRecipe {
        mean: Some(vec![0.0; 3]),
        std: Some(vec![1.0; 3]),
        ..ImagesRecipe::default()
    };
    let mut recipe = recipe("small-cifar10", dir.path(), images);
    recipe.validation = Some(ValidationKind::File("data_batch_5".to_owned()));
    recipe.batch_size = 4;
    let data = two_steps(recipe.clone(), [8, 2, 2]);
    let validation = data.validation.clone().unwrap().read_all().unwrap();
    assert_eq!(validation[0], 40, "of the fifth file");
    let trainer = Trainer::new(recipe, data, &Device::cpu()).unwrap();
    let resolved = trainer.recipe().to_toml().unwrap();
    assert!(
        resolved.contains("validation = \"data_batch_5\""),
        "run again, the same split"
    );
}

#[test]
fn pytorch_on_cifar10_crops_and_flips_all_50000() {
    let dir = tempfile::tempdir().unwrap();
    write_cifar10(&dir.path().join("cifar-10-batches-py"), Python::Two, 2);
    pack(dir.path(), "cifar-10-batches-py", "cifar-10-python.tar.gz");
    // Mean and standard deviation are those of the training images.
    let images = ImagesRecipe {
        crop: CropKind::Random,
        pad: 4,
        flip: true,
        ..ImagesRecipe::default()
    };
    let mut recipe = recipe("torch-cifar10", dir.path(), images);
    recipe.validation = Some(0.into());
    two_steps(recipe, [10, 0, 2]);
}
