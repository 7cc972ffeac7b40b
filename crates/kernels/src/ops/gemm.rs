//! Matrix product: `C = alpha * op(A) op(B) + beta * C`, then bias and ReLU (BLAS level 3, xGEMM; row-major).
//!
//! op(A): `[m, k]`, op(B): `[k, n]`, C: `[m, n]`, bias: `[n]`. A transposed operand is stored the other way round.
//! On a GPU a long K is cut into stretches whose sums are added in order, and operands longer than a binding are taken
//! window by window, so that fc6 of AlexNet (144 MiB) works where a binding is 128 MiB at most.

use shaders::variants::{Gemm as Family, Tile};

use super::{Activation, check_len, elements, size, vectors};
use crate::buffer::{Buffer, Width};
use crate::cpu::gemm::GemmParams;
use crate::cpu::gemm::forward;
use crate::device::Device;
use crate::error::Result;
use crate::kernel::{Grid, Kernel, Twin};
use crate::tile::{self, Plan, Product};

mod windows;

mod naive;

pub use naive::naive_product;

const OP: &str = "gemm";

impl GemmParams {
    /// Elements of all layers' results.
    fn results(&self) -> usize {
        [self.layers, self.m, self.n]
            .map(|size| size as usize)
            .iter()
            .product()
    }

    /// The parameters with which [`reduce`] adds up partial sums of `[m, n]` with `k` terms in all.
    pub(crate) fn reduction([m, n, k]: [usize; 3], k_per_split: u32) -> Result<Self> {
        let [m, n, k] = [size(OP, "m", m)?, size(OP, "n", n)?, size(OP, "k", k)?];
        Ok(Self {
            m,
            n,
            k,
            lda: k,
            ldb: n,
            ldc: n,
            a_offset: 0,
            b_offset: 0,
            c_offset: 0,
            k_per_split,
            alpha: 1.0,
            beta: 0.0,
            relu: 0,
            layers: 1,
        })
    }
}

/// The sizes of a matrix product, and which operands are stored transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gemm {
    /// Rows of op(A) and C.
    pub m: usize,
    /// Columns of op(B) and C.
    pub n: usize,
    /// Columns of op(A), rows of op(B).
    pub k: usize,
    /// A is stored `[k, m]`.
    pub is_a_transposed: bool,
    /// B is stored `[n, k]`.
    pub is_b_transposed: bool,
}

impl Gemm {
    /// `[m, k]` times `[k, n]`.
    #[must_use]
    pub const fn new(m: usize, n: usize, k: usize) -> Self {
        Self {
            m,
            n,
            k,
            is_a_transposed: false,
            is_b_transposed: false,
        }
    }

    /// The same with A stored `[k, m]`.
    #[must_use]
    pub const fn transpose_a(self) -> Self {
        Self {
            is_a_transposed: true,
            ..self
        }
    }

    /// The same with B stored `[n, k]`.
    #[must_use]
    pub const fn transpose_b(self) -> Self {
        Self {
            is_b_transposed: true,
            ..self
        }
    }

    fn params(&self, epilogue: &Epilogue<'_>) -> Result<GemmParams> {
        let leading = |transposed, stored, other| if transposed { other } else { stored };
        Ok(GemmParams {
            m: size(OP, "m", self.m)?,
            n: size(OP, "n", self.n)?,
            k: size(OP, "k", self.k)?,
            lda: size(OP, "lda", leading(self.is_a_transposed, self.k, self.m))?,
            ldb: size(OP, "ldb", leading(self.is_b_transposed, self.n, self.k))?,
            ldc: size(OP, "ldc", self.n)?,
            a_offset: 0,
            b_offset: 0,
            c_offset: 0,
            k_per_split: size(OP, "k", self.k)?.max(1),
            alpha: epilogue.alpha,
            beta: epilogue.beta,
            relu: u32::from(epilogue.activation.is_relu()),
            layers: 1,
        })
    }
}

/// What happens to the product of two matrices.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a> {
    /// Scales the product.
    pub alpha: f32,
    /// Scales what C holds before; if 0, C is not read.
    pub beta: f32,
    /// Is added to every row.
    pub bias: Option<&'a Buffer>,
    /// What becomes of the sums in the end.
    pub activation: Activation,
}

impl Default for Epilogue<'_> {
    fn default() -> Self {
        Self {
            alpha: 1.0,
            beta: 0.0,
            bias: None,
            activation: Activation::None,
        }
    }
}

/// `op(A) op(B)`.
///
/// # Errors
/// If a buffer's length does not fit the sizes, memory runs out or the device fails.
pub fn product(device: &Device, gemm: &Gemm, a: &Buffer, b: &Buffer) -> Result<Buffer> {
    product_with(device, gemm, [a, b], &Epilogue::default())
}

/// `op(A) op(B)` with an epilogue, in a new buffer; beta must be 0.
///
/// # Errors
/// As [`product`].
pub fn product_with(
    device: &Device,
    gemm: &Gemm,
    operands: [&Buffer; 2],
    epilogue: &Epilogue<'_>,
) -> Result<Buffer> {
    let c = device.alloc_as(operands[0].width(), elements(&[gemm.m, gemm.n]))?;
    let epilogue = Epilogue {
        beta: 0.0,
        ..*epilogue
    };
    update(device, gemm, operands, &epilogue, &c)?;
    Ok(c)
}

/// `C = alpha * op(A) op(B) + beta * C`, then bias and activation, in place. A and B are of one width; C of f16 may have
/// either. Sums are of 32 bits in any case.
///
/// # Errors
/// As [`product`]; or if C shares memory with an operand.
pub fn update(
    device: &Device,
    gemm: &Gemm,
    operands: [&Buffer; 2],
    epilogue: &Epilogue<'_>,
    c: &Buffer,
) -> Result<()> {
    let [a, b] = operands;
    check_len(OP, "a", a, elements(&[gemm.m, gemm.k]))?;
    check_len(OP, "b", b, elements(&[gemm.k, gemm.n]))?;
    check_len(OP, "c", c, elements(&[gemm.m, gemm.n]))?;
    if let Some(bias) = epilogue.bias {
        check_len(OP, "bias", bias, gemm.n)?;
    }
    let part = Part {
        transposed: [gemm.is_a_transposed, gemm.is_b_transposed],
        params: gemm.params(epilogue)?,
        buffers: [a, b, c].map(Buffer::clone),
        bias: epilogue.bias.cloned(),
    };
    part.run(device)
}

/// As many products of one shape as there are `layers`: `[layers, m, k]` by `[layers, k, n]` is `[layers, m, n]`; a transposed operand
/// is so in each layer. All of them in one dispatch, so none may be longer than a binding.
///
/// # Errors
/// As [`product`].
pub(crate) fn batched(
    device: &Device,
    gemm: &Gemm,
    layers: usize,
    operands: [&Buffer; 2],
) -> Result<Buffer> {
    let [a, b] = operands;
    check_len(OP, "a", a, layers * gemm.m * gemm.k)?;
    check_len(OP, "b", b, layers * gemm.k * gemm.n)?;
    let c = device.alloc_as(a.width(), layers * gemm.m * gemm.n)?;
    let part = Part {
        transposed: [gemm.is_a_transposed, gemm.is_b_transposed],
        params: GemmParams {
            layers: size(OP, "layers", layers)?,
            ..gemm.params(&Epilogue::default())?
        },
        buffers: [a, b, &c].map(Buffer::clone),
        bias: None,
    };
    part.dispatch(device)?;
    Ok(c)
}

/// A part of a product: what one dispatch computes, unless an operand is longer than a binding.
#[derive(Clone)]
struct Part {
    transposed: [bool; 2],
    params: GemmParams,
    buffers: [Buffer; 3],
    bias: Option<Buffer>,
}

impl Part {
    fn dispatch(self, device: &Device) -> Result<()> {
        let p = self.params;
        let product = Product {
            kernel: OP,
            m: p.m,
            n: p.n,
            k: p.k,
            layers: p.layers,
        };
        let plan = Plan::new(device, product, self.buffers[2].len());
        // What is rare is left to the reduction, so that every variant of the product need not have it.
        let is_rare = p.beta != 0.0 || self.is_wide() && self.bias.is_some();
        if device.is_cpu() || plan.splits == 1 && !is_rare {
            return self.launch(device, &plan);
        }
        let partial = device.alloc(plan.splits as usize * p.results())?;
        let [a, b, c] = self.buffers;
        let p = GemmParams {
            k_per_split: plan.k_per_split,
            ..p
        };
        let stretches = Self {
            transposed: self.transposed,
            params: GemmParams {
                ldc: p.n,
                c_offset: 0,
                alpha: 1.0,
                beta: 0.0,
                relu: 0,
                ..p
            },
            buffers: [a, b, partial.clone()],
            bias: None,
        };
        stretches.launch(device, &plan)?;
        // The layers' results are one matrix of as many more rows.
        let p = GemmParams {
            m: p.m * p.layers,
            layers: 1,
            ..p
        };
        reduce(device, &p, &partial, self.bias.as_ref(), &c)
    }

    fn launch(&self, device: &Device, plan: &Plan) -> Result<()> {
        let Self {
            params: p,
            buffers: [a, b, c],
            ..
        } = self;
        let variant = self.family(plan.tile).variant(self.bias.is_some());
        let kernel = Kernel::new(variant, self.twin());
        let reads: Vec<&Buffer> = [a, b].into_iter().chain(&self.bias).collect();
        let flops = 2 * p.results() * p.k as usize;
        device.launch(&kernel, p, &reads, &[c], plan.grid().flops(flops))
    }

    /// Whether the result is of f32 though the operands are of f16.
    fn is_wide(&self) -> bool {
        let [a, _, c] = &self.buffers;
        a.width() == Width::F16 && c.width() == Width::Word
    }

    fn family(&self, tile: Tile) -> Family {
        let p = &self.params;
        let [trans_a, trans_b] = self.transposed;
        let (extent_a, extent_b) = (
            if trans_a { p.m } else { p.k },
            if trans_b { p.k } else { p.n },
        );
        let along_rows = [
            p.lda, p.a_offset, extent_a, p.ldb, p.b_offset, extent_b, p.ldc, p.c_offset, p.n,
        ];
        Family {
            tile,
            transposed: [trans_a, trans_b],
            vector: along_rows.iter().all(|size| size.is_multiple_of(4)),
            wide: self.is_wide(),
        }
    }

    fn twin(&self) -> Twin<GemmParams> {
        let [trans_a, trans_b] = self.transposed;
        match (trans_a, trans_b, self.bias.is_some()) {
            (false, false, false) => forward::<false, false, false>,
            (false, false, true) => forward::<false, false, true>,
            (false, true, false) => forward::<false, true, false>,
            (false, true, true) => forward::<false, true, true>,
            (true, false, false) => forward::<true, false, false>,
            (true, false, true) => forward::<true, false, true>,
            (true, true, false) => forward::<true, true, false>,
            (true, true, true) => forward::<true, true, true>,
        }
    }
}

/// Adds up the partial sums `[splits, m, n]` of a product with split K, in order.
pub(crate) fn reduce(
    device: &Device,
    params: &GemmParams,
    partial: &Buffer,
    bias: Option<&Buffer>,
    c: &Buffer,
) -> Result<()> {
    let sizes = [params.n, params.ldc, params.c_offset];
    let is_vector = sizes.iter().all(|size| size.is_multiple_of(4));
    let kernel = Kernel::new(Family::reduce(bias.is_some(), is_vector), tile::no_twin);
    let reads: Vec<&Buffer> = std::iter::once(partial).chain(bias).collect();
    let elements = params.m as usize * params.n as usize;
    let grid = Grid::linear(vectors(elements, is_vector)).flops(partial.len());
    device.launch(&kernel, params, &reads, &[c], grid)
}
