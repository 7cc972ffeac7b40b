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

/// What happens to a sum of products before it is stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Epilogue {
    /// Adds `bias[n]`.
    pub bias: bool,
    /// Sets what is not positive to zero, after everything else.
    pub relu: bool,
    /// Adds beta times what C holds.
    pub accumulate: bool,
}

impl Epilogue {
    /// Every combination.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        bits::<3>().map(|[bias, relu, accumulate]| Self {
            bias,
            relu,
            accumulate,
        })
    }

    /// Adds the constants to a variant.
    pub(super) const fn add_to(self, variant: Variant) -> Variant {
        variant
            .with("has_bias", self.bias as u32)
            .with("relu", self.relu as u32)
            .with("accumulate", self.accumulate as u32)
    }
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
    /// The whole product in one dispatch. Bindings: params, a, b, bias if there is one, c.
    #[must_use]
    pub const fn variant(&self, epilogue: Epilogue) -> Variant {
        self.base(epilogue, 0)
    }

    /// Sums of stretches of K, for [`Self::reduce`] to add up. Bindings: params, a, b, partial sums.
    #[must_use]
    pub const fn split(&self) -> Variant {
        self.base(
            Epilogue {
                bias: false,
                relu: false,
                accumulate: false,
            },
            1,
        )
    }

    /// Adds up the partial sums in order. Bindings: params, partial sums, bias if there is one, c.
    #[must_use]
    pub const fn reduce(epilogue: Epilogue) -> Variant {
        epilogue.add_to(Variant::new("gemm_reduce", "gemm_reduce"))
    }

    const fn base(&self, epilogue: Epilogue, split_k: u32) -> Variant {
        let variant = Variant::new("gemm", "gemm")
            .with("trans_a", self.a.transposed as u32)
            .with("trans_b", self.b.transposed as u32)
            .with("vector_a", self.a.vector as u32)
            .with("vector_b", self.b.vector as u32)
            .with("wide", self.wide as u32);
        self.tile
            .add_to(epilogue.add_to(variant).with("split_k", split_k))
    }
}

/// Every combination of `N` flags.
pub(super) fn bits<const N: usize>() -> impl Iterator<Item = [bool; N]> {
    (0_u32..1 << N).map(|bits| std::array::from_fn(|index| bits >> index & 1 == 1))
}

/// Every variant of the family.
pub(super) fn all() -> impl Iterator<Item = Variant> {
    let products = Tile::ALL.into_iter().flat_map(|tile| {
        bits::<5>().flat_map(move |[trans_a, trans_b, vector_a, vector_b, wide]| {
            let a = Operand {
                transposed: trans_a,
                vector: vector_a,
            };
            let b = Operand {
                transposed: trans_b,
                vector: vector_b,
            };
            let gemm = Gemm { tile, a, b, wide };
            Epilogue::all()
                .map(move |epilogue| gemm.variant(epilogue))
                .chain([gemm.split()])
        })
    });
    products.chain(Epilogue::all().map(Gemm::reduce))
}
