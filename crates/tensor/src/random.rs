//! Tensors of random numbers, for initial weights: the same bits on every device and machine.

use kernels::Device;
pub use kernels::philox::Philox;

use crate::error::Result;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// A tensor of uniform numbers in `[low, high)`.
///
/// # Errors
/// If the device has no room.
pub fn uniform(
    device: &Device,
    shape: impl Into<Shape>,
    low: f32,
    high: f32,
    source: Philox,
) -> Result<Tensor> {
    let shape = shape.into();
    let mut values = vec![0.0; shape.elements()];
    source.fill_uniform(low, high, &mut values);
    Tensor::from_slice(device, &values, shape)
}

/// A tensor of normal numbers of mean 0.
///
/// # Errors
/// If the device has no room.
pub fn normal(
    device: &Device,
    shape: impl Into<Shape>,
    deviation: f32,
    source: Philox,
) -> Result<Tensor> {
    let shape = shape.into();
    let mut values = vec![0.0; shape.elements()];
    source.fill_normal(0.0, deviation, &mut values);
    Tensor::from_slice(device, &values, shape)
}
