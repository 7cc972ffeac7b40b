//! Random numbers: tensors of them, for initial weights, the same bits on every device and machine; and [`Rng`], from which
//! operators draw in every step anew.

use kernels::Device;
pub use kernels::philox::Philox;

use crate::error::Result;
use crate::shape::Shape;
use crate::tensor::Tensor;
use crate::update::StepBuffer;

/// Where an operator draws its random numbers: one stream of a training step's.
///
/// The numbers are a function of the step's seed and number, the stream, and the place in the tensor. Operators that draw from
/// one stream in one step get the same numbers, so each has a stream of its own; in the next step, whose number
/// [`StepBuffer::write`] sets, all draw others.
///
/// ```
/// use tensor::update::{StepBuffer, StepScalars};
/// use tensor::{Device, Tensor};
///
/// let device = Device::cpu();
/// let step = StepBuffer::new(&device, &StepScalars::new(42, 1, 0.1))?;
/// let x = Tensor::ones(&device, [2, 3])?;
/// let once = x.dropout(0.5, &step.rng(0))?.dropout(0.5, &step.rng(1))?;
/// # Ok::<(), tensor::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rng {
    step: StepBuffer,
    stream: u32,
}

impl Rng {
    pub(crate) fn new(step: StepBuffer, stream: u32) -> Self {
        Self { step, stream }
    }

    /// The same step's numbers in another stream.
    #[must_use]
    pub fn stream(&self, stream: u32) -> Self {
        Self::new(self.step.clone(), stream)
    }

    pub(crate) fn number(&self) -> u32 {
        self.stream
    }

    pub(crate) fn step(&self) -> &Tensor {
        self.step.tensor()
    }
}

impl Tensor {
    /// A tensor of standard normal numbers: mean 0, variance 1.
    ///
    /// # Errors
    /// If the device has no room.
    pub fn randn(device: &Device, shape: impl Into<Shape>, source: Philox) -> Result<Self> {
        normal(device, shape, 1.0, source)
    }
}

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
    std: f32,
    source: Philox,
) -> Result<Tensor> {
    let shape = shape.into();
    let mut values = vec![0.0; shape.elements()];
    source.fill_normal(0.0, std, &mut values);
    Tensor::from_slice(device, &values, shape)
}
