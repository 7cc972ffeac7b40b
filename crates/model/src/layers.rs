//! The layers that networks are lists of: one file each, and [`Module`] for those of your own.
//!
//! A module is a description, as in Flax: it says which shape it makes and which parameters it needs. The weights are made by
//! [`crate::Network::new`], kept there by name, and handed to [`Module::forward`].

mod context;
mod file;
mod parameter;
mod window;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use tensor::{Shape, Tensor};

pub use context::Context;
pub use parameter::{Fans, Parameter};

pub(crate) use file::{compute_the_same, from_json, to_json};

/// Declares each layer's file, makes its type public, and lists it among those that weight files can hold.
macro_rules! layers {
    ($($file:ident::$layer:ident = $kind:literal,)+) => {
        $(
            mod $file;
            pub use $file::$layer;
        )+

        /// The layers that weight files can hold.
        const KINDS: &[file::Kind] = &[$(file::Kind::of::<$layer>($kind)),+];
    };
}

// A layer's file, its type, and its kind as weight files have it. `cargo fmt` does not see these files; `cargo xtask test` does.
layers! {
    avg_pool::AvgPool = "windowed average-pool",
    avg_pool_to::AvgPoolTo = "average-pool",
    batch_norm::BatchNorm = "batch norm",
    conv2d::Conv2d = "convolution",
    dense::Dense = "dense",
    dropout::Dropout = "dropout",
    flatten::Flatten = "flatten",
    gelu::Gelu = "GELU",
    global_avg_pool::GlobalAvgPool = "global average-pool",
    leaky_relu::LeakyRelu = "leaky ReLU",
    lrn::Lrn = "LRN",
    max_pool::MaxPool = "max-pool",
    relu::Relu = "ReLU",
    scale::Scale = "scale",
    sigmoid::Sigmoid = "sigmoid",
    tanh::Tanh = "tanh",
}

/// What a layer does.
///
/// Everything but the first three functions has a default that is right for a layer without parameters that keeps its
/// output for the backward pass, as most do. Weight files say what the layers of this crate are; a network with others is opened by
/// [`crate::Network::load`] alone.
pub trait Module: Any + fmt::Debug + Send + Sync {
    /// What it is, in a word or two: `convolution`. Modules of one kind are of one type.
    fn kind(&self) -> &'static str;

    /// The shape of one image's output, from that of one image's input: `[height, width, channels]` or `[units]`.
    ///
    /// # Errors
    /// Why there is none, in words: "it needs a flat input".
    fn output(&self, input: &Shape) -> Result<Shape, String>;

    /// Runs it on a batch `[n, ...]` of such images.
    ///
    /// # Errors
    /// If the device fails.
    fn forward(&self, x: &Tensor, context: &Context<'_>) -> tensor::Result<Tensor>;

    /// The parameters and buffers for inputs of this shape, in the order in which [`Context::parameters`] gives them.
    fn parameters(&self, _input: &Shape) -> Vec<Parameter> {
        Vec::new()
    }

    /// The activation that is part of it: `ReLU`.
    fn activation(&self) -> Option<&'static str> {
        None
    }

    /// The numbers that it is made with, by name: enough to build the same layer in another program.
    fn settings(&self, _input: &Shape, _output: &Shape) -> Vec<(&'static str, f64)> {
        Vec::new()
    }

    /// Multiplications and additions of the forward pass for one image: two for each weight and place that it is used at.
    fn flops(&self, _input: &Shape, _output: &Shape) -> u64 {
        0
    }

    /// Bytes of one image's activations that training keeps for the backward pass.
    fn kept_bytes(&self, output: &Shape) -> u64 {
        float_bytes(output)
    }

    /// Bytes of one image's gradients in the backward pass: one of the output, and where an activation is part of the layer,
    /// the same once more behind it.
    fn gradient_bytes(&self, output: &Shape) -> u64 {
        let copies = 1 + u64::from(self.activation().is_some());
        copies * float_bytes(output)
    }

    /// The layer in ONNX: operators that follow each other; none where inference does nothing.
    ///
    /// # Errors
    /// Why there are none, in words.
    fn onnx(&self, _input: &Shape, _output: &Shape) -> Result<Vec<OnnxNode>, String> {
        Err("it has no form in ONNX".to_owned())
    }

    /// The name under which Keras 3 keeps the variables of such layers, such as `conv2d`; none if it keeps none.
    fn keras(&self) -> Option<&'static str> {
        None
    }

    /// The layer under a name, which is the first part of its parameters' names.
    fn named(self, name: impl Into<String>) -> Layer
    where
        Self: Sized,
    {
        Layer {
            name: name.into(),
            module: Arc::new(self),
        }
    }
}

/// An operator of ONNX, on the output of the one before it.
#[derive(Clone, Debug, PartialEq)]
pub struct OnnxNode {
    /// Its type, such as `Conv`.
    pub op: &'static str,
    /// Its attributes by name.
    pub attributes: Vec<(&'static str, OnnxValue)>,
    /// How ONNX lays out those of the layer's parameters that it takes, from the first on.
    pub parameters: Vec<OnnxLayout>,
    /// Numbers that it takes behind those, each an input of one element.
    pub constants: Vec<f32>,
    /// The first operator set that has it so: the file asks for this one, and for 17 at least.
    pub opset: u32,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum OnnxValue {
    /// A float.
    Float(f32),
    /// A whole number.
    Int(usize),
    /// Whole numbers.
    Ints(Vec<usize>),
}

/// A layout of a parameter. Images have their channels first in ONNX and last here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnnxLayout {
    /// As it is.
    Same,
    /// `[kh, kw, in, out]` becomes `[out, in, kh, kw]`.
    Filters,
    /// `[in, out]`, whose rows are reordered if the layer is the first dense one behind a flattened image.
    Rows,
    /// `[features]`, reordered if no dense layer lies between it and a flattened image.
    Features,
}

impl OnnxNode {
    /// An operator without attributes and parameters.
    #[must_use]
    pub fn new(op: &'static str) -> Self {
        Self {
            op,
            attributes: Vec::new(),
            parameters: Vec::new(),
            constants: Vec::new(),
            opset: 0,
        }
    }

    /// The operator as it is in operator sets from this one on.
    #[must_use]
    pub fn since(mut self, opset: u32) -> Self {
        self.opset = opset;
        self
    }

    /// The operator with an attribute more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: OnnxValue) -> Self {
        self.attributes.push((name, value));
        self
    }

    /// The operator with one more constant among its inputs.
    #[must_use]
    pub fn by(mut self, constant: f32) -> Self {
        self.constants.push(constant);
        self
    }

    /// The operator with parameters in these layouts.
    #[must_use]
    pub fn taking(mut self, parameters: &[OnnxLayout]) -> Self {
        self.parameters = parameters.to_vec();
        self
    }
}

/// A named layer of a network.
#[derive(Clone, Debug)]
pub struct Layer {
    pub(crate) name: String,
    pub(crate) module: Arc<dyn Module>,
}

impl Layer {
    /// Its name, unique in the network: the first part of its parameters' names.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it does.
    #[must_use]
    pub fn module(&self) -> &dyn Module {
        &*self.module
    }

    /// Whether it is of this type: `layer.is::<BatchNorm>()`.
    #[must_use]
    pub fn is<M: Module>(&self) -> bool {
        self.downcast::<M>().is_some()
    }

    /// The module, if it is of this type.
    #[must_use]
    pub fn downcast<M: Module>(&self) -> Option<&M> {
        (self.module() as &dyn Any).downcast_ref()
    }

    /// The layer with another module under the same name.
    pub(crate) fn with(&self, module: impl Module) -> Self {
        module.named(self.name.clone())
    }
}

/// Layers are equal that describe themselves in the same words.
impl PartialEq for Layer {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && format!("{:?}", self.module) == format!("{:?}", other.module)
    }
}

/// A layer without a name is named by its kind and number: `convolution_1`.
impl<M: Module> From<M> for Layer {
    fn from(module: M) -> Self {
        module.named("")
    }
}

/// Bytes of a tensor of f32.
fn float_bytes(shape: &Shape) -> u64 {
    4 * shape.elements() as u64
}

/// `[height, width, channels]`, or what is wrong.
fn image(input: &Shape) -> Result<[usize; 3], String> {
    <[usize; 3]>::try_from(&**input)
        .map_err(|_other| "it needs [height, width, channels]".to_owned())
}

/// A whole number among settings.
fn whole(size: usize) -> f64 {
    u32::try_from(size).map_or(f64::INFINITY, f64::from)
}

/// The number that is written as this one is: 1e-5, and not 9.999999747378752e-6.
fn decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}
