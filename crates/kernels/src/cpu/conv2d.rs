//! Convolution twins: forward with bias and ReLU, the gradient of the data and the gradient of the filters.
//!
//! Krizhevsky et al. 2012, section 3; for an image and a group of channels
//! `y[oy, ox, o] = sum over ky, kx, c of x[oy*stride + ky*dilation - pad, ..., c] * w[ky, kx, c, o]`.
//! All three are products on register tiles ([`super::tile`]) that read pixels where they lie: no patch matrix is made
//! (that operator is `im2col`). Taps that fall on padding are skipped, which on small images saves a third of the work.
//! Any stride, dilation, padding and number of groups; a group of one channel in and out has loops of its own.

mod depthwise;
mod gather;
mod geometry;
mod weight_gradient;
pub(crate) mod winograd;

use self::gather::Gather;
pub(crate) use self::geometry::Geometry;
use crate::cpu::shared::scratch::with_scratch;
use crate::cpu::shared::tile::{Epilogue, Panels, copy_padded, pack};
use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of the forward and backward kernels; what is padded below and to the right follows from the output's
    /// size.
    pub(crate) struct Conv2dParams {
        n: u32,
        h: u32,
        w: u32,
        c_in: u32,
        kh: u32,
        kw: u32,
        stride_h: u32,
        stride_w: u32,
        pad_top: u32,
        pad_left: u32,
        dilation_h: u32,
        dilation_w: u32,
        out_h: u32,
        out_w: u32,
        c_out: u32,
        groups: u32,
        /// Length of the sums that one workgroup takes; the twin does not split them.
        k_per_split: u32,
        /// Not 0: the forward kernel sets what is not positive to 0 in the end; the reduction does where sums are split.
        relu: u32,
    }
}

/// Twin of the forward variants: x, w and, if `BIAS`, the bias are read, y is written.
pub(crate) fn forward<const BIAS: bool>(p: &Conv2dParams, args: CpuArgs<'_>) {
    let relu = p.relu != 0;
    if BIAS {
        let ([x, w, bias], [y]) = args.split();
        let bias = Some(bias);
        convolve(p, x, w, Epilogue { bias, relu }, y);
    } else {
        let ([x, w], [y]) = args.split();
        convolve(p, x, w, Epilogue { bias: None, relu }, y);
    }
}

/// Twin of the data gradient: dy and w are read, dx is written.
pub(crate) fn data_gradient(p: &Conv2dParams, args: CpuArgs<'_>) {
    let ([dy, w], [dx]) = args.split();
    differentiate_data(p, dy, w, dx);
}

/// Twin of the weight gradient: x and dy are read, dw is written.
pub(crate) fn weight_gradient(p: &Conv2dParams, args: CpuArgs<'_>) {
    let ([x, dy], [dw]) = args.split();
    weight_gradient::differentiate_weights(p, x, dy, dw);
}

/// `y = epilogue(x * w)`; x: `[n, h, w, c_in]`, w: `[kh, kw, c_in/groups, c_out]`, y: `[n, out_h, out_w, c_out]`.
fn convolve(p: &Conv2dParams, x: &[f32], w: &[f32], epilogue: Epilogue<'_>, y: &mut [f32]) {
    let geometry = Geometry::new(p);
    if geometry.is_depthwise() {
        return depthwise::gather(&Gather::forward(&geometry), w, x, epilogue, y);
    }
    geometry.with_merged_taps(x, |geometry, x| {
        let depth = geometry.run_len * geometry.n_runs();
        let panels = Panels::new(geometry.group_out);
        let group_len = panels.packed_len(depth);
        with_scratch(group_len * geometry.groups, |packed| {
            for (group, packed) in packed.chunks_mut(group_len.max(1)).enumerate() {
                pack(panels, depth, packed, |row, panel, packed| {
                    let start = row * geometry.c_out + group * geometry.group_out + panel.start;
                    copy_padded(&w[start..][..panel.columns], packed);
                });
            }
            Gather::forward(geometry).run(x, packed, epilogue, y);
        });
    });
}

/// `dx = dy * w` transposed; shapes as in [`convolve`].
fn differentiate_data(p: &Conv2dParams, dy: &[f32], w: &[f32], dx: &mut [f32]) {
    let geometry = Geometry::new(p);
    let gather = Gather::data_gradient(&geometry);
    if geometry.is_depthwise() {
        return depthwise::gather(&gather, w, dy, Epilogue::default(), dx);
    }
    let (c_out, group_in, group_out) = (geometry.c_out, geometry.group_in, geometry.group_out);
    let depth = group_out * geometry.n_runs();
    let panels = Panels::new(group_in);
    let group_len = panels.packed_len(depth);
    with_scratch(group_len * geometry.groups, |packed| {
        for (group, packed) in packed.chunks_mut(group_len.max(1)).enumerate() {
            pack(panels, depth, packed, |row, panel, packed| {
                let (tap, output) = (row / group_out, row % group_out);
                let first = (tap * group_in + panel.start) * c_out + group * group_out + output;
                packed.fill(0.0);
                for (packed, column) in packed.iter_mut().zip(0..panel.columns) {
                    *packed = w[first + column * c_out];
                }
            });
        }
        gather.run(dy, packed, Epilogue::default(), dx);
    });
}
