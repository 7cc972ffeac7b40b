//! The matrices of `F(4, 3)` (Lavin and Gray 2015, section 4.2) on vectors of channels.

use pulp::Simd;

pub(super) type Square<S, const N: usize> = [[<S as Simd>::f32s; N]; N];

/// A matrix L of TO rows and FROM columns. A trait and not a closure, whose calls are never inlined into code for a processor's own
/// instructions.
pub(super) trait Matrix<const FROM: usize, const TO: usize> {
    /// `L x`
    fn times<S: Simd>(simd: S, x: [S::f32s; FROM]) -> [S::f32s; TO];
}

/// `L d L^T`
#[inline(always)]
pub(super) fn both_sides<S: Simd, L: Matrix<FROM, TO>, const FROM: usize, const TO: usize>(
    simd: S,
    d: &Square<S, FROM>,
) -> Square<S, TO> {
    let zero = simd.splat_f32s(0.0);
    let mut half = [[zero; TO]; FROM];
    for column in 0..FROM {
        let mut values = [zero; FROM];
        for row in 0..FROM {
            values[row] = d[row][column];
        }
        half[column] = L::times(simd, values);
    }
    let mut square = [[zero; TO]; TO];
    for row in 0..TO {
        let mut values = [zero; FROM];
        for column in 0..FROM {
            values[column] = half[column][row];
        }
        square[row] = L::times(simd, values);
    }
    square
}

/// `a * b + c` for a number a.
#[inline(always)]
fn mul_add<S: Simd>(simd: S, a: f32, b: S::f32s, c: S::f32s) -> S::f32s {
    simd.mul_add_f32s(simd.splat_f32s(a), b, c)
}

/// `a * b` for a number a.
#[inline(always)]
fn mul<S: Simd>(simd: S, a: f32, b: S::f32s) -> S::f32s {
    simd.mul_f32s(simd.splat_f32s(a), b)
}

/// B^T
pub(super) struct Input;

impl Matrix<6, 6> for Input {
    #[inline(always)]
    fn times<S: Simd>(simd: S, d: [S::f32s; 6]) -> [S::f32s; 6] {
        let (even, odd) = (
            mul_add(simd, -4.0, d[2], d[4]),
            mul_add(simd, -4.0, d[1], d[3]),
        );
        let (even_2, odd_2) = (simd.sub_f32s(d[4], d[2]), simd.sub_f32s(d[3], d[1]));
        [
            mul_add(simd, 4.0, d[0], mul_add(simd, -5.0, d[2], d[4])),
            simd.add_f32s(even, odd),
            simd.sub_f32s(even, odd),
            mul_add(simd, 2.0, odd_2, even_2),
            mul_add(simd, -2.0, odd_2, even_2),
            mul_add(simd, 4.0, d[1], mul_add(simd, -5.0, d[3], d[5])),
        ]
    }
}

/// A^T
pub(super) struct Output;

impl Matrix<6, 4> for Output {
    #[inline(always)]
    fn times<S: Simd>(simd: S, m: [S::f32s; 6]) -> [S::f32s; 4] {
        let (sum, difference) = (simd.add_f32s(m[1], m[2]), simd.sub_f32s(m[1], m[2]));
        let (sum_2, difference_2) = (simd.add_f32s(m[3], m[4]), simd.sub_f32s(m[3], m[4]));
        [
            simd.add_f32s(m[0], simd.add_f32s(sum, sum_2)),
            mul_add(simd, 2.0, difference_2, difference),
            mul_add(simd, 4.0, sum_2, sum),
            mul_add(simd, 8.0, difference_2, simd.add_f32s(difference, m[5])),
        ]
    }
}

/// A
pub(super) struct OutputGradient;

impl Matrix<4, 6> for OutputGradient {
    #[inline(always)]
    fn times<S: Simd>(simd: S, dy: [S::f32s; 4]) -> [S::f32s; 6] {
        let (even, odd) = (simd.add_f32s(dy[0], dy[2]), simd.add_f32s(dy[1], dy[3]));
        let even_2 = mul_add(simd, 4.0, dy[2], dy[0]);
        let odd_2 = mul_add(simd, 8.0, dy[3], simd.add_f32s(dy[1], dy[1]));
        [
            dy[0],
            simd.add_f32s(even, odd),
            simd.sub_f32s(even, odd),
            simd.add_f32s(even_2, odd_2),
            simd.sub_f32s(even_2, odd_2),
            dy[3],
        ]
    }
}

/// G
pub(super) struct Filter;

impl Matrix<3, 6> for Filter {
    #[inline(always)]
    fn times<S: Simd>(simd: S, g: [S::f32s; 3]) -> [S::f32s; 6] {
        let (even, odd) = (
            mul(simd, -1.0 / 6.0, simd.add_f32s(g[0], g[2])),
            mul(simd, -1.0 / 6.0, g[1]),
        );
        let even_2 = mul_add(simd, 1.0 / 24.0, g[0], mul(simd, 1.0 / 6.0, g[2]));
        let odd_2 = mul(simd, 1.0 / 12.0, g[1]);
        [
            mul(simd, 0.25, g[0]),
            simd.add_f32s(even, odd),
            simd.sub_f32s(even, odd),
            simd.add_f32s(even_2, odd_2),
            simd.sub_f32s(even_2, odd_2),
            g[2],
        ]
    }
}

/// 24 G^T, of whole numbers: sums that nearly cancel out are exact for longer than those of sixths.
pub(super) struct FilterGradient;

impl Matrix<6, 3> for FilterGradient {
    #[inline(always)]
    fn times<S: Simd>(simd: S, u: [S::f32s; 6]) -> [S::f32s; 3] {
        let (sum, difference) = (simd.add_f32s(u[1], u[2]), simd.sub_f32s(u[2], u[1]));
        let (sum_2, difference_2) = (simd.add_f32s(u[3], u[4]), simd.sub_f32s(u[3], u[4]));
        [
            mul_add(simd, 6.0, u[0], mul_add(simd, -4.0, sum, sum_2)),
            mul_add(
                simd,
                4.0,
                difference,
                simd.add_f32s(difference_2, difference_2),
            ),
            mul_add(simd, 24.0, u[5], mul(simd, 4.0, simd.sub_f32s(sum_2, sum))),
        ]
    }
}
