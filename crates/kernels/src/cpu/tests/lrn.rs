//! Local response normalisation's twin against the equation and against recorded values.

use verify::operators::{compare, tolerance};

use super::naive;
use super::support::{fractions, on_threads, widen};
use crate::cpu::lrn::LrnParams;
use crate::cpu::lrn::{backward, forward};
use crate::kernel::CpuArgs;

fn params(
    rows: u32,
    channels: u32,
    [before, after]: [u32; 2],
    [bias, alpha, beta]: [f32; 3],
) -> LrnParams {
    LrnParams {
        rows,
        channels,
        before,
        after,
        bias,
        alpha,
        beta,
    }
}

fn run(twin: fn(&LrnParams, CpuArgs<'_>), p: &LrnParams, reads: &[&[f32]]) -> Vec<f32> {
    let mut output = vec![f32::NAN; (p.rows * p.channels) as usize];
    twin(
        p,
        CpuArgs {
            reads: reads.to_vec(),
            writes: vec![&mut output],
        },
    );
    output
}

fn check(p: &LrnParams) {
    let len = (p.rows * p.channels) as usize;
    let x: Vec<f32> = fractions(len, 1).iter().map(|x| 3.0 * x).collect();
    let dy = fractions(len, 5);
    let terms = (p.before + p.after + 1) as usize + 8;
    let (wide_x, wide_dy) = (widen(&x), widen(&dy));
    let y = compare(
        "y",
        &widen(&run(forward, p, &[&x])),
        &naive::lrn(p, &wide_x),
        3.0,
        tolerance(terms),
    );
    assert!(y.passed, "{p:?}: {y:?}");
    let want = naive::lrn_gradient(p, &wide_x, &wide_dy);
    let dx = compare(
        "dx",
        &widen(&run(backward, p, &[&dy, &x])),
        &want,
        3.0,
        4.0 * tolerance(terms),
    );
    assert!(dx.passed, "{p:?}: {dx:?}");
}

#[test]
fn windows_of_every_kind_match() {
    for beta in [0.75, 0.5, 1.0, 0.6] {
        for reach in [[2, 2], [0, 0], [1, 2], [2, 1], [0, 3], [40, 40]] {
            check(&params(130, 48, reach, [2.0, 0.02, beta]));
            check(&params(7, 5, reach, [1.0, 1.0, beta]));
            check(&params(3, 1, reach, [1.0, 0.5, beta]));
        }
    }
    check(&params(2, 5000, [2, 2], [1.0, 0.1, 0.75]));
}

#[test]
fn the_recorded_values_come_out() {
    let x = [1.0, 2.0, 3.0, 4.0, 5.0];
    let alexnet = [
        0.594_291_58,
        1.187_871_01,
        1.780_140_39,
        2.373_609_29,
        2.967_455_55,
    ];
    let got = run(forward, &params(1, 5, [2, 2], [2.0, 1e-4, 0.75]), &[&x]);
    assert!(
        compare("", &widen(&got), &alexnet, 3.0, tolerance(5)).passed,
        "AlexNet's: {got:?}"
    );
    let tensorflow = [
        0.133_630_62,
        0.267_261_24,
        0.400_891_86,
        0.534_522_48,
        0.668_153_1,
    ];
    let got = run(forward, &params(1, 5, [5, 5], [1.0, 1.0, 0.5]), &[&x]);
    assert!(
        compare("", &widen(&got), &tensorflow, 1.0, tolerance(5)).passed,
        "TensorFlow's: {got:?}"
    );
}

#[test]
fn huge_and_zero_values_give_no_nan() {
    let x = [0.0, 1e30, -1e30, 0.0, 1e-30];
    let p = params(1, 5, [2, 2], [2.0, 1e-4, 0.75]);
    let results = [run(forward, &p, &[&x]), run(backward, &p, &[&[1.0; 5], &x])];
    assert!(
        results.iter().flatten().all(|value| !value.is_nan()),
        "{results:?}"
    );
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let p = params(3000, 48, [2, 2], [2.0, 0.02, 0.75]);
    let (x, dy) = (fractions(3000 * 48, 1), fractions(3000 * 48, 2));
    let [one, three] = on_threads(|| [run(forward, &p, &[&x]), run(backward, &p, &[&dy, &x])]);
    assert_eq!(one, three);
}
