//! Element by element over whole buffers, in parallel and under the widest vectors; and an exponential that vectorises.

use rayon::prelude::*;

use super::wide::{each, wide};
use crate::kernel::CpuArgs;

/// Elements per parallel task: 64 KiB of each operand, a fraction of a core's L2.
pub(in crate::cpu) const CHUNK: usize = 16 * 1024;

/// `y = f(x)`. `f` must be `#[inline(always)]`.
pub(in crate::cpu) fn map(args: CpuArgs<'_>, f: impl Fn(f32) -> f32 + Sync) {
    let ([x], [y]) = args.split();
    let chunks = y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK));
    chunks.for_each(|(y, x)| {
        wide(
            #[inline(always)]
            || each(y, [x], |_, [x]| f(x)),
        );
    });
}

/// `y = f(a, b)`. `f` must be `#[inline(always)]`.
pub(in crate::cpu) fn map2(args: CpuArgs<'_>, f: impl Fn(f32, f32) -> f32 + Sync) {
    let ([a, b], [y]) = args.split();
    let operands = a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK));
    let chunks = y.par_chunks_mut(CHUNK).zip(operands);
    chunks.for_each(|(y, (a, b))| {
        wide(
            #[inline(always)]
            || each(y, [a, b], |_, [a, b]| f(a, b)),
        );
    });
}

/// `e^x` to about one in the last place, by `2^k e^r` with `|r| <= ln 2 / 2` and Taylor's series of `e^r`. Nothing but exactly
/// rounded operations: the same bits on every machine.
#[inline(always)]
pub(in crate::cpu) fn exp(x: f32) -> f32 {
    // Adding it leaves the nearest whole number in the last bits.
    const ROUND: f32 = 12_582_912.0;
    // Beyond these the result is infinite, or 0. A NaN is restored at the end.
    let bounded = x.clamp(-104.0, 89.0);
    let k = (bounded * std::f32::consts::LOG2_E + ROUND) - ROUND;
    // ln 2 in two parts, the first of so few bits that its product with k is exact (Cody and Waite 1980).
    let r = (bounded - k * 0.693_359_4) + k * 2.121_944_4e-4;
    let mut sum = 1.0 / 5040.0;
    for factor in [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        sum = sum * r + factor;
    }
    // In two steps, as 2^128 and 2^-150 are no normal floats.
    let half = (k * 0.5 + ROUND) - ROUND;
    let y = sum * power_of_two(half) * power_of_two(k - half);
    if x.is_nan() { x } else { y }
}

/// `2^k` for a whole number `k` in `-126..=127`.
#[inline(always)]
fn power_of_two(k: f32) -> f32 {
    // The number itself is in the last bits of the sum, from which its exponent is made.
    let bits = (k + 12_582_912.0 + 127.0).to_bits();
    f32::from_bits(bits << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_right_to_the_last_place() {
        for i in -8800_i16..=8800 {
            let x = f32::from(i) / 100.0;
            let (got, want) = (f64::from(exp(x)), f64::from(x).exp());
            // Below 2^-126 there are fewer places.
            let unit = (want * 2.0_f64.powi(-23)).max(2.0_f64.powi(-149));
            assert!((got - want).abs() <= 1.5 * unit, "e^{x}: {got}, not {want}");
        }
        assert!(exp(f32::NAN).is_nan(), "NaN passes");
        let ends = [f32::INFINITY, 100.0, f32::NEG_INFINITY, -200.0].map(exp);
        assert_eq!(ends, [f32::INFINITY, f32::INFINITY, 0.0, 0.0], "ends");
    }
}
