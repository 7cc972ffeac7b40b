//! Variants of `gemm.wgsl` and `gemm_reduce.wgsl`.

use super::Tile;
use crate::Variant;

/// How an operand of a matrix product lies in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Operand {
    /// A is stored `[k, m]`, B is stored `[n, k]`.
    pub transposed: bool,
    /// It can be read as vec4: leading dimension, offset and extent along it are multiples of 4. For B, C's are as well.
    pub vector: bool,
}

/// A matrix product.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Gemm {
    /// The tile of one workgroup.
    pub tile: Tile,
    /// The left operand.
    pub a: Operand,
    /// The right operand.
    pub b: Operand,
    /// The result is of 32-bit floats though the operands are of 16-bit ones.
    pub wide: bool,
}

impl Gemm {
    /// The product, or partial sums for [`Self::reduce`]. Bindings: params, a, b, bias if there is one, c. A wide result has no
    /// bias.
    #[must_use]
    pub const fn variant(&self, bias: bool) -> Variant {
        let variant = Variant::new("gemm", "gemm")
            .with("trans_a", self.a.transposed as u32)
            .with("trans_b", self.b.transposed as u32)
            .with("vector_a", self.a.vector as u32)
            .with("vector_b", self.b.vector as u32)
            .with("wide", self.wide as u32)
            .with("has_bias", bias as u32);
        self.tile.add_to(variant)
    }

    /// Adds up the partial sums in order, and adds to what c holds. Bindings: params, partial sums, bias if there is one, c.
    #[must_use]
    pub const fn reduce(bias: bool) -> Variant {
        Variant::new("gemm_reduce", "gemm_reduce").with("has_bias", bias as u32)
    }

    /// Along K lie the rows of both operands, which can't be read as vec4 in one and not in the other for K's sake.
    const fn is_possible(&self) -> bool {
        let both_along_k = !self.a.transposed && self.b.transposed;
        !(both_along_k && self.b.vector && !self.a.vector)
    }
}

/// Every combination of `N` flags.
pub(super) fn bits<const N: usize>() -> impl Iterator<Item = [bool; N]> {
    (0_u32..1 << N).map(|bits| std::array::from_fn(|index| bits >> index & 1 == 1))
}

/// Every variant of the family.
pub(super) fn all() -> impl Iterator<Item = Variant> {
    let products = Tile::ALL.into_iter().flat_map(|tile| {
        bits::<5>().map(move |[trans_a, trans_b, vector_a, vector_b, wide]| {
            let a = Operand {
                transposed: trans_a,
                vector: vector_a,
            };
            let b = Operand {
                transposed: trans_b,
                vector: vector_b,
            };
            Gemm { tile, a, b, wide }
        })
    });
    products
        .filter(Gemm::is_possible)
        .flat_map(|gemm| {
            let biased = (!gemm.wide).then(|| gemm.variant(true));
            [gemm.variant(false)].into_iter().chain(biased)
        })
        .chain([false, true].map(Gemm::reduce))
}
