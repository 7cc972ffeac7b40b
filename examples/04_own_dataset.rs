//! A data set of your own: grey, oblong images that this program makes, each of stripes that lie, stand or slant. Images read
//! by your code, from any format, would come the same way.
//!
//!     cargo run --release -p train --example 04_own_dataset -- RUN [DEVICE]
#![expect(clippy::print_stdout, reason = "a program")]

use std::path::Path;

use data::{DataSet, Images};
use model::layers::{AvgPoolTo, Conv2d, Dense, Flatten, Module};
use tensor::Device;
use train::{Event, OptimizerRecipe, Outcome, RunDir, Trainer};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const SHAPE: [usize; 3] = [20, 28, 1]; // rows, columns, channels

/// `n` images, which are made anew each time one is asked for. Image `index` has the class `index % 3`.
fn images(n: u32, seed: usize) -> Result<Images> {
    let names = ["lying", "standing", "slanting"].map(str::to_owned);
    let labels = (0..n).map(|index| index % 3).collect();
    let images = Images::from_fn(SHAPE, labels, names.to_vec(), move |index, pixels| {
        let (phase, class) = ((index * 7 + seed) % 11, index % 3);
        for (at, pixel) in pixels.iter_mut().enumerate() {
            let (row, column) = (at / SHAPE[1], at % SHAPE[1]);
            let across = [row, column, row + column][class];
            let noise = [0, 24, 9, 33, 15, 2, 28][(at * 31 + index * 17 + seed) % 7];
            *pixel = if (across + phase) % 6 < 3 { 190 } else { 20 } + noise;
        }
    });
    Ok(images?)
}

/// Trains a small network on them, and leaves `run`. Gives the share of test images that it gets right.
pub(crate) fn train(run: &Path, device: &Device) -> Result<f64> {
    let data = DataSet::new("stripes", images(600, 0)?);
    let data = data.with_validation(60, 0)?.with_test(images(90, 5)?)?;
    let layers = vec![
        Conv2d::new(16, 5).stride(2).relu().into(),
        Conv2d::new(32, 3).relu().into(),
        AvgPoolTo::global().into(),
        Flatten::new().into(),
        Dense::new(3).named("logits"),
    ];
    let trainer = Trainer::builder(data).layers("stripes-net", layers)?;
    let trainer = trainer.optimizer(OptimizerRecipe::adam(0.003)).epochs(4);
    let mut trainer = trainer.batch_size(32).build(device)?;
    trainer.save_to(RunDir::create(run, trainer.recipe())?)?;
    match trainer.run(&false.into(), &mut |_: Event<'_>| {})? {
        Outcome::Finished(summary) => Ok(summary.test_accuracy.unwrap_or_default()),
        Outcome::Interrupted { .. } => Err("stopped".into()),
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let run = arguments.first().ok_or("usage: RUN [DEVICE]")?;
    let device = Device::open(arguments.get(1).map_or("auto", String::as_str))?;
    train(Path::new(run), &device).map(|right| println!("{right:.3} of the test images are right"))
}
