//! im2col against the convolution it stands for, col2im as its transpose, and the sum over columns.

use super::naive;
use super::support::{assert_equal, integers};
use crate::cpu::column_sum::column_sum;
use crate::cpu::conv2d::Conv2dParams;
use crate::cpu::gemm::GemmParams;
use crate::cpu::gemm::{Transposes, gemm};
use crate::cpu::im2col::{col2im, im2col};
use crate::kernel::CpuArgs;

fn params() -> Conv2dParams {
    Conv2dParams {
        n: 3,
        h: 7,
        w: 6,
        c_in: 5,
        kh: 3,
        kw: 2,
        stride_h: 2,
        stride_w: 1,
        pad_top: 1,
        pad_left: 2,
        dilation_h: 1,
        dilation_w: 2,
        out_h: 4,
        out_w: 7,
        c_out: 4,
        groups: 1,
        k_per_split: 0,
        relu: 0,
    }
}

#[test]
fn patches_times_filters_are_the_convolution_and_come_back_as_its_gradient() {
    let p = params();
    let (pixels, depth, x_len) = (3 * 4 * 7, 3 * 2 * 5, 3 * 7 * 6 * 5);
    let (x, w, dy) = (
        integers(x_len, 1),
        integers(depth * 4, 2),
        integers(pixels * 4, 3),
    );
    let (mut want_y, mut want_dx) = (vec![0.0; pixels * 4], vec![0.0; x_len]);
    naive::conv2d(&p, |at| {
        want_y[at.y] += f64::from(x[at.x]) * f64::from(w[at.w]);
        want_dx[at.x] += f64::from(dy[at.y]) * f64::from(w[at.w]);
    });
    let mut patches = vec![f32::NAN; pixels * depth];
    im2col(
        &p,
        CpuArgs {
            reads: vec![&x],
            writes: vec![&mut patches],
        },
    );
    let forward = GemmParams {
        m: 84,
        n: 4,
        k: 30,
        lda: 30,
        ldb: 4,
        ldc: 4,
        a_offset: 0,
        b_offset: 0,
        c_offset: 0,
        k_per_split: 0,
        alpha: 1.0,
        beta: 0.0,
        relu: 0,
        layers: 1,
    };
    let mut y = vec![f32::NAN; pixels * 4];
    gemm(
        &forward,
        Transposes::default(),
        [&patches, &w],
        None,
        &mut y,
    );
    assert_equal("y", &y, &want_y);
    let backward = GemmParams {
        n: 30,
        k: 4,
        lda: 4,
        ldb: 4,
        ldc: 30,
        ..forward
    };
    gemm(
        &backward,
        Transposes { a: false, b: true },
        [&dy, &w],
        None,
        &mut patches,
    );
    let mut dx = vec![f32::NAN; x_len];
    col2im(
        &p,
        CpuArgs {
            reads: vec![&patches],
            writes: vec![&mut dx],
        },
    );
    assert_equal("dx", &dx, &want_dx);
}

#[test]
fn columns_sum_up() {
    for (rows, columns) in [(1, 1), (5, 3), (1000, 48), (4097, 10), (3, 5000)] {
        let values = integers(rows * columns, 1);
        let mut want = vec![0.0; columns];
        for (idx, &value) in values.iter().enumerate() {
            want[idx % columns] += f64::from(value);
        }
        let mut sums = vec![f32::NAN; columns];
        column_sum(&values, &mut sums);
        assert_equal("sums", &sums, &want);
    }
}
