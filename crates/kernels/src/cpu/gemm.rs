//! The matrix product's twin: `C = alpha * op(A) op(B) + beta * C`, then bias and ReLU, through the `gemm` crate, which
//! is as fast as vendors' libraries. Its sums are cut here, by shape only, so the bits do not depend on the number of
//! threads, nor on the caches of the machine, by whose sizes that crate would cut them.
//!
//! Row-major, leading dimensions in elements. Not for convolutions: those have register tiles of their own.

use std::ops::Range;

use rayon::prelude::*;

use crate::cpu::shared::wide::{each, wide};
use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of every variant. Row-major, leading dimensions and offsets in elements.
    pub(crate) struct GemmParams {
        m: u32,
        n: u32,
        k: u32,
        lda: u32,
        ldb: u32,
        ldc: u32,
        a_offset: u32,
        b_offset: u32,
        c_offset: u32,
        /// Length of the sums that one workgroup takes; the twin does not split them.
        k_per_split: u32,
        alpha: f32,
        /// If 0, C is not read.
        beta: f32,
        /// Not 0: what is not positive becomes 0 in the end.
        relu: u32,
        /// Products of this shape, whose operands and results follow one another without gaps.
        layers: u32,
    }
}

mod narrow;

/// Longest sum that the `gemm` crate takes in one go on every machine: it never cuts shorter, and longer where the first
/// cache is large (`gemm_common::cache::kernel_params`).
const MAX_PIECE: usize = 512;

/// Rows times columns that one task of the epilogue takes.
const EPILOGUE_LEN: usize = 1 << 15;

/// Which operands are stored transposed, as the kernel's variant says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Transposes {
    /// A is stored `[k, m]`.
    pub(crate) a: bool,
    /// B is stored `[n, k]`.
    pub(crate) b: bool,
}

/// A matrix in a slice: element (i, j) is at `row * i + column * j`.
#[derive(Clone, Copy, Debug)]
struct Strides {
    row: usize,
    column: usize,
}

impl Strides {
    fn new(leading: u32, transposed: bool) -> Self {
        let leading = leading as usize;
        if transposed {
            Self {
                row: 1,
                column: leading,
            }
        } else {
            Self {
                row: leading,
                column: 1,
            }
        }
    }

    /// Elements that a matrix of this many rows and columns reaches.
    fn reach(&self, rows: usize, columns: usize) -> usize {
        if rows == 0 || columns == 0 {
            0
        } else {
            (rows - 1) * self.row + (columns - 1) * self.column + 1
        }
    }
}

/// The twin of every variant: A, B and, if `BIAS`, the bias are read, C is written.
pub(crate) fn forward<const TRANS_A: bool, const TRANS_B: bool, const BIAS: bool>(
    p: &GemmParams,
    args: CpuArgs<'_>,
) {
    let transposes = Transposes {
        a: TRANS_A,
        b: TRANS_B,
    };
    if BIAS {
        let ([a, b, bias], [c]) = args.split();
        gemm(p, transposes, [a, b], Some(bias), c);
    } else {
        let ([a, b], [c]) = args.split();
        gemm(p, transposes, [a, b], None, c);
    }
}

/// Computes the whole kernel: product, bias `[n]`, ReLU, of each layer.
pub(crate) fn gemm(
    p: &GemmParams,
    transposes: Transposes,
    operands: [&[f32]; 2],
    bias: Option<&[f32]>,
    c: &mut [f32],
) {
    let [a, b] = operands;
    let (a, b) = (&a[p.a_offset as usize..], &b[p.b_offset as usize..]);
    let c = &mut c[p.c_offset as usize..];
    let [m, n, k] = [p.m, p.n, p.k].map(|size| size as usize);
    for layer in 0..p.layers as usize {
        let operands = [&a[layer * m * k..], &b[layer * k * n..]];
        one(p, transposes, operands, bias, &mut c[layer * m * n..]);
    }
}

/// Computes one layer.
fn one(
    p: &GemmParams,
    transposes: Transposes,
    [a, b]: [&[f32]; 2],
    bias: Option<&[f32]>,
    c: &mut [f32],
) {
    if narrow::suits(p, transposes) {
        narrow::product(p, a, b, c);
    } else {
        product(p, transposes, a, b, c);
    }
    if bias.is_some() || p.relu != 0 {
        epilogue(p, bias, c);
    }
}

/// `C = alpha * op(A) op(B) + beta * C`; with `beta` zero, C is not read.
#[expect(
    unsafe_code,
    reason = "the gemm crate's only entry point takes raw pointers; it is 1.3 to 1.7 times matrixmultiply, which is safe to call"
)]
pub(crate) fn product(p: &GemmParams, transposes: Transposes, a: &[f32], b: &[f32], c: &mut [f32]) {
    let [m, n, k] = [p.m, p.n, p.k].map(|size| size as usize);
    let (a_strides, b_strides) = (
        Strides::new(p.lda, transposes.a),
        Strides::new(p.ldb, transposes.b),
    );
    let c_strides = Strides::new(p.ldc, false);
    assert!(
        a_strides.reach(m, k) <= a.len(),
        "gemm reads A beyond its end"
    );
    assert!(
        b_strides.reach(k, n) <= b.len(),
        "gemm reads B beyond its end"
    );
    assert!(
        c_strides.reach(m, n) <= c.len(),
        "gemm writes C beyond its end"
    );
    assert!(m <= 1 || c_strides.row >= n, "rows of C overlap");
    if m == 0 || n == 0 {
        return;
    }
    for piece in pieces(k) {
        let first = piece.start == 0;
        let (a, b) = (
            &a[piece.start * a_strides.column..],
            &b[piece.start * b_strides.row..],
        );
        // SAFETY: the asserts above hold every element that m, n, k and the strides reach inside its slice, of which a
        // piece of k is a part; the rows of the destination are disjoint, and the borrows keep the three slices alive
        // and unaliased for the call.
        unsafe {
            ::gemm::gemm(
                m,
                n,
                piece.len(),
                c.as_mut_ptr(),
                signed(c_strides.column),
                signed(c_strides.row),
                !first || p.beta != 0.0,
                a.as_ptr(),
                signed(a_strides.column),
                signed(a_strides.row),
                b.as_ptr(),
                signed(b_strides.column),
                signed(b_strides.row),
                if first { p.beta } else { 1.0 },
                p.alpha,
                false,
                false,
                false,
                ::gemm::Parallelism::Rayon(0),
            );
        }
    }
}

/// The parts of a sum of `k` products, as equal as they can be; one empty part if there is nothing to sum.
fn pieces(k: usize) -> impl Iterator<Item = Range<usize>> {
    let len = k.div_ceil(k.div_ceil(MAX_PIECE).max(1)).max(1);
    (0..k.max(1))
        .step_by(len)
        .map(move |start| start.min(k)..(start + len).min(k))
}

/// A stride as the `gemm` crate takes it.
fn signed(stride: usize) -> isize {
    isize::try_from(stride).expect("a stride came from 32 bits")
}

/// Adds the bias to every row of C and clamps at zero.
fn epilogue(p: &GemmParams, bias: Option<&[f32]>, c: &mut [f32]) {
    let [m, n, stride] = [p.m, p.n, p.ldc].map(|size| size as usize);
    if m == 0 || n == 0 {
        return;
    }
    let rows_a_task = (EPILOGUE_LEN / n).max(1);
    let len = (m - 1) * stride + n;
    c[..len]
        .par_chunks_mut(rows_a_task * stride)
        .for_each(|rows| {
            wide(
                #[inline(always)]
                || {
                    for row in rows.chunks_mut(stride) {
                        finish_row(&mut row[..n], bias, p.relu != 0);
                    }
                },
            );
        });
}

/// Bias and ReLU of one row; NaN stays NaN.
#[inline(always)]
pub(crate) fn finish_row(row: &mut [f32], bias: Option<&[f32]>, relu: bool) {
    if let Some(bias) = bias {
        each(row, [bias], |value, [bias]| value + bias);
    }
    if relu {
        each(row, [], |value, []| if value <= 0.0 { 0.0 } else { value });
    }
}
