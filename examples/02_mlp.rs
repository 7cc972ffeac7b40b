//! Two dense layers that learn XOR, from tensors and an optimizer alone:
//!
//!     cargo run --release -p train --example 02_mlp -- [DEVICE]
#![expect(clippy::print_stdout, reason = "a program")]

use tensor::ops::cross_entropy::CrossEntropy;
use tensor::ops::elementwise::full;
use tensor::random::{Philox, normal};
use tensor::{Activation, Device, Result, Tensor};
use train::optim::{Adam, Optimizer};

/// The classes that the trained network gives to 00, 01, 10 and 11, and its last loss.
pub(crate) fn train(device: &Device) -> Result<(Vec<u32>, f32)> {
    let x = Tensor::from_slice(
        device,
        &[0.0_f32, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0],
        [4, 2],
    )?;
    let labels = Tensor::from_slice(device, &[0_u32, 1, 1, 0], [4])?;
    let random = |name: &str, stream, shape: [usize; 2]| -> Result<(String, Tensor)> {
        let source = Philox {
            seed: 1,
            stream,
            step: 0,
        };
        let values = normal(device, shape, 0.5, source)?;
        Ok((name.to_owned(), values.into_parameter()))
    };
    let parameters = [
        random("hidden.weight", 0, [2, 16])?,
        (
            "hidden.bias".to_owned(),
            full(device, [16], 0.0)?.into_parameter(),
        ),
        random("output.weight", 1, [16, 2])?,
        (
            "output.bias".to_owned(),
            full(device, [2], 0.0)?.into_parameter(),
        ),
    ];
    let [w1, b1, w2, b2] = parameters.each_ref().map(|(_, tensor)| tensor);
    let forward = || {
        let hidden = x.linear(w1, Some(b1), Activation::Relu)?;
        hidden.linear(w2, Some(b2), Activation::None)
    };

    let mut optimizer = Optimizer::new(&parameters, Adam::default())?;
    let mut last = 0.0;
    for _ in 0..200 {
        let loss = forward()?.cross_entropy(&labels, &CrossEntropy::default())?;
        optimizer.step(&loss.backward()?, 0.05)?;
        last = loss.to_vec::<f32>()?[0];
    }
    let (_, classes) = forward()?.top_k(1)?;
    Ok((classes.to_vec()?, last))
}

fn main() -> Result<()> {
    let name = std::env::args().nth(1);
    let device = Device::open(name.as_deref().unwrap_or("auto"))?;
    println!("{:?}", train(&device)?);
    Ok(())
}
