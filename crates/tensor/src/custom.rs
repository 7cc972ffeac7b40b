//! Operators of a program's own: a WGSL kernel with its native twin, launched on tensors, and a gradient rule for the tape.
//!
//! `examples/05_own_operator.rs` has a whole one; [`crate::gradcheck::gradcheck`] checks its rule.

use kernels::{CpuArgs, CustomKernel, CustomParams};

use crate::error::Result;
use crate::shape::Shape;
use crate::tensor::{DType, Tensor};

/// A kernel whose operands are f32 and which computes one tensor.
///
/// What its WGSL looks like says [`CustomKernel`].
#[derive(Clone, Copy, Debug)]
pub struct Custom(CustomKernel);

impl Custom {
    /// The entry point `entry` of `wgsl`, and its twin: the CPU device's way to the same numbers.
    #[must_use]
    pub const fn new(
        entry: &'static str,
        wgsl: &'static str,
        twin: fn(&CustomParams, CpuArgs<'_>),
    ) -> Self {
        Self(CustomKernel::new(entry, wgsl, twin))
    }

    /// Computes a tensor of `shape` from `reads`, without a tape: with at least one invocation for each of its elements.
    /// Floats among the parameters are given by [`f32::to_bits`].
    ///
    /// # Errors
    /// If `reads` is empty, its elements are not f32 or on several devices; else as [`CustomKernel::launch`].
    pub fn run(
        &self,
        params: &[u32],
        reads: &[&Tensor],
        shape: impl Into<Shape>,
    ) -> Result<Tensor> {
        let (op, shape) = (self.0.entry(), shape.into());
        let Some(first) = reads.first() else {
            return Err(kernels::Error::argument(op, "reads", "a tensor at least", "none").into());
        };
        for read in reads {
            read.check_dtype(op, "reads", DType::F32)?;
            read.check_device(op, "reads", first)?;
        }
        let (device, elements) = (first.device(), shape.elements());
        let y = device.alloc(elements)?;
        let buffers: Vec<_> = reads.iter().map(|read| read.buffer()).collect();
        self.0.launch(device, params, &buffers, &[&y], elements)?;
        Ok(Tensor::constant(device, y, shape))
    }
}

impl Tensor {
    /// This tensor, which was computed from `inputs`, with a gradient rule for the tape: from the gradient of this tensor to
    /// those of the inputs, in their order; `None` where there is none. `op` names the operator.
    ///
    /// What the rule needs it captures, of the inputs by [`Tensor::detach`], so that it does not hold on to their tape.
    ///
    /// # Errors
    /// If this tensor is not of floats, or there is no input, or one on another device.
    pub fn with_rule(
        &self,
        op: &'static str,
        inputs: &[&Self],
        rule: impl Fn(&Self) -> Result<Vec<Option<Self>>> + Send + Sync + 'static,
    ) -> Result<Self> {
        self.check_float(op, "output")?;
        if inputs.is_empty() {
            return Err(kernels::Error::argument(op, "inputs", "a tensor at least", "none").into());
        }
        for input in inputs {
            input.check_device(op, "input", self)?;
        }
        let (buffer, shape) = (self.buffer().clone(), self.shape().clone());
        Ok(Self::output(op, buffer, shape, inputs, rule))
    }
}
