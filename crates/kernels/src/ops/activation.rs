//! What a product or a convolution does to its sums before it stores them, at no cost of its own.

/// A function that is part of another operator. Others are operators of their own, behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Activation {
    /// None: the sums are stored as they are.
    #[default]
    None,
    /// `max(x, 0)`.
    Relu,
}

impl Activation {
    /// ReLU if asked for, else none.
    #[must_use]
    pub const fn relu_if(is_relu: bool) -> Self {
        if is_relu { Self::Relu } else { Self::None }
    }

    pub(crate) fn is_relu(self) -> bool {
        self == Self::Relu
    }
}
