//! Variants of `conv2d.wgsl`.

use super::gemm::{bits, dtypes};
use super::{Listed, Tile};
use crate::Variant;

/// A convolution as an implicit matrix product.
///
/// The vector flags say that channels can be read as vec4. They are, with channels per group: for the forward kernel
/// `a` of the input, `b` of the output; for the data gradient `a` of the output, `b` of both; for the weight gradient
/// `a` of the input, `b` of the output.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Conv2d {
    /// The tile of one workgroup.
    pub tile: Tile,
    /// The patches can be read as vec4.
    pub vector_a: bool,
    /// The other operand and the result can be read and written as vec4.
    pub vector_b: bool,
    /// The result is of f32 though the operands are of f16: partial sums. The weight gradient's always is.
    pub wide: bool,
}

impl Conv2d {
    /// y from x, w and bias. Bindings: params, x, w, bias if there is one, y. A wide result has no bias.
    #[must_use]
    pub const fn forward(&self, bias: bool) -> Variant {
        self.variant("conv2d_forward", bias, false)
    }

    /// dx from dy and w. Bindings: params, dy, w, dx. Without strides the division by them is left out.
    #[must_use]
    pub const fn data_gradient(&self, unit_stride: bool) -> Variant {
        self.variant("conv2d_data_gradient", false, unit_stride)
    }

    /// dw from x and dy. Bindings: params, x, dy, dw, or partial sums for [`super::Gemm::reduce`].
    #[must_use]
    pub const fn weight_gradient(&self) -> Variant {
        Self {
            wide: false,
            ..*self
        }
        .variant("conv2d_weight_gradient", false, false)
    }

    const fn variant(&self, entry: &'static str, bias: bool, unit_stride: bool) -> Variant {
        let variant = Variant::new("conv2d", entry)
            .with("vector_a", self.vector_a as u32)
            .with("vector_b", self.vector_b as u32)
            .with("wide", self.wide as u32)
            .with("has_bias", bias as u32)
            .with("unit_stride", unit_stride as u32);
        self.tile.add_to(variant)
    }
}

/// Every variant of the family.
pub(super) fn all() -> impl Iterator<Item = Listed> {
    Tile::ALL.into_iter().flat_map(|tile| {
        bits::<3>().flat_map(move |[vector_a, vector_b, wide]| {
            let conv2d = Conv2d {
                tile,
                vector_a,
                vector_b,
                wide,
            };
            // The data gradient's `b` is of both numbers of channels, its `a` of one of them.
            let can_be_gradient = vector_a || !vector_b;
            let gradients = [false, true].map(|unit| conv2d.data_gradient(unit));
            let biased = (!wide).then(|| conv2d.forward(true));
            let of_weights = (!wide).then(|| conv2d.weight_gradient());
            [conv2d.forward(false)]
                .into_iter()
                .chain(biased)
                .chain(of_weights)
                .chain(gradients.into_iter().filter(move |_| can_be_gradient))
                .map(move |variant| dtypes(wide).of(variant))
        })
    })
}
