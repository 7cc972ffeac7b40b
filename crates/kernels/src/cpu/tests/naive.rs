//! Operators in f64, straight from their equations: the references of the twins' own tests.

use crate::cpu::conv2d::Conv2dParams;
use crate::cpu::gemm::GemmParams;
use crate::cpu::lrn::LrnParams;
use crate::cpu::max_pool::PoolParams;

/// Where a product of a convolution finds its factors and its sum: indices into x, w and y.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub(super) x: usize,
    pub(super) w: usize,
    pub(super) y: usize,
}

/// Calls `visit` for each product of the convolution
/// `y[oy, ox, o] = sum over ky, kx, c of x[oy*stride + ky*dilation - pad, ..., c] * w[ky, kx, c, o]`.
pub(super) fn conv2d(p: &Conv2dParams, mut visit: impl FnMut(Product)) {
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
pub(super) fn tap(
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
pub(super) fn positions(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows * columns).map(move |idx| (idx / columns, idx % columns))
}

/// `alpha * op(A) op(B) + beta * C`, without offsets: element (i, j) at `i * ldc + j`.
pub(super) fn gemm(p: &GemmParams, transposed: [bool; 2], a: &[f64], b: &[f64], c: &mut [f64]) {
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

/// Calls `visit` with the flat indices of an output and of an input that its window holds, row by row, and with the
/// pixel's position in the image.
pub(super) fn windows(p: &PoolParams, mut visit: impl FnMut(usize, usize, usize)) {
    let [n, h, w, c, kh, kw] = [p.n, p.h, p.w, p.c, p.kh, p.kw].map(|s| s as usize);
    let [out_h, out_w] = [p.out_h, p.out_w].map(|s| s as usize);
    for (image, channel) in positions(n, c) {
        for (oy, ox) in positions(out_h, out_w) {
            for (ky, kx) in positions(kh, kw) {
                let iy = tap(oy, ky, [p.stride_h, p.dilation_h, p.pad_top], h);
                let ix = tap(ox, kx, [p.stride_w, p.dilation_w, p.pad_left], w);
                if let (Some(iy), Some(ix)) = (iy, ix) {
                    visit(
                        ((image * out_h + oy) * out_w + ox) * c + channel,
                        ((image * h + iy) * w + ix) * c + channel,
                        iy * w + ix,
                    );
                }
            }
        }
    }
}

/// `s_i = bias + alpha * sum over the window of x_j^2`.
pub(super) fn lrn_sums(p: &LrnParams, x: &[f64]) -> Vec<f64> {
    let channels = p.channels as usize;
    let [bias, alpha] = [p.bias, p.alpha].map(f64::from);
    (0..x.len())
        .map(|idx| {
            let channel = idx % channels;
            let window = window(p, channel).map(|other| x[idx - channel + other].powi(2));
            bias + alpha * window.sum::<f64>()
        })
        .collect()
}

/// The channels in the window of one.
fn window(p: &LrnParams, channel: usize) -> std::ops::Range<usize> {
    let end = channel + p.after as usize + 1;
    channel.saturating_sub(p.before as usize)..end.min(p.channels as usize)
}

/// `y_i = x_i s_i^-beta`.
pub(super) fn lrn(p: &LrnParams, x: &[f64]) -> Vec<f64> {
    let sums = lrn_sums(p, x);
    let power = -f64::from(p.beta);
    x.iter().zip(sums).map(|(x, s)| x * s.powf(power)).collect()
}

/// `dx_j = sum over i of dy_i * (dy_i/dx_j)`, each derivative by itself.
pub(super) fn lrn_gradient(p: &LrnParams, x: &[f64], dy: &[f64]) -> Vec<f64> {
    let channels = p.channels as usize;
    let sums = lrn_sums(p, x);
    let [alpha, beta] = [p.alpha, p.beta].map(f64::from);
    let mut dx = vec![0.0; x.len()];
    for i in 0..x.len() {
        dx[i] += dy[i] * sums[i].powf(-beta);
        let row = i - i % channels;
        for j in window(p, i % channels).map(|channel| row + channel) {
            dx[j] -= dy[i] * x[i] * 2.0 * alpha * beta * x[j] * sums[i].powf(-beta - 1.0);
        }
    }
    dx
}
