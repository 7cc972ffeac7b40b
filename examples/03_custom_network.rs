//! A network of your own on your own pictures, with its report and its ONNX file:
//!
//!     cargo run --release -p report --example 03_custom_network -- PICTURES RUN [DEVICE]
//!
//! `PICTURES` has a folder for each class. The `alexnet` program opens the run too: `alexnet predict RUN picture.jpg`.
#![expect(clippy::print_stdout, reason = "a program")]

use std::error::Error;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use train::model::layers::{
    AvgPoolTo, BatchNorm, Conv2d, Dense, Flatten, MaxPool, Module as _, Relu,
};
use train::model::{Architecture, Format, Layer};
use train::{Device, Event, Recipe, RunDir, Trainer};

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
    layers.extend([
        AvgPoolTo::global().into(),
        Flatten::new().into(),
        Dense::new(classes).named("logits"),
    ]);
    layers
}

/// Trains on the folder `pictures`, and leaves `run`, `run/report.html` and `run/mine.onnx`.
pub(crate) fn train(
    pictures: &Path,
    run: &Path,
    device: &Device,
) -> Result<Trainer, Box<dyn Error>> {
    let recipe = Recipe::for_dataset(&pictures.to_string_lossy())?;
    let recipe = recipe.with_settings(&[
        "input_size=64",
        "images.source_size=72",
        "epochs=10",
        "batch_size=16",
    ])?;
    let data = recipe.open_data(false, &mut |_| {})?;
    let network = Architecture::from_layers("mine", [64, 64, 3], layers(data.class_names().len()))?;
    print!("{}", network.summary());

    let mut trainer = Trainer::with_network(recipe, network, data, device)?;
    trainer.save_to(RunDir::create(run, trainer.recipe())?)?;
    trainer.run(&AtomicBool::new(false), &mut |event: Event<'_>| {
        if let Event::Epoch(row) = event {
            println!(
                "epoch {} loss {:.4} accuracy {:?}",
                row.epoch, row.train_loss, row.val_accuracy
            );
        }
    })?;
    report::write_report(run)?;
    trainer
        .network()
        .export(Format::Onnx, None, &run.join("mine.onnx"))?;
    Ok(trainer)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, pictures, run, device @ ..] = &arguments[..] else {
        return Err("usage: 03_custom_network PICTURES RUN [DEVICE]".into());
    };
    let device = Device::open(device.first().map_or("auto", String::as_str))?;
    train(Path::new(pictures), Path::new(run), &device).map(drop)
}
