//! The pools' twins against naive walks over windows, and against PyTorch's conventions.

use super::naive;
use super::support::{assert_equal, integers, on_threads, widen};
use crate::cpu::avg_pool::AvgPoolParams;
use crate::cpu::max_pool::PoolParams;
use crate::cpu::{avg_pool, max_pool};
use crate::kernel::{CpuArgs, words};

fn square(n: u32, h: u32, c: u32, k: u32, stride: u32, pads: [u32; 2]) -> PoolParams {
    let out = (h + pads[0] + pads[1] - k) / stride + 1;
    PoolParams {
        n,
        h,
        w: h,
        c,
        kh: k,
        kw: k,
        stride_h: stride,
        stride_w: stride,
        pad_top: pads[0],
        pad_left: pads[0],
        dilation_h: 1,
        dilation_w: 1,
        out_h: out,
        out_w: out,
    }
}

fn cases() -> Vec<PoolParams> {
    let odd = PoolParams {
        w: 6,
        kw: 2,
        stride_w: 3,
        pad_left: 1,
        dilation_h: 2,
        dilation_w: 3,
        out_h: 4,
        out_w: 2,
        ..square(2, 8, 5, 3, 2, [1, 1])
    };
    vec![
        square(3, 16, 48, 3, 2, [0, 1]),
        square(2, 13, 7, 3, 2, [0, 0]),
        square(1, 4, 1, 2, 2, [0, 0]),
        square(1, 6, 130, 3, 2, [1, 0]),
        square(2, 5, 33, 3, 1, [1, 1]),
        square(1, 5, 3, 5, 1, [0, 0]),
        square(2, 7, 4, 2, 3, [0, 0]),
        odd,
    ]
}

fn lens(p: &PoolParams) -> [usize; 2] {
    [p.n * p.h * p.w * p.c, p.n * p.out_h * p.out_w * p.c].map(|len| len as usize)
}

fn max_forward(p: &PoolParams, x: &[f32]) -> [Vec<f32>; 2] {
    let mut outputs = [0, 1].map(|_| vec![f32::NAN; lens(p)[1]]);
    let [y, argmax] = &mut outputs;
    max_pool::forward(
        p,
        CpuArgs {
            reads: vec![x],
            writes: vec![y, argmax],
        },
    );
    outputs
}

fn max_backward(p: &PoolParams, dy: &[f32], argmax: &[f32]) -> Vec<f32> {
    let mut dx = vec![f32::NAN; lens(p)[0]];
    max_pool::backward(
        p,
        CpuArgs {
            reads: vec![dy, argmax],
            writes: vec![&mut dx],
        },
    );
    dx
}

#[test]
fn maxima_and_their_gradients_match() {
    for p in cases() {
        // Whole numbers in a small range: ties everywhere.
        let (x, dy) = (integers(lens(&p)[0], 1), integers(lens(&p)[1], 2));
        let mut best: Vec<Option<(f32, usize, usize)>> = vec![None; dy.len()];
        naive::windows(&p, |output, input, position| {
            if best[output].is_none_or(|(most, ..)| x[input] > most) {
                best[output] = Some((x[input], input, position));
            }
        });
        let best: Vec<_> = best.into_iter().map(Option::unwrap).collect();
        let mut want_dx = vec![0.0; x.len()];
        for ((_, input, _), &dy) in best.iter().zip(&dy) {
            want_dx[*input] += f64::from(dy);
        }
        let [y, argmax] = max_forward(&p, &x);
        assert_equal(
            "y",
            &y,
            &best
                .iter()
                .map(|best| f64::from(best.0))
                .collect::<Vec<_>>(),
        );
        let positions: Vec<_> = best
            .iter()
            .map(|best| u32::try_from(best.2).unwrap())
            .collect();
        assert_eq!(words(&argmax), positions, "{p:?}");
        assert_equal("dx", &max_backward(&p, &dy, &argmax), &want_dx);
    }
}

#[test]
fn a_nan_wins_and_minus_infinity_is_a_value() {
    let p = square(1, 3, 1, 3, 1, [0, 0]);
    let mut x = [f32::NEG_INFINITY; 9];
    let [y, argmax] = max_forward(&p, &x);
    assert_eq!((y[0], words(&argmax)[0]), (f32::NEG_INFINITY, 0));
    (x[2], x[4], x[7]) = (9.0, f32::NAN, 10.0);
    let [y, argmax] = max_forward(&p, &x);
    assert!(y[0].is_nan(), "{y:?}");
    assert_eq!(words(&argmax), [4]);
}

/// Extents that PyTorch divides by, from its `avg_pool2d` kernel.
fn divisor(p: &AvgPoolParams, oy: u32, ox: u32) -> f64 {
    let side = |o: u32, [stride, k, pad, len, pad_end]: [u32; 5]| {
        let start = i64::from(o * stride) - i64::from(pad);
        let end = (start + i64::from(k)).min(i64::from(len + pad_end));
        let (cut_start, cut_end) = (start.max(0), end.min(i64::from(len)));
        if p.count_include_pad == 0 {
            cut_end - cut_start
        } else {
            end - start
        }
    };
    let area = side(oy, [p.stride_h, p.kh, p.pad_top, p.h, p.pad_bottom])
        * side(ox, [p.stride_w, p.kw, p.pad_left, p.w, p.pad_right]);
    f64::from(i32::try_from(area).unwrap())
}

#[test]
fn means_and_their_gradients_match() {
    for (pool, count_include_pad) in cases().into_iter().flat_map(|p| [(p, 0), (p, 1)]) {
        if pool.dilation_h > 1 {
            continue; // PyTorch has no dilated mean to compare with.
        }
        let p = AvgPoolParams {
            n: pool.n,
            h: pool.h,
            w: pool.w,
            c: pool.c,
            kh: pool.kh,
            kw: pool.kw,
            stride_h: pool.stride_h,
            stride_w: pool.stride_w,
            pad_top: pool.pad_top,
            pad_left: pool.pad_left,
            dilation_h: 1,
            dilation_w: 1,
            out_h: pool.out_h,
            out_w: pool.out_w,
            pad_bottom: pool.pad_top,
            pad_right: pool.pad_left,
            count_include_pad,
        };
        let (x, dy) = (integers(lens(&pool)[0], 1), integers(lens(&pool)[1], 2));
        let (mut want_y, mut want_dx) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
        let per_output = |output: usize| {
            let pixel = u32::try_from(output).unwrap() / p.c;
            divisor(&p, pixel / p.out_w % p.out_h, pixel % p.out_w)
        };
        naive::windows(&pool, |output, input, _| {
            want_y[output] += f64::from(x[input]) / per_output(output);
            want_dx[input] += f64::from(dy[output]) / per_output(output);
        });
        let (mut y, mut dx) = (vec![f32::NAN; dy.len()], vec![f32::NAN; x.len()]);
        avg_pool::forward(
            &p,
            CpuArgs {
                reads: vec![&x],
                writes: vec![&mut y],
            },
        );
        avg_pool::backward(
            &p,
            CpuArgs {
                reads: vec![&dy],
                writes: vec![&mut dx],
            },
        );
        for (got, want) in [(&y, &want_y), (&dx, &want_dx)] {
            for (got, want) in widen(got).iter().zip(want) {
                assert!((got - want).abs() < 1e-5, "{p:?}: got {got}, want {want}");
            }
        }
    }
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let p = square(5, 16, 48, 3, 2, [0, 1]);
    let (x, dy) = (integers(lens(&p)[0], 1), integers(lens(&p)[1], 2));
    let [one, three] = on_threads(|| {
        let [y, argmax] = max_forward(&p, &x);
        (y, max_backward(&p, &dy, &argmax))
    });
    assert_eq!(one, three);
}
