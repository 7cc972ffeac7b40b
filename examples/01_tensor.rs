//! Tensors on any device, and gradients:
//!
//!     cargo run --release -p tensor --example 01_tensor -- [DEVICE]
#![expect(clippy::print_stdout, reason = "a program")]

use tensor::{Device, Result, Tensor};

/// The slope of `sum (x w)^2` at `w`: `2 x^T x w`.
pub(crate) fn slope(device: &Device) -> Result<Vec<f32>> {
    let x = Tensor::from_slice(device, &[1.0_f32, 2.0, 3.0, 4.0], [2, 2])?;
    let w = Tensor::from_slice(device, &[0.5_f32, -1.0], [2, 1])?.into_parameter();
    let loss = x.matmul(&w)?.square_sum()?;
    let gradients = loss.backward()?;
    gradients.get(&w).map_or(Ok(Vec::new()), Tensor::to_vec)
}

fn main() -> Result<()> {
    let name = std::env::args().nth(1);
    let device = Device::open(name.as_deref().unwrap_or("auto")).map_err(tensor::Error::from)?;
    println!("{}: {:?}", device.name(), slope(&device)?);
    Ok(())
}
