//! Trained weights at work, without the trainer: the classes of an image of RGB bytes that is prepared already.
//!
//!     cargo run --release -p model --example 06_inference_only -- WEIGHTS.safetensors [PIXELS.rgb] [DEVICE]
//!
//! `PIXELS.rgb` has the network's height x width x 3 bytes; without it, a grey image is classified. `cargo build -p model`
//! builds neither a trainer nor a decoder of images.
#![expect(clippy::print_stdout, reason = "a program")]

use std::error::Error;
use std::path::Path;

use model::{Mode, Network};
use tensor::{Device, Tensor, no_grad};

/// The probability of each class, best first.
pub(crate) fn classify(
    network: &Network,
    bytes: &[u8],
) -> Result<Vec<(String, f32)>, Box<dyn Error>> {
    let [height, width, channels] = network.architecture().input();
    let unknown = || (vec![0.5; channels], vec![0.25; channels]);
    let known = network.preparation();
    let (mean, std) = known.map_or_else(unknown, |it| (it.mean.clone(), it.std.clone()));
    let normalised = |(i, byte): (usize, &u8)| {
        (f32::from(*byte) / 255.0 - mean[i % channels]) / std[i % channels]
    };
    let pixels: Vec<f32> = bytes.iter().enumerate().map(normalised).collect();
    let images = Tensor::from_slice(network.device(), &pixels, [1, height, width, channels])?;
    let probabilities = no_grad(|| network.forward(&images, Mode::Eval)?.softmax())?;
    let named = |(class, p): (usize, f32)| match network.class_names() {
        Some(names) => (names[class].clone(), p),
        None => (format!("class {class}"), p),
    };
    let mut answer: Vec<_> = probabilities
        .to_vec()?
        .into_iter()
        .enumerate()
        .map(named)
        .collect();
    answer.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(answer)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let weights = arguments
        .get(1)
        .ok_or("usage: 06_inference_only WEIGHTS [PIXELS [DEVICE]]")?;
    let device = Device::open(arguments.get(3).map_or("auto", String::as_str))
        .map_err(tensor::Error::from)?;
    let network = Network::open(Path::new(weights), &device)?;
    let size: usize = network.architecture().input().iter().product();
    let rgb = arguments
        .get(2)
        .map_or(Ok(vec![128; size]), std::fs::read)?;
    for (class, probability) in classify(&network, &rgb)?.iter().take(5) {
        println!("{probability:.4} {class}");
    }
    Ok(())
}
