//! Twins of `gelu.wgsl`.

use crate::cpu::shared::pointwise::{exp, map, map2};
use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of both kernels.
    pub(crate) struct GeluParams {
        n: u32,
    }
}

/// The polynomial `p` of the tail, from the highest power down; fitted on `[0, 6]`, as `gelu.wgsl` says.
const TAIL: [f32; 10] = [
    1.312_937_85e-8,
    -4.220_954_4e-7,
    5.788_455e-6,
    -4.282_195_4e-5,
    1.608_523_9e-4,
    6.219_006e-5,
    -4.880_13e-3,
    3.638_283e-2,
    3.183_012e-1,
    7.978_848e-1,
];

/// `y = x P(X <= x)`.
pub(crate) fn forward(_: &GeluParams, args: CpuArgs<'_>) {
    map(
        args,
        #[inline(always)]
        |x| x * normal_cdf(x),
    );
}

/// `dx = dy (P(X <= x) + x e^(-x^2 / 2) / sqrt(2 pi))`.
pub(crate) fn backward(_: &GeluParams, args: CpuArgs<'_>) {
    map2(
        args,
        #[inline(always)]
        |dy, x| {
            let density = 0.398_942_3 * exp(-0.5 * x * x);
            dy * (normal_cdf(x) + x * density)
        },
    );
}

/// `P(X <= x)` of a standard normal `X`.
#[inline(always)]
fn normal_cdf(x: f32) -> f32 {
    let t = x.abs();
    let mut p = 0.0;
    for factor in TAIL {
        p = p * t + factor;
    }
    let tail = if t > 6.0 { 0.0 } else { 0.5 * exp(-t * p) };
    if x > 0.0 { 1.0 - tail } else { tail }
}
