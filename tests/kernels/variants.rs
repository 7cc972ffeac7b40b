//! Variants of matrix products and convolutions that the cases of AlexNet do not reach: all of convolution, and of products, which
//! have nine flags, every three flags in every combination. So for each tile whose text is its own; of the two that are the
//! small one with other numbers every fifth run is made, and in 16 bits, where only types differ, every third, as a software
//! rasteriser takes a second to compile some.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use kernels::ops::cast;
use kernels::ops::conv2d::{self, Conv2d};
use kernels::ops::gemm::{self, Epilogue, Gemm};
use kernels::ops::window::{Padding, Window};
use kernels::{Buffer, Device, TileKind, Width};

use super::for_each_tile;

/// Calls `check` for each tile with each width that the adapter has, and says which of its runs to make.
fn for_each_tile_and_width(check: impl Fn(&Device, Width, usize, &str)) {
    for_each_tile(|device, tile| {
        let is_like_small = matches!(tile, TileKind::Large | TileKind::Medium);
        let every = if is_like_small { 5 } else { 1 };
        check(device, Width::Full, every, &format!("{tile:?}"));
        if device.has_f16() {
            let name = format!("{tile:?}, 16 bits");
            check(device, Width::Half, every.max(3), &name);
        }
    });
}

/// Small whole numbers, whose products and sums are exact in 32 bits; the same for the same `stream`.
#[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
fn numbers(len: usize, stream: usize) -> Vec<f32> {
    let number = |i: usize| (i * (2 * stream + 3) + i / 7) % 7;
    (0..len).map(|i| number(i) as f32 - 3.0).collect()
}

fn upload(device: &Device, values: &[f32], width: Width) -> Buffer {
    let full = device.upload(values).unwrap();
    cast::forward(device, &full, width).unwrap()
}

fn read(device: &Device, buffer: &Buffer) -> Vec<f32> {
    let full = cast::forward(device, buffer, Width::Full).unwrap();
    device.read(&full).unwrap()
}

/// Exact in 32 bits, and rounded once where it is stored in 16.
#[track_caller]
fn assert_same(got: &[f32], want: &[f32], stored: Width, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    let rounding = match stored {
        Width::Full => 0.0,
        Width::Half => 2.0_f32.powi(-11),
    };
    let wrong = |(got, want): &(&f32, &f32)| (*got - *want).abs() > rounding * want.abs();
    let found = got
        .iter()
        .zip(want)
        .enumerate()
        .find(|(_, pair)| wrong(pair));
    assert!(
        found.is_none(),
        "{what}: (place, (got, expected)): {found:?}"
    );
}

/// A two-level design in which every three of eleven factors take all eight combinations: the twelve runs of Plackett and Burman
/// (1946), and the same with every level changed.
fn design() -> Vec<[bool; 11]> {
    const FIRST: [u8; 11] = *b"++-+++---+-";
    let shifted = (0..11).map(|by| std::array::from_fn(|i| FIRST[(i + by) % 11] == b'+'));
    let runs: Vec<[bool; 11]> = shifted.chain([[false; 11]]).collect();
    let opposite = runs.iter().map(|run| run.map(|level| !level));
    let opposite: Vec<_> = opposite.collect();
    [runs, opposite].concat()
}

/// A product: operands, then its result.
struct Product {
    gemm: Gemm,
    has_bias: bool,
    is_relu: bool,
    accumulates: bool,
}

impl Product {
    fn run(&self, device: &Device, operands: Width, result: Width) -> Vec<f32> {
        let Gemm { m, n, k, .. } = self.gemm;
        let [a, b] = [(m * k, 1), (k * n, 2)].map(|(len, stream)| numbers(len, stream));
        let [a, b] = [a, b].map(|values| upload(device, &values, operands));
        let c = upload(device, &numbers(m * n, 3), result);
        let bias = upload(device, &numbers(n, 4), Width::Full);
        let epilogue = Epilogue {
            alpha: 1.0,
            beta: if self.accumulates { 1.0 } else { 0.0 },
            bias: self.has_bias.then_some(&bias),
            is_relu: self.is_relu,
        };
        gemm::update(device, &self.gemm, [&a, &b], &epilogue, &c).unwrap();
        read(device, &c)
    }
}

#[test]
fn every_three_flags_of_a_product_run_together() {
    let cpu = Device::cpu();
    for_each_tile_and_width(|device, width, every, tile| {
        for run in design().into_iter().step_by(every) {
            let [
                ta,
                tb,
                vector_a,
                vector_b,
                has_bias,
                is_relu,
                accumulates,
                long,
                wide,
                ..,
            ] = run;
            let [m, n] = [(vector_a, 36), (vector_b, 40)].map(|(even, n)| n - usize::from(!even));
            // Along K lie rows of A as it is, and of B transposed. Long sums are split where tiles are for GPUs.
            let even = if ta { !tb || vector_b } else { vector_a };
            let k = if long { 516 } else { 20 } - usize::from(!even);
            let product = Product {
                gemm: Gemm {
                    is_a_transposed: ta,
                    is_b_transposed: tb,
                    ..Gemm::new(m, n, k)
                },
                has_bias,
                is_relu,
                accumulates,
            };
            let stored = if wide { Width::Full } else { width };
            let want = product.run(&cpu, Width::Full, Width::Full);
            let got = product.run(device, width, stored);
            let what = format!("{tile}: {:?} bias {has_bias}", product.gemm);
            assert_same(&got, &want, stored, &what);
        }
    });
}

#[test]
fn every_variant_of_a_convolution_runs() {
    let cpu = Device::cpu();
    for_each_tile_and_width(|device, width, every, tile| {
        for flags in (0_u8..16).step_by(every) {
            let [vector_in, vector_out, is_strided, long] = [1, 2, 4, 8].map(|bit| flags & bit > 0);
            // Many pixels make a long sum in the weight gradient, which is split where tiles are for GPUs.
            let side = if long { 24 } else { 7 };
            let conv = Conv2d {
                n: 2,
                input: [side; 2],
                c_in: if vector_in { 4 } else { 3 },
                c_out: if vector_out { 8 } else { 7 },
                window: Window::new(3, 1 + usize::from(is_strided), Padding::Same),
                groups: 1,
            };
            let [out_h, out_w] = conv.output().unwrap();
            let (inputs, outputs) = (2 * side * side * conv.c_in, 2 * out_h * out_w * conv.c_out);
            let run = |device: &Device, width: Width| {
                let operand = |len, stream| upload(device, &numbers(len, stream), width);
                let (x, dy) = (operand(inputs, 1), operand(outputs, 2));
                let w = operand(9 * conv.c_in * conv.c_out, 3);
                let bias = upload(device, &numbers(conv.c_out, 4), Width::Full);
                let bias = long.then_some(&bias);
                let y = conv2d::forward(device, &conv, &x, &w, bias, is_strided).unwrap();
                let dx = conv2d::data_gradient(device, &conv, &dy, &w).unwrap();
                let dw = conv2d::weight_gradient(device, &conv, &x, &dy).unwrap();
                [y, dx, dw].map(|buffer| (read(device, &buffer), buffer.width()))
            };
            for ((got, stored), (want, _)) in run(device, width).iter().zip(run(&cpu, Width::Full))
            {
                assert_same(got, &want, *stored, &format!("{tile}: {conv:?}"));
            }
        }
    });
}
