//! Operators in f64, straight from their equations: the references of the twins' own tests and of the cases.

use crate::ops::conv2d::Conv2dParams;
use crate::ops::gemm::GemmParams;

/// Where a product of a convolution finds its factors and its sum: indices into x, w and y.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    pub(crate) x: usize,
    pub(crate) w: usize,
    pub(crate) y: usize,
}

/// Calls `visit` for each product of the convolution
/// `y[oy, ox, o] = sum over ky, kx, c of x[oy*stride + ky*dilation - pad, ..., c] * w[ky, kx, c, o]`.
pub(crate) fn conv2d(p: &Conv2dParams, mut visit: impl FnMut(Product)) {
    let [n, h, w, c_in, kh, kw] = [p.n, p.h, p.w, p.c_in, p.kh, p.kw].map(|s| s as usize);
    let [out_h, out_w, c_out, groups] = [p.out_h, p.out_w, p.c_out, p.groups].map(|s| s as usize);
    let (group_in, group_out) = (c_in / groups, c_out / groups);
    for image in 0..n {
        for (oy, ox) in positions(out_h, out_w) {
            for (ky, kx) in positions(kh, kw) {
                let iy = tap(oy, ky, [p.stride_h, p.dilation_h, p.pad_top], h);
                let ix = tap(ox, kx, [p.stride_w, p.dilation_w, p.pad_left], w);
                let (Some(iy), Some(ix)) = (iy, ix) else {
                    continue;
                };
                for (o, c) in positions(c_out, group_in) {
                    visit(Product {
                        x: ((image * h + iy) * w + ix) * c_in + o / group_out * group_in + c,
                        w: ((ky * kw + kx) * group_in + c) * c_out + o,
                        y: ((image * out_h + oy) * out_w + ox) * c_out + o,
                    });
                }
            }
        }
    }
}

/// The input position of a tap, if it is not on padding; `[stride, dilation, pad]`.
pub(crate) fn tap(
    output: usize,
    tap: usize,
    [stride, dilation, pad]: [u32; 3],
    len: usize,
) -> Option<usize> {
    (output * stride as usize + tap * dilation as usize)
        .checked_sub(pad as usize)
        .filter(|&position| position < len)
}

/// All pairs, row by row.
pub(crate) fn positions(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows * columns).map(move |idx| (idx / columns, idx % columns))
}

/// `alpha * op(A) op(B) + beta * C`, without offsets: element (i, j) at `i * ldc + j`.
pub(crate) fn gemm(p: &GemmParams, transposed: [bool; 2], a: &[f64], b: &[f64], c: &mut [f64]) {
    let [m, n, k, lda, ldb, ldc] = [p.m, p.n, p.k, p.lda, p.ldb, p.ldc].map(|s| s as usize);
    let at = |row, column, leading, transposed: bool| {
        if transposed {
            column * leading + row
        } else {
            row * leading + column
        }
    };
    for (i, j) in positions(m, n) {
        let product = |l| a[at(i, l, lda, transposed[0])] * b[at(l, j, ldb, transposed[1])];
        let sum: f64 = (0..k).map(product).sum();
        let old = if p.beta == 0.0 {
            0.0
        } else {
            f64::from(p.beta) * c[i * ldc + j]
        };
        c[i * ldc + j] = f64::from(p.alpha) * sum + old;
    }
}
