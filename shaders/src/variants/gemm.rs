//! Variants of `gemm.wgsl` and `gemm_reduce.wgsl`.

use super::{Dtypes, Listed, Tile};
use crate::Variant;

/// A matrix product.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Gemm {
    /// The tile of one workgroup.
    pub tile: Tile,
    /// Whether A is stored `[k, m]`, and B `[n, k]`.
    pub transposed: [bool; 2],
    /// All matrices can be read and written as vec4: leading dimensions, offsets and extents along them are multiples of 4.
    pub vector: bool,
    /// The result is of f32 though the operands are of f16.
    pub wide: bool,
}

impl Gemm {
    /// The product, or partial sums for [`Self::reduce`]. Bindings: params, a, b, bias if there is one, c. A wide result has no
    /// bias.
    #[must_use]
    pub const fn variant(&self, bias: bool) -> Variant {
        let variant = Variant::new("gemm", "gemm")
            .with("trans_a", self.transposed[0] as u32)
            .with("trans_b", self.transposed[1] as u32)
            .with("vector", self.vector as u32)
            .with("wide", self.wide as u32)
            .with("has_bias", bias as u32);
        self.tile.add_to(variant)
    }

    /// Adds up the partial sums in order, and adds to what c holds. `vector`: columns, leading dimension and offset of c are multiples
    /// of 4. Bindings: params, partial sums, bias if there is one, c.
    #[must_use]
    pub const fn reduce(bias: bool, vector: bool) -> Variant {
        Variant::new("gemm_reduce", "gemm_reduce")
            .with("has_bias", bias as u32)
            .with("vector", vector as u32)
    }
}

/// Every combination of `N` flags.
pub(super) fn bits<const N: usize>() -> impl Iterator<Item = [bool; N]> {
    (0_u32..1 << N).map(|bits| std::array::from_fn(|index| bits >> index & 1 == 1))
}

/// The floats of a product's operands: a wide result is of 32 bits where these are of 16.
pub(super) const fn dtypes(is_wide: bool) -> Dtypes {
    if is_wide { Dtypes::F16 } else { Dtypes::Both }
}

/// Every variant of the family.
pub(super) fn all() -> impl Iterator<Item = Listed> {
    let products = Tile::ALL.into_iter().flat_map(|tile| {
        bits::<4>().map(move |[trans_a, trans_b, vector, wide]| Gemm {
            tile,
            transposed: [trans_a, trans_b],
            vector,
            wide,
        })
    });
    products
        .flat_map(|gemm| {
            let biased = (!gemm.wide).then(|| gemm.variant(true));
            let variants = [gemm.variant(false)].into_iter().chain(biased);
            variants.map(move |variant| dtypes(gemm.wide).of(variant))
        })
        .chain(bits::<2>().map(|[bias, vector]| Dtypes::Both.of(Gemm::reduce(bias, vector))))
}
