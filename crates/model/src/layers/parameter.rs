//! What a layer asks for: parameters that are trained, and buffers that the forward pass changes.

use tensor::Shape;

use crate::init::Init;

/// A parameter or a buffer of a layer, before it has values.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) init: Init,
    pub(crate) fans: Fans,
    /// Whether the optimizer changes it; running statistics are changed by the forward pass.
    pub(crate) is_trained: bool,
}

/// Terms that a unit adds up, and units that an input goes to: what initial weights are scaled by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fans {
    /// Terms in, the filter's area included.
    pub fan_in: usize,
    /// Terms out, the filter's area included.
    pub fan_out: usize,
}

impl Parameter {
    /// A parameter that is trained, by its name within the layer (`weight`), with fans of one.
    #[must_use]
    pub fn new(name: impl Into<String>, shape: impl Into<Shape>, init: Init) -> Self {
        Self {
            name: name.into(),
            shape: shape.into(),
            init,
            fans: Fans {
                fan_in: 1,
                fan_out: 1,
            },
            is_trained: true,
        }
    }

    /// The parameter with the fans that its initial values are scaled by.
    #[must_use]
    pub fn with_fans(mut self, fans: Fans) -> Self {
        self.fans = fans;
        self
    }

    /// A buffer in place of a parameter: saved with the weights, and no gradient flows to it.
    #[must_use]
    pub fn buffer(mut self) -> Self {
        self.is_trained = false;
        self
    }

    /// The parameter of a module within a layer: `weight` becomes `PART.weight`.
    #[must_use]
    pub fn within(mut self, part: &str) -> Self {
        self.name = format!("{part}.{}", self.name);
        self
    }

    /// Its name within the layer.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its shape.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }
}

/// A part that a layer has unless its file says otherwise.
pub(super) const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
pub(super) const fn is_yes(flag: &bool) -> bool {
    *flag
}

/// A weight of this shape, and a bias for each output.
pub(super) fn weight_and_bias(
    shape: Shape,
    outputs: usize,
    fans: Fans,
    [weight, bias]: [Init; 2],
) -> Vec<Parameter> {
    vec![
        Parameter::new("weight", shape, weight).with_fans(fans),
        Parameter::new("bias", [outputs], bias).with_fans(fans),
    ]
}
