//! Every shader variant: launched, and compared with the CPU device.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::thread;

use kernels::ops::conv2d::{self, Conv2d};
use kernels::ops::gemm::{self, Epilogue, Gemm, naive_product};
use kernels::ops::window::{Padding, Window};
use kernels::ops::{accuracy, cast, elementwise};
use kernels::{Activation, Buffer, Device, TileKind, TilePlan, Width};
use shaders::{Variant, variants};
use verify::operators::{check_f16, check_twin, gpu};

use super::{check_cases, no_gpu, tiled};

/// What the cases of an operator may cost: all of it but its large sizes.
const SMALL_FLOPS: usize = 2_000_000;

#[test]
fn every_variant_runs() {
    if std::env::var_os("OP").is_some() {
        return; // one operator was asked for
    }
    let default = match gpu() {
        Ok(device) => device,
        Err(reason) => return no_gpu(&reason),
    };
    let ran = Mutex::new(HashSet::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            check_operators(&default);
            ran.lock().unwrap().extend(default.compiled());
        });
        for (tile, device) in tiled() {
            let ran = &ran;
            scope.spawn(move || {
                let device = device.lock().unwrap_or_else(PoisonError::into_inner);
                for width in widths(&device) {
                    check_products(&device, width);
                    check_convolutions((&device, *tile), width);
                }
                ran.lock().unwrap().extend(device.compiled());
            });
        }
    });
    let ran = ran.into_inner().unwrap();
    let has_subgroups = tiled().len() == TileKind::ALL.len();
    let can_run = |variant: &Variant| {
        (default.has_f16() || !variant.is_f16()) && (has_subgroups || !variant.needs_subgroups())
    };
    let listed: HashSet<Variant> = variants().into_iter().filter(can_run).collect();
    let names = |these: &HashSet<Variant>, but: &HashSet<Variant>| -> Vec<String> {
        let mut names: Vec<_> = these.difference(but).map(ToString::to_string).collect();
        names.sort();
        names
    };
    let missing = names(&listed, &ran);
    assert!(missing.is_empty(), "not run: {missing:#?}");
    let unknown = names(&ran, &listed);
    assert!(unknown.is_empty(), "not listed: {unknown:#?}");
}

fn widths(device: &Device) -> Vec<Width> {
    let f16 = device.has_f16().then_some(Width::F16);
    [Width::Word].into_iter().chain(f16).collect()
}

/// The small cases of every operator, and what is in no case: counts, which are words, a fill of f16, and the product
/// that benches compare with.
fn check_operators(device: &Device) {
    check_cases(device, &[], SMALL_FLOPS, check_twin);
    if device.has_f16() {
        check_cases(device, &[], SMALL_FLOPS, check_f16);
        let filled = upload(device, &[0.0; 5], Width::F16);
        elementwise::fill(device, &filled, 1.5).unwrap();
        assert_eq!(read(device, &filled), [1.5; 5], "fill");
    }
    let [counts, want] = [device, &Device::cpu()].map(|device| {
        let logits = device.upload(&numbers(5 * 3, 1)).unwrap();
        let labels = device.upload(&[0_u32, 2, 1, 2, 0]).unwrap();
        let counts = device.upload(&[7_u32; 3 * 3]).unwrap();
        let ranking = accuracy::rank(device, &logits, &labels, [5, 3]).unwrap();
        accuracy::confusion(device, &ranking, &labels, &counts).unwrap();
        device.read::<u32>(&counts).unwrap()
    });
    assert_eq!(counts, want, "confusion");
    assert_eq!(
        counts.iter().sum::<u32>(),
        5 + 7 * 9,
        "each row counts once"
    );
    let [product, want] = [device, &Device::cpu()].map(|device| {
        let [a, b] = [(9 * 7, 1), (7 * 5, 2)]
            .map(|(len, stream)| device.upload(&numbers(len, stream)).unwrap());
        let c = naive_product(device, [9, 5, 7], &a, &b).unwrap();
        device.read::<f32>(&c).unwrap()
    });
    assert_eq!(product, want, "the naive product");
}

/// Small whole numbers, whose products and sums are exact in 32 bits; the same for the same `stream`.
#[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
fn numbers(len: usize, stream: usize) -> Vec<f32> {
    let number = |i: usize| (i * (2 * stream + 3) + i / 7) % 7;
    (0..len).map(|i| number(i) as f32 - 3.0).collect()
}

pub(crate) fn upload(device: &Device, values: &[f32], width: Width) -> Buffer {
    let full = device.upload(values).unwrap();
    cast::forward(device, &full, width).unwrap()
}

fn read(device: &Device, buffer: &Buffer) -> Vec<f32> {
    let full = cast::forward(device, buffer, Width::Word).unwrap();
    device.read(&full).unwrap()
}

/// Exact in 32 bits, and rounded once where it is stored in 16.
#[track_caller]
fn assert_same(got: &[f32], want: &[f32], stored: Width, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    let rounding = match stored {
        Width::Word => 0.0,
        Width::F16 => 2.0_f32.powi(-11),
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

/// The bits of a number as flags, the lowest first.
fn flags<const N: usize>(number: usize) -> [bool; N] {
    std::array::from_fn(|bit| number >> bit & 1 == 1)
}

/// A product: operands, then its result.
#[derive(Debug)]
struct Product {
    gemm: Gemm,
    has_bias: bool,
    is_relu: bool,
    accumulates: bool,
}

impl Product {
    /// One of all combinations of layouts, of sizes that are multiples of 4 or not, and of what happens to the sums.
    fn new(number: usize) -> Self {
        let [ta, tb, odd_m, odd_n, odd_k, has_bias, accumulates, long] = flags(number);
        // Long sums are split where tiles are for GPUs.
        let k = if long { 516 } else { 20 };
        let [m, n, k] =
            [(36, odd_m), (40, odd_n), (k, odd_k)].map(|(size, is_odd)| size - usize::from(is_odd));
        Self {
            gemm: Gemm {
                is_a_transposed: ta,
                is_b_transposed: tb,
                ..Gemm::new(m, n, k)
            },
            has_bias,
            is_relu: number.is_multiple_of(3),
            accumulates,
        }
    }

    fn run(&self, device: &Device, operands: Width, result: Width) -> Vec<f32> {
        let Gemm { m, n, k, .. } = self.gemm;
        let [a, b] = [(m * k, 1), (k * n, 2)].map(|(len, stream)| numbers(len, stream));
        let [a, b] = [a, b].map(|values| upload(device, &values, operands));
        let c = upload(device, &numbers(m * n, 3), result);
        let bias = upload(device, &numbers(n, 4), Width::Word);
        let epilogue = Epilogue {
            alpha: 1.0,
            beta: if self.accumulates { 1.0 } else { 0.0 },
            bias: self.has_bias.then_some(&bias),
            activation: Activation::relu_if(self.is_relu),
        };
        gemm::update(device, &self.gemm, [&a, &b], &epilogue, &c).unwrap();
        read(device, &c)
    }
}

fn check_products(device: &Device, width: Width) {
    let cpu = Device::cpu();
    for product in (0..1 << 8).map(Product::new) {
        let want = product.run(&cpu, Width::Word, Width::Word);
        // What is stored may be wider than the operands.
        let wider = (width == Width::F16).then_some(Width::Word);
        for stored in [width].into_iter().chain(wider) {
            let got = product.run(device, width, stored);
            let what = format!("{product:?} of {width:?}, stored as {stored:?}");
            assert_same(&got, &want, stored, &what);
        }
    }
}

fn check_convolutions((device, tile): (&Device, TileKind), width: Width) {
    let cpu = Device::cpu();
    for number in 0..1 << 4 {
        let [vector_in, vector_out, is_strided, long] = flags(number);
        // Many pixels make a long sum in the weight gradient, which is split where tiles are for GPUs.
        let side = if long { 24 } else { 7 };
        let conv = Conv2d {
            n: 2,
            input: [side; 2],
            c_in: if vector_in { 8 } else { 7 },
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
            let bias = upload(device, &numbers(conv.c_out, 4), Width::Word);
            let bias = long.then_some(&bias);
            let activation = Activation::relu_if(is_strided);
            let y = conv2d::forward(device, &conv, &x, &w, bias, activation).unwrap();
            let dx = conv2d::data_gradient(device, &conv, &dy, &w).unwrap();
            let dw = conv2d::weight_gradient(device, &conv, &x, &dy).unwrap();
            [y, dx, dw].map(|buffer| (read(device, &buffer), buffer.width()))
        };
        let wants = run(&cpu, Width::Word);
        // As the sizes have it, and split whatever they are.
        for splits in [None, Some(2)] {
            device.set_plan(splits.map(|splits| TilePlan { tile, splits }));
            for ((got, stored), (want, _)) in run(device, width).iter().zip(&wants) {
                assert_same(got, want, *stored, &format!("{conv:?} in {splits:?}"));
            }
        }
        device.set_plan(None);
    }
}
