//! A network of your own on your own images, a folder for each class. `alexnet predict RUN image.jpg` opens the run too.
//!
//!     cargo run --release -p report --example 03_custom_network -- IMAGES RUN [DEVICE]
#![expect(clippy::print_stdout, reason = "a program")]

use std::path::Path;

use model::layers::{AvgPoolTo, BatchNorm, Conv2d, Dense, Flatten, MaxPool, Module, Relu};
use model::{Architecture, Format, Layer};
use tensor::Device;
use train::{Event, Recipe, RunDir, Trainer};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Three convolutions with batch norm, and one dense layer on the mean of each channel.
fn layers(classes: usize) -> Vec<Layer> {
    let mut layers = Vec::new();
    for filters in [32, 64, 128] {
        layers.extend([
            Conv2d::new(filters, 3).same().into(),
            BatchNorm::new().into(),
            Relu::new().into(),
            MaxPool::new(2, 2).into(),
        ]);
    }
    layers.extend([AvgPoolTo::global().into(), Flatten::new().into()]);
    layers.push(Dense::new(classes).named("logits"));
    layers
}

/// Trains on the folder `images`, and leaves `run`, `run/report.html` and `run/mine.onnx`.
pub(crate) fn train(images: &Path, run: &Path, device: &Device) -> Result<Trainer> {
    let recipe = Recipe::for_dataset(&images.to_string_lossy())?;
    let mut recipe = recipe.with_settings(&["input_size=64", "images.source_size=72"])?;
    (recipe.epochs, recipe.batch_size) = (10, 16);
    let data = recipe.open_data(false, &mut |_| {})?;
    let network = Architecture::from_layers("mine", [64, 64, 3], layers(data.class_names().len()))?;
    print!("{}", network.summary());
    let mut trainer = Trainer::with_network(recipe, network, data, device)?;
    trainer.save_to(RunDir::create(run, trainer.recipe())?)?;
    trainer.run(&false.into(), &mut |event: Event<'_>| {
        if let Event::Epoch(row) = event {
            println!("{row:?}");
        }
    })?;
    report::write_report(run)?;
    let onnx = run.join("mine.onnx");
    trainer.network().export(Format::Onnx, None, &onnx)?;
    Ok(trainer)
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, images, run, device @ ..] = &arguments[..] else {
        return Err("usage: 03_custom_network IMAGES RUN [DEVICE]".into());
    };
    let device = Device::open(device.first().map_or("auto", String::as_str))?;
    train(Path::new(images), Path::new(run), &device).map(drop)
}
