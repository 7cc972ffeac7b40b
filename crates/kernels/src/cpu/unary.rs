//! Twins of `unary.wgsl`.

use crate::cpu::shared::pointwise::{exp as power, map, map2};
use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of all these kernels.
    pub(crate) struct UnaryParams {
        n: u32,
        slope: f32,
    }
}

/// A function under its name, and its gradient from `dy` and what was kept.
macro_rules! twins {
    ($($(#[$meta:meta])* $forward:ident, $backward:ident: |$x:ident| $y:expr, |$kept:ident| $slope:expr;)+) => {
        $(
            $(#[$meta])*
            pub(crate) fn $forward(_: &UnaryParams, args: CpuArgs<'_>) {
                map(args, #[inline(always)] |$x| $y);
            }

            /// Its gradient.
            pub(crate) fn $backward(_: &UnaryParams, args: CpuArgs<'_>) {
                map2(args, #[inline(always)] |dy, $kept| dy * $slope);
            }
        )+
    };
}

twins! {
    /// `y = e^x`; y is kept.
    exp, exp_backward: |x| power(x), |y| y;
    /// `y = ln x`; x is kept.
    ln, ln_backward: |x| libm::logf(x), |x| (1.0 / x);
    /// `y = sqrt x`; y is kept.
    sqrt, sqrt_backward: |x| x.sqrt(), |y| (0.5 / y);
    /// `y = 1 / (1 + e^-x)`; y is kept.
    sigmoid, sigmoid_backward: |x| 1.0 / (1.0 + power(-x)), |y| (y * (1.0 - y));
    /// `y = (e^x - e^-x) / (e^x + e^-x)`; y is kept.
    tanh, tanh_backward: |x| tangent(x), |y| (1.0 - y * y);
}

/// `y = slope x` where `x <= 0`, else `x`; y is kept.
pub(crate) fn leaky_relu(p: &UnaryParams, args: CpuArgs<'_>) {
    map(
        args,
        #[inline(always)]
        |x| if x <= 0.0 { p.slope * x } else { x },
    );
}

/// Its gradient.
pub(crate) fn leaky_relu_backward(p: &UnaryParams, args: CpuArgs<'_>) {
    map2(
        args,
        #[inline(always)]
        |dy, y| if y <= 0.0 { p.slope * dy } else { dy },
    );
}

/// Near 0 by a polynomial (Cephes' `tanhf`), where the difference of powers would cancel.
#[inline(always)]
fn tangent(x: f32) -> f32 {
    let z = x * x;
    let mut p = -5.704_988_7e-3;
    for factor in [2.063_909e-2, -5.373_971_6e-2, 0.133_314_42, -0.333_332_8] {
        p = p * z + factor;
    }
    let far = (1.0 - 2.0 / (power(2.0 * x.abs()) + 1.0)).copysign(x);
    if x.abs() < 0.625 { x + x * z * p } else { far }
}
