//! Makes a network of its own with `model` alone, writes its weights, opens them again and compares, on the CPU device or on
//! the one named as the first argument (`cargo run -- gpu`).

use std::error::Error;

use model::layers::{AvgPoolTo, Conv2d, Dense, Flatten, MaxPool, Module as _};
use model::{Architecture, Format, Mode, Network};
use tensor::{Device, Tensor};

fn main() -> Result<(), Box<dyn Error>> {
    let device = match std::env::args().nth(1) {
        Some(name) => Device::open(&name)?,
        None => Device::cpu(),
    };
    let layers = vec![
        Conv2d::new(8, 5).stride(2).relu().named("conv1"),
        MaxPool::new(2, 2).into(),
        AvgPoolTo::global().into(),
        Flatten::new().into(),
        Dense::new(10).named("logits"),
    ];
    let architecture = Architecture::from_layers("mine", [28, 28, 1], layers)?;
    let network = Network::new(architecture, 1, &device)?;

    let path = std::env::temp_dir().join(format!("model-alone-{}.safetensors", std::process::id()));
    network.export(Format::Safetensors, None, &path)?;
    let again = Network::open(&path, &device)?;
    std::fs::remove_file(&path)?;

    let pixels: Vec<f32> = (0..28 * 28)
        .map(|i| f32::from(i as u16 % 17) / 17.0)
        .collect();
    let images = Tensor::from_slice(&device, &pixels, [1, 28, 28, 1])?;
    let [logits, others] = [&network, &again].map(|it| it.forward(&images, Mode::Eval));
    let (logits, others): (Vec<f32>, Vec<f32>) = (logits?.to_vec()?, others?.to_vec()?);
    assert_eq!(logits, others, "the weights that were written");
    for (format, feature) in [(Format::Onnx, "onnx"), (Format::Keras, "keras")] {
        let error = network.export(format, None, &path).unwrap_err().to_string();
        assert!(error.contains(feature), "{error}");
    }
    println!("on {}: {logits:?}", device.name());
    Ok(())
}
