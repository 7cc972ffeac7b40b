//! The matrix product's twin against the naive triple loop.

use super::naive;
use super::support::{assert_equal, fractions, integers, on_threads, widen};
use crate::cpu::gemm::GemmParams;
use crate::cpu::gemm::{Transposes, forward, gemm};
use crate::kernel::CpuArgs;

fn params(m: u32, n: u32, k: u32) -> GemmParams {
    GemmParams {
        m,
        n,
        k,
        lda: m.max(k) + 3,
        ldb: n.max(k) + 1,
        ldc: n + 2,
        a_offset: 0,
        b_offset: 0,
        c_offset: 0,
        k_per_split: 0,
        alpha: 1.0,
        beta: 0.0,
        relu: 0,
        layers: 1,
    }
}

fn check(p: &GemmParams) {
    let len = |rows: u32, leading: u32| (rows * leading) as usize;
    let a = integers(len(p.m.max(p.k), p.lda), 1);
    let b = integers(len(p.n.max(p.k), p.ldb), 2);
    let old = integers(len(p.m, p.ldc), 3);
    for transposed in [[false, false], [false, true], [true, false], [true, true]] {
        let mut c = old.clone();
        let mut want = widen(&old);
        let transposes = Transposes {
            a: transposed[0],
            b: transposed[1],
        };
        gemm(p, transposes, [&a, &b], None, &mut c);
        naive::gemm(p, transposed, &widen(&a), &widen(&b), &mut want);
        assert_equal(&format!("{p:?} {transposed:?}"), &c, &want);
    }
}

#[test]
fn all_transposes_match() {
    for [m, n, k] in [
        [1, 1, 1],
        [5, 7, 3],
        [33, 10, 129],
        [128, 10, 257],
        [1, 300, 70],
        [260, 1, 40],
        [64, 97, 2],
    ] {
        check(&params(m, n, k));
        check(&GemmParams {
            alpha: 0.5,
            beta: -2.0,
            ..params(m, n, k)
        });
    }
}

/// One chain of fused multiply-adds for each piece of at most 512 terms, in order: what the caches of a machine can't change.
#[test]
fn sums_are_cut_by_shape_alone() {
    for ([m, n, k], piece) in [([40, 33, 1500], 500), ([90, 130, 1025], 342)] {
        let p = params(m, n, k);
        let (a, b) = (
            fractions((m * p.lda) as usize, 1),
            fractions((k * p.ldb) as usize, 2),
        );
        let mut c = vec![0.0; (m * p.ldc) as usize];
        gemm(&p, Transposes::default(), [&a, &b], None, &mut c);
        let [lda, ldb, ldc] = [p.lda, p.ldb, p.ldc].map(|leading| leading as usize);
        for (i, j) in (0..m as usize).flat_map(|i| (0..n as usize).map(move |j| (i, j))) {
            let want = (0..k as usize)
                .step_by(piece)
                .map(|start| {
                    (start..(start + piece).min(k as usize)).fold(0.0, |sum, l| {
                        multiply_add(a[i * lda + l], b[l * ldb + j], sum)
                    })
                })
                .reduce(|sum, piece| sum + piece)
                .unwrap();
            assert_eq!(c[i * ldc + j].to_bits(), want.to_bits(), "{p:?} {i} {j}");
        }
    }
}

/// As this processor's products do: rounded once where it has fused multiply-add.
fn multiply_add(a: f32, b: f32, sum: f32) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if !is_x86_feature_detected!("fma") {
        return a * b + sum;
    }
    a.mul_add(b, sum)
}

#[test]
fn sums_without_terms_are_zero() {
    check(&params(4, 5, 0));
    check(&GemmParams {
        beta: 3.0,
        ..params(4, 5, 0)
    });
    check(&params(0, 5, 4));
}

#[test]
fn offsets_bias_and_relu_apply_and_old_nan_does_not_leak() {
    let p = GemmParams {
        lda: 2,
        ldb: 2,
        ldc: 2,
        a_offset: 1,
        b_offset: 2,
        c_offset: 3,
        relu: 1,
        ..params(2, 2, 2)
    };
    let (a, b, bias) = (
        [9.0, 1.0, 2.0, 3.0, 4.0],
        [9.0, 9.0, 1.0, 0.0, -1.0, 1.0],
        [0.0, -3.5],
    );
    let mut c = [f32::NAN; 7];
    let args = CpuArgs {
        reads: vec![&a, &b, &bias],
        writes: vec![&mut c],
    };
    forward::<false, false, true>(&p, args);
    assert_eq!(c[3..], [0.0, 0.0, 0.0, 0.5]);
    assert!(
        c[..3].iter().all(|value| value.is_nan()),
        "nothing before the offset is written"
    );
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let p = GemmParams {
        lda: 700,
        ldb: 120,
        ldc: 120,
        ..params(130, 120, 700)
    };
    let (a, b) = (fractions(130 * 700, 1), fractions(700 * 120, 2));
    let [one, three] = on_threads(|| {
        let mut c = vec![0.0; 130 * 120];
        gemm(&p, Transposes::default(), [&a, &b], None, &mut c);
        c.iter().map(|value| value.to_bits()).collect::<Vec<_>>()
    });
    assert_eq!(one, three);
}
