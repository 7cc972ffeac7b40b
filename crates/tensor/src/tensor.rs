//! The tensor: a device buffer with a shape, and where it came from.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kernels::{Buffer, Device, Width};

use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::tape::{Node, Rule, is_recording};

/// What a tensor's elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DType {
    /// 32-bit floats.
    F32,
    /// 16-bit floats, on a GPU that has them: activations and their gradients in mixed precision.
    F16,
    /// 32-bit words: labels, positions.
    U32,
    /// Bytes, four in a word: pixels.
    U8,
}

impl DType {
    const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::U32 => "u32",
            Self::U8 => "u8",
        }
    }

    const fn per_word(self) -> usize {
        if matches!(self, Self::U8) { 4 } else { 1 }
    }

    /// How wide the elements of a buffer of these are.
    pub(crate) const fn width(self) -> Width {
        match self {
            Self::F16 => Width::F16,
            Self::F32 | Self::U32 | Self::U8 => Width::Word,
        }
    }

    /// The floats of a width.
    const fn float(width: Width) -> Self {
        match width {
            Width::F16 => Self::F16,
            Width::Word => Self::F32,
        }
    }
}

/// A Rust type that tensors can be made of.
pub trait WithDType: kernels::Pod {
    /// The element it is.
    const DTYPE: DType;
}

impl WithDType for f32 {
    const DTYPE: DType = DType::F32;
}

impl WithDType for u32 {
    const DTYPE: DType = DType::U32;
}

impl WithDType for u8 {
    const DTYPE: DType = DType::U8;
}

/// A device buffer with a shape. Cheap to clone: clones share memory and gradient.
#[derive(Clone)]
pub struct Tensor(Arc<Inner>);

struct Inner {
    id: u64,
    device: Device,
    buffer: Buffer,
    shape: Shape,
    dtype: DType,
    is_parameter: bool,
    node: Option<Node>,
}

/// Numbers tensors in the order they are made, so that a larger id never is an input of a smaller one.
fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Tensor {
    /// A tensor with a copy of `data`.
    ///
    /// # Errors
    /// If `data` does not fill `shape`, or the device has no room.
    pub fn from_slice<T: WithDType>(
        device: &Device,
        data: &[T],
        shape: impl Into<Shape>,
    ) -> Result<Self> {
        let shape = shape.into();
        if shape.elements() != data.len() {
            let expected = format!("of {} elements", data.len());
            return Err(Error::shape("from_slice", "shape", expected, &shape));
        }
        Ok(Self::leaf(device, device.upload(data)?, shape, T::DTYPE))
    }

    /// A tensor of `shape` with unspecified contents.
    ///
    /// # Errors
    /// If the device has no room.
    pub fn empty(device: &Device, shape: impl Into<Shape>, dtype: DType) -> Result<Self> {
        let shape = shape.into();
        let len = shape.elements().div_ceil(dtype.per_word());
        let buffer = device.alloc_as(dtype.width(), len)?;
        Ok(Self::leaf(device, buffer, shape, dtype))
    }

    /// A tensor around a kernel's output, without a tape.
    pub(crate) fn leaf(device: &Device, buffer: Buffer, shape: Shape, dtype: DType) -> Self {
        Self(Arc::new(Inner {
            id: next_id(),
            device: device.clone(),
            buffer,
            shape,
            dtype,
            is_parameter: false,
            node: None,
        }))
    }

    /// A float tensor around a kernel's output, without a tape.
    pub(crate) fn constant(device: &Device, buffer: Buffer, shape: impl Into<Shape>) -> Self {
        let dtype = DType::float(buffer.width());
        Self::leaf(device, buffer, shape.into(), dtype)
    }

    /// A tensor of words around a kernel's output.
    pub(crate) fn words(device: &Device, buffer: Buffer, shape: impl Into<Shape>) -> Self {
        Self::leaf(device, buffer, shape.into(), DType::U32)
    }

    /// A float tensor around a kernel's output that remembers `rule`, if an input leads to a parameter and recording is on.
    ///
    /// `rule` gets the output's gradient and returns one for each of `inputs`, `None` where none is needed.
    pub(crate) fn output(
        op: &'static str,
        buffer: Buffer,
        shape: impl Into<Shape>,
        inputs: &[&Self],
        rule: impl Fn(&Self) -> Result<Vec<Option<Self>>> + Send + Sync + 'static,
    ) -> Self {
        let device = inputs[0].device().clone();
        let records = is_recording() && inputs.iter().any(|input| input.requires_grad());
        let node = records.then(|| Node {
            op,
            inputs: inputs.iter().map(|&input| input.clone()).collect(),
            rule: Box::new(rule) as Rule,
        });
        Self(Arc::new(Inner {
            id: next_id(),
            device,
            dtype: DType::float(buffer.width()),
            buffer,
            shape: shape.into(),
            is_parameter: false,
            node,
        }))
    }

    /// This tensor as a parameter: backward gives its gradient. The tape behind it is cut.
    #[must_use]
    pub fn into_parameter(self) -> Self {
        self.with_inner(true, None, self.0.shape.clone())
    }

    /// This tensor's values without its tape.
    #[must_use]
    pub fn detach(&self) -> Self {
        self.with_inner(false, None, self.0.shape.clone())
    }

    /// The same elements in another shape; the gradient follows.
    ///
    /// # Errors
    /// If the shapes differ in elements.
    pub fn reshape(&self, shape: impl Into<Shape>) -> Result<Self> {
        let shape = shape.into();
        if shape.elements() != self.0.shape.elements() {
            return Err(Error::shape(
                "reshape",
                "shape",
                format!("of as many elements as {}", self.0.shape),
                &shape,
            ));
        }
        let before = self.0.shape.clone();
        let node = (is_recording() && self.requires_grad()).then(|| Node {
            op: "reshape",
            inputs: vec![self.clone()],
            rule: Box::new(move |dy: &Self| Ok(vec![Some(dy.reshape(before.clone())?)])) as Rule,
        });
        Ok(self.with_inner(false, node, shape))
    }

    fn with_inner(&self, is_parameter: bool, node: Option<Node>, shape: Shape) -> Self {
        Self(Arc::new(Inner {
            id: next_id(),
            device: self.0.device.clone(),
            buffer: self.0.buffer.clone(),
            shape,
            dtype: self.0.dtype,
            is_parameter,
            node,
        }))
    }

    /// The sizes of the dimensions.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.0.shape
    }

    /// What the elements are.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.0.dtype
    }

    /// Where the tensor is.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.0.device
    }

    /// The device memory.
    #[must_use]
    pub fn buffer(&self) -> &Buffer {
        &self.0.buffer
    }

    /// Whether backward reaches a parameter from here.
    #[must_use]
    pub fn requires_grad(&self) -> bool {
        self.0.is_parameter || self.0.node.is_some()
    }

    pub(crate) fn id(&self) -> u64 {
        self.0.id
    }

    pub(crate) fn node(&self) -> Option<&Node> {
        self.0.node.as_ref()
    }

    pub(crate) fn is_parameter(&self) -> bool {
        self.0.is_parameter
    }

    /// Copies the elements to the host.
    ///
    /// # Errors
    /// If the elements are of another type, or the device fails.
    pub fn to_vec<T: WithDType>(&self) -> Result<Vec<T>> {
        self.check_dtype("to_vec", "self", T::DTYPE)?;
        let mut elements = self.0.device.read::<T>(&self.0.buffer)?;
        elements.truncate(self.0.shape.elements());
        Ok(elements)
    }

    /// Overwrites the elements, for all that share the memory: a new batch, loaded weights.
    ///
    /// # Errors
    /// If `data` has another length or type, a step is being captured, or the device fails.
    pub fn write<T: WithDType>(&self, data: &[T]) -> Result<()> {
        self.check_dtype("write", "self", T::DTYPE)?;
        if data.len() != self.0.shape.elements() {
            return Err(Error::shape(
                "write",
                "self",
                format!("of {} elements", data.len()),
                &self.0.shape,
            ));
        }
        Ok(self.0.device.write(&self.0.buffer, data)?)
    }

    /// Overwrites the elements from `first` on with `data`: a large tensor in pieces. Pieces begin and end at multiples of
    /// 256 bytes, or with the tensor.
    ///
    /// # Errors
    /// As [`Tensor::write`], or if the piece begins or ends elsewhere.
    pub fn write_from<T: WithDType>(&self, first: usize, data: &[T]) -> Result<()> {
        self.check_dtype("write", "self", T::DTYPE)?;
        let elements = self.0.shape.elements();
        let end = first.saturating_add(data.len());
        let [begins_well, ends_well] =
            [first, end].map(|at| at.saturating_mul(size_of::<T>()).is_multiple_of(256));
        if end > elements || !begins_well || !(ends_well || end == elements) {
            let expected = format!("with a piece {first}..{end} between multiples of 256 bytes");
            return Err(Error::shape("write", "self", expected, &self.0.shape));
        }
        let words = first * size_of::<T>() / 4..self.0.buffer.len();
        Ok(self.0.device.write(&self.0.buffer.slice(words)?, data)?)
    }

    /// An error unless the elements are `expected`.
    pub(crate) fn check_dtype(
        &self,
        op: &'static str,
        argument: &'static str,
        expected: DType,
    ) -> Result<()> {
        if self.0.dtype == expected {
            return Ok(());
        }
        Err(Error::DType {
            op,
            argument,
            expected: expected.name(),
            got: self.0.dtype.name(),
        })
    }

    /// An error unless the elements are floats, of either width.
    pub(crate) fn check_float(&self, op: &'static str, argument: &'static str) -> Result<()> {
        if self.0.dtype == DType::F16 {
            return Ok(());
        }
        self.check_dtype(op, argument, DType::F32)
    }

    /// An error unless the tensor is on the device of `first`.
    pub(crate) fn check_device(
        &self,
        op: &'static str,
        argument: &'static str,
        first: &Self,
    ) -> Result<()> {
        if self.0.device.is_same(&first.0.device) {
            return Ok(());
        }
        Err(Error::Device {
            op,
            argument,
            expected: first.0.device.name().to_owned(),
            got: self.0.device.name().to_owned(),
        })
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tensor")
            .field("shape", &self.0.shape)
            .field("dtype", &self.0.dtype)
            .field("device", &self.0.device.name())
            .field("is_parameter", &self.0.is_parameter)
            .field("op", &self.0.node.as_ref().map(|node| node.op))
            .finish_non_exhaustive()
    }
}

impl Drop for Inner {
    /// Takes long tapes apart in a loop: dropping them input by input would recurse once per operation.
    fn drop(&mut self) {
        let mut inputs = self.node.take().map(|node| node.inputs).unwrap_or_default();
        while let Some(Tensor(input)) = inputs.pop() {
            if let Some(mut inner) = Arc::into_inner(input)
                && let Some(node) = inner.node.take()
            {
                inputs.extend(node.inputs);
            }
        }
    }
}
