//! Every built-in recipe trains two steps and evaluates, on tiny made-up data in the format of its own data set, on both
//! devices.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use data::{Cifar, DataSet};
use image::{Rgb, RgbImage};
use tensor::Device;
use train::{Event, Outcome, Recipe, Trainer};

/// Images of a batch: the 227x227 networks are heavy for a software rasteriser.
const BATCH: usize = 2;

/// A byte that no network can guess.
fn noise(place: usize) -> u8 {
    let word = u32::try_from(place).unwrap().wrapping_mul(2_654_435_761);
    (word ^ (word >> 15))
        .wrapping_mul(2_246_822_519)
        .to_be_bytes()[1]
}

/// Files of CIFAR's binary format: `label_bytes` of label, then three planes of 32x32.
fn write_records(path: &Path, records: usize, label_bytes: usize, classes: usize) {
    let mut bytes = Vec::new();
    for record in 0..records {
        for _ in 0..label_bytes {
            bytes.push(u8::try_from(record % classes).unwrap());
        }
        bytes.extend((0..3072).map(|place| noise(3072 * record + place)));
    }
    fs::write(path, bytes).unwrap();
}

fn write_names(path: &Path, classes: usize) {
    let names: Vec<String> = (0..classes)
        .map(|class| format!("class{class}\n"))
        .collect();
    fs::write(path, names.concat()).unwrap();
}

fn cifar10(root: &Path) -> DataSet {
    write_names(&root.join("batches.meta.txt"), 10);
    for batch in 1..=5 {
        let path = root.join(format!("data_batch_{batch}.bin"));
        write_records(&path, 2, 1, 10);
    }
    write_records(&root.join("test_batch.bin"), 3, 1, 10);
    Cifar::ten().with_records(2, 3).read(root).unwrap()
}

fn cifar100(root: &Path) -> DataSet {
    write_names(&root.join("fine_label_names.txt"), 100);
    write_records(&root.join("train.bin"), 10, 2, 100);
    write_records(&root.join("test.bin"), 3, 2, 100);
    Cifar::hundred_fine()
        .with_records(10, 3)
        .read(root)
        .unwrap()
}

/// `n` images in each of these folders, of other shapes, as JPEG and as PNG in turn.
fn images(folders: &[&Path], n: usize) {
    for (idx, folder) in folders.iter().enumerate() {
        fs::create_dir_all(folder).unwrap();
        for number in 0..n {
            let (width, height) = (40 + 7 * u32::try_from(number).unwrap(), 52);
            let image = RgbImage::from_fn(width, height, |x, y| {
                let place = 1000 * (number + 10 * idx) + usize::try_from(width * y + x).unwrap();
                Rgb([noise(place), noise(place + 1), noise(place + 2)])
            });
            let format = ["jpg", "png"][number % 2];
            image
                .save(folder.join(format!("{number}.{format}")))
                .unwrap();
        }
    }
}

/// The data of a recipe: CIFAR's records from files shorter than the published ones, images as the recipe opens them.
fn open(recipe: &mut Recipe, root: &Path) -> DataSet {
    recipe.runtime.data_dir = Some(root.to_str().unwrap().to_owned());
    match recipe.dataset.as_str() {
        "cifar10" => return cifar10(root).with_validation(4, 0).unwrap(),
        "cifar100" => return cifar100(root).with_validation(4, 0).unwrap(),
        "flowers" => {
            let names = ["daisy", "dandelion", "roses", "sunflowers", "tulips"];
            let folders = names.map(|name| root.join("flower_photos").join(name));
            images(&folders.each_ref().map(|folder| folder.as_path()), 2);
        }
        "imagenet" => {
            for split in ["train", "val"] {
                let folder = root.join("imagenet").join(split);
                let classes = ["n01440764", "n01443537"].map(|class| folder.join(class));
                images(&classes.each_ref().map(|folder| folder.as_path()), 2);
            }
        }
        "shapes10" => {}
        _ => {
            let classes = ["cats", "dogs", "mice"].map(|class| root.join("mine").join(class));
            images(&classes.each_ref().map(|folder| folder.as_path()), 2);
            recipe.dataset = root.join("mine").to_str().unwrap().to_owned();
        }
    }
    recipe.open_data(false, &mut |_| {}).unwrap()
}

fn two_steps(mut recipe: Recipe, device: &Device) {
    let root = tempfile::tempdir().unwrap();
    let data = open(&mut recipe, root.path());
    (recipe.epochs, recipe.batch_size, recipe.limit) = (1, BATCH, Some(2 * BATCH));
    let what = format!("{} on {}", recipe.name, device.name());
    let mut trainer = Trainer::new(recipe, data, device).expect(&what);
    let mut losses = Vec::new();
    let outcome = trainer.run(&AtomicBool::new(false), &mut |event: Event<'_>| {
        if let Event::Step(step) = event {
            losses.push(step.loss);
        }
    });
    let Outcome::Finished(summary) = outcome.expect(&what) else {
        unreachable!("nobody has asked it to stop")
    };
    assert_eq!((summary.steps, losses.len()), (2, 2), "{what}");
    // Two steps at full rate on two images may take it anywhere, but to no broken number.
    let is_sane = |loss: f64| loss > 0.0 && loss.is_finite();
    assert!(
        losses.iter().all(|&loss| is_sane(loss)),
        "{what}: {losses:?}"
    );
    let others = [summary.val_loss, summary.test_loss];
    let has_one = others.iter().flatten().count() > 0;
    assert!(
        has_one && others.into_iter().flatten().all(is_sane),
        "{what}: {others:?}"
    );
    let again = trainer.recipe().to_toml().unwrap();
    let again = Recipe::parse(&again, Path::new("config.toml")).unwrap();
    assert_eq!(again, *trainer.recipe(), "{what}: config.toml");
}

#[test]
fn every_recipe_trains_two_steps_on_the_cpu() {
    for recipe in Recipe::built_in().unwrap() {
        two_steps(recipe, &Device::cpu());
    }
}

#[test]
fn every_recipe_trains_two_steps_on_a_gpu() {
    let Some(gpu) = super::gpu() else { return };
    for recipe in Recipe::built_in().unwrap() {
        two_steps(recipe, &gpu);
    }
}
