//! Convolution twins against the naive sum of products.

use super::naive;
use super::support::{assert_equal, fractions, integers, on_threads};
use crate::cpu::conv2d::Conv2dParams;
use crate::cpu::conv2d::{data_gradient, forward, weight_gradient, winograd};
use crate::kernel::CpuArgs;

/// A convolution of square images and filters without dilation, output size by division.
fn square(
    n: u32,
    h: u32,
    [c_in, c_out, groups]: [u32; 3],
    k: u32,
    stride: u32,
    pads: [u32; 2],
) -> Conv2dParams {
    let out = (h + pads[0] + pads[1] - k) / stride + 1;
    Conv2dParams {
        n,
        h,
        w: h,
        c_in,
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
        c_out,
        groups,
        k_per_split: 0,
        relu: 0,
    }
}

fn lens(p: &Conv2dParams) -> [usize; 3] {
    [
        p.n * p.h * p.w * p.c_in,
        p.kh * p.kw * (p.c_in / p.groups) * p.c_out,
        p.n * p.out_h * p.out_w * p.c_out,
    ]
    .map(|len| len as usize)
}

type Twin = fn(&Conv2dParams, CpuArgs<'_>);

/// Forward pass, gradient of the data, gradient of the filters.
const DIRECT: [Twin; 3] = [forward::<false>, data_gradient, weight_gradient];
const TRANSFORMED: [Twin; 3] = [
    winograd::forward::<false>,
    winograd::data_gradient,
    winograd::weight_gradient,
];

fn run(twin: Twin, p: &Conv2dParams, reads: &[&[f32]], len: usize) -> Vec<f32> {
    let mut output = vec![f32::NAN; len];
    twin(
        p,
        CpuArgs {
            reads: reads.to_vec(),
            writes: vec![&mut output],
        },
    );
    output
}

fn check(p: &Conv2dParams) {
    let [x_len, w_len, y_len] = lens(p);
    let (x, w, dy) = (integers(x_len, 1), integers(w_len, 2), integers(y_len, 3));
    let bias = integers(p.c_out as usize, 4);
    let (mut want_y, mut want_dx, mut want_dw) =
        (vec![0.0; y_len], vec![0.0; x_len], vec![0.0; w_len]);
    naive::conv2d(p, |at| {
        let [x, w, dy] = [x[at.x], w[at.w], dy[at.y]].map(f64::from);
        want_y[at.y] += x * w;
        want_dx[at.x] += dy * w;
        want_dw[at.w] += dy * x;
    });
    assert_equal("y", &run(forward::<false>, p, &[&x, &w], y_len), &want_y);
    assert_equal("dx", &run(data_gradient, p, &[&dy, &w], x_len), &want_dx);
    assert_equal("dw", &run(weight_gradient, p, &[&x, &dy], w_len), &want_dw);
    for (idx, y) in want_y.iter_mut().enumerate() {
        *y = (*y + f64::from(bias[idx % bias.len()])).max(0.0);
    }
    let relu = Conv2dParams { relu: 1, ..*p };
    assert_equal(
        "relu(y + bias)",
        &run(forward::<true>, &relu, &[&x, &w, &bias], y_len),
        &want_y,
    );
}

#[test]
fn plain_convolutions_match() {
    check(&square(17, 4, [20, 36, 1], 3, 1, [1, 1]));
    check(&square(33, 7, [32, 64, 1], 3, 1, [1, 1]));
    check(&square(40, 5, [48, 130, 1], 5, 1, [2, 2]));
    check(&square(1, 1, [16, 130, 1], 1, 1, [0, 0]));
    check(&square(2, 6, [17, 1, 1], 2, 1, [0, 1]));
    check(&square(1, 40, [16, 3, 1], 1, 1, [0, 0]));
}

#[test]
fn few_channels_with_long_filter_rows_match() {
    check(&square(2, 9, [3, 10, 1], 5, 2, [2, 2]));
    check(&square(34, 11, [3, 48, 1], 7, 2, [2, 3]));
    check(&square(3, 23, [3, 96, 1], 11, 4, [0, 0]));
    check(&square(1, 8, [1, 5, 1], 3, 1, [1, 0]));
}

#[test]
fn groups_match() {
    check(&square(35, 7, [8, 6, 2], 3, 2, [1, 1]));
    check(&square(2, 5, [48, 96, 2], 3, 1, [1, 1]));
    check(&square(3, 7, [6, 6, 6], 3, 2, [1, 1]));
    check(&square(3, 7, [4, 12, 4], 3, 1, [1, 1]));
}

#[test]
fn unequal_strides_dilations_and_padding_match() {
    let odd = Conv2dParams {
        w: 9,
        kw: 2,
        stride_w: 2,
        pad_left: 2,
        dilation_h: 2,
        dilation_w: 3,
        out_h: 4,
        out_w: 6,
        ..square(9, 12, [6, 4, 2], 3, 3, [1, 1])
    };
    check(&odd);
    check(&Conv2dParams { n: 36, ..odd });
    check(&Conv2dParams { groups: 1, ..odd });
    // Filters larger than the image, and outputs that see only padding.
    check(&Conv2dParams {
        h: 2,
        w: 2,
        pad_top: 5,
        pad_left: 9,
        ..odd
    });
}

#[test]
fn an_empty_batch_has_no_output_and_a_zero_weight_gradient() {
    check(&square(0, 4, [20, 36, 1], 3, 1, [1, 1]));
}

/// Transforms of 4 x 4 outputs divide the filters by up to 24 for rows and for columns: multiples of 576 stay whole numbers, and
/// such small ones stay far below 2^24, so that results are exact.
#[test]
fn transformed_convolutions_match() {
    let small = |len, seed| {
        integers(len, seed)
            .iter()
            .map(|value| value.clamp(-2.0, 2.0))
            .collect::<Vec<_>>()
    };
    let scaled = |values: &[f32]| values.iter().map(|value| 576.0 * value).collect::<Vec<_>>();
    for p in [
        square(3, 8, [16, 16, 1], 3, 1, [1, 1]),
        square(2, 13, [32, 80, 1], 3, 1, [1, 1]),
        square(5, 7, [64, 32, 2], 3, 1, [2, 0]),
        square(1, 3, [16, 48, 1], 3, 1, [0, 0]),
        square(1, 1, [16, 16, 1], 3, 1, [1, 1]),
        square(0, 4, [16, 16, 1], 3, 1, [1, 1]),
        Conv2dParams {
            w: 150,
            out_w: 150,
            ..square(2, 6, [16, 64, 1], 3, 1, [1, 1])
        },
    ] {
        let [x_len, w_len, y_len] = lens(&p);
        let (x, w, dy) = (small(x_len, 1), small(w_len, 2), small(y_len, 3));
        let bias = scaled(&small(p.c_out as usize, 4));
        let (mut y, mut dx, mut dw) = (vec![0.0; y_len], vec![0.0; x_len], vec![0.0; w_len]);
        naive::conv2d(&p, |at| {
            let [x, w, dy] = [x[at.x], w[at.w], dy[at.y]].map(f64::from);
            y[at.y] += 576.0 * x * w;
            dx[at.x] += 576.0 * dy * w;
            dw[at.w] += dy * x;
        });
        let w = scaled(&w);
        assert_equal(
            "y",
            &run(winograd::forward::<false>, &p, &[&x, &w], y_len),
            &y,
        );
        assert_equal(
            "dx",
            &run(winograd::data_gradient, &p, &[&dy, &w], x_len),
            &dx,
        );
        assert_equal(
            "dw",
            &run(winograd::weight_gradient, &p, &[&x, &dy], w_len),
            &dw,
        );
        for (idx, y) in y.iter_mut().enumerate() {
            *y = (*y + f64::from(bias[idx % bias.len()])).max(0.0);
        }
        let relu = Conv2dParams { relu: 1, ..p };
        let reads: [&[f32]; 3] = [&x, &w, &bias];
        assert_equal(
            "relu(y + bias)",
            &run(winograd::forward::<true>, &relu, &reads, y_len),
            &y,
        );
    }
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    for (p, twins) in [
        (square(65, 6, [24, 50, 1], 3, 1, [1, 1]), DIRECT),
        (square(40, 12, [3, 20, 1], 5, 2, [2, 2]), DIRECT),
        (square(40, 13, [16, 48, 1], 3, 1, [1, 1]), TRANSFORMED),
    ] {
        let [x_len, w_len, y_len] = lens(&p);
        let (x, w, dy) = (
            fractions(x_len, 1),
            fractions(w_len, 2),
            fractions(y_len, 3),
        );
        let relu = Conv2dParams { relu: 1, ..p };
        let [one, three] = on_threads(|| {
            [
                run(twins[0], &relu, &[&x, &w], y_len),
                run(twins[1], &p, &[&dy, &w], x_len),
                run(twins[2], &p, &[&x, &dy], w_len),
            ]
            .map(|values| {
                values
                    .iter()
                    .map(|value| value.to_bits())
                    .collect::<Vec<_>>()
            })
        });
        assert_eq!(one, three, "{p:?}");
    }
}
