//! f16: conversion, what refuses them, and the step that is skipped when a gradient overflows.

use kernels::ops::adam::{self, Adam};
use kernels::ops::gemm::{self, Epilogue, Gemm};
use kernels::ops::sgd::{self, Sgd};
use kernels::ops::{cast, relu};
use kernels::{Buffer, Device, Error, ParameterUpdate, StepScalars, Width};
use verify::operators::gpu;

use super::no_gpu;
use super::variants::upload;

/// A GPU with f16.
pub(crate) fn device() -> Option<Device> {
    match gpu() {
        Ok(device) if device.has_f16() => return Some(device),
        Ok(device) => no_gpu(&format!("{} has no f16", device.name())),
        Err(reason) => no_gpu(&reason),
    }
    None
}

fn f16(device: &Device, values: &[f32]) -> Buffer {
    upload(device, values, Width::F16)
}

#[test]
fn numbers_are_rounded_to_16_bits_and_come_back() {
    let Some(device) = device() else { return };
    // The last of 11 bits of 1 is 2^-10; the least number is 2^-24; the largest 65,504. IEEE 754, binary16.
    let cases: [(f32, u16); 9] = [
        (0.0, 0x0000),
        (-2.0, 0xC000),
        (1.0, 0x3C00),
        (1.0 + 0.75 / 1024.0, 0x3C01),
        (1.0 + 0.25 / 1024.0, 0x3C00),
        (65_504.0, 0x7BFF),
        (1e6, 0x7C00),
        (5.960_464_5e-8, 0x0001),
        (-6.103_515_6e-5, 0x8400),
    ];
    let narrow = f16(&device, &cases.map(|(value, _)| value));
    assert_eq!((narrow.len(), narrow.bytes()), (9, 18), "two bytes each");
    let bits = device.read::<u16>(&narrow).unwrap();
    assert_eq!(bits[..9], cases.map(|(_, bits)| bits), "{:?}", cases);
    let back = cast::forward(&device, &narrow, Width::Word).unwrap();
    let back = device.read::<f32>(&back).unwrap();
    assert_eq!(back[1..3], [-2.0, 1.0], "exact numbers are the same again");
    assert!(back[6].is_infinite(), "1e6 is beyond 16 bits");
    let again = cast::forward(&device, &narrow, Width::F16).unwrap();
    assert!(again.shares_storage(&narrow), "nothing to convert");
}

#[test]
fn devices_without_16_bit_floats_say_so() {
    let device = Device::cpu();
    let error = device.alloc_as(Width::F16, 4).unwrap_err();
    assert!(matches!(error, Error::NoF16 { .. }), "{error}");
    assert!(error.to_string().contains("cpu ("), "{error}");
}

#[test]
fn buffers_of_the_wrong_width_are_refused() {
    let Some(device) = device() else { return };
    let (narrow, full) = (
        f16(&device, &[1.0; 8]),
        device.upload(&[1.0_f32; 8]).unwrap(),
    );
    let error = relu::backward(&device, &full, &narrow).unwrap_err();
    assert_eq!(
        error.to_string(),
        "relu_backward: binding 1 takes 16-bit elements, got 32-bit elements",
        "dy is of other floats than y"
    );
}

/// The gradient of weights: 32-bit sums of products of 16-bit numbers, with a K long enough to be split.
#[test]
fn products_of_16_bit_numbers_may_be_stored_in_32() {
    let Some(device) = device() else { return };
    for (m, n, k) in [(5, 7, 11), (64, 48, 1024)] {
        #[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
        let numbers = |len: usize, by: usize| -> Vec<f32> {
            (0..len).map(|i| (i * by % 7) as f32 - 3.0).collect()
        };
        let (a, b) = (numbers(k * m, 5), numbers(k * n, 3));
        let gemm = Gemm::new(m, n, k).transpose_a();
        let product = |device: &Device, operands: [&Buffer; 2]| {
            let c = device.upload(&vec![1.0_f32; m * n]).unwrap();
            let epilogue = Epilogue {
                beta: 2.0,
                ..Epilogue::default()
            };
            gemm::update(device, &gemm, operands, &epilogue, &c).unwrap();
            device.read::<f32>(&c).unwrap()
        };
        let cpu = Device::cpu();
        let want = product(&cpu, [&cpu.upload(&a).unwrap(), &cpu.upload(&b).unwrap()]);
        let got = product(&device, [&f16(&device, &a), &f16(&device, &b)]);
        // Whole numbers below 2^24: exact, and far over what 16 bits hold exactly.
        assert_eq!(got, want, "{m} x {n} x {k}");
    }
}

#[test]
fn an_update_with_a_negative_scale_changes_nothing() {
    for device in [Some(Device::cpu()), gpu().ok()].into_iter().flatten() {
        let values = [1.0_f32, -2.0, 3.0, 0.5, 7.0];
        let [parameter, first, second] = [(); 3].map(|()| device.upload(&values).unwrap());
        let gradient = device.upload(&[f32::INFINITY; 5]).unwrap();
        let step = StepScalars::new(1, 2, 0.1).upload(&device).unwrap();
        let scale = device.upload(&[-1.0_f32]).unwrap();
        let update = ParameterUpdate {
            parameter: &parameter,
            gradient: &gradient,
            step: &step,
            scale: Some(&scale),
        };
        let sgd = Sgd {
            momentum: 0.9,
            weight_decay: 0.1,
            ..Sgd::default()
        };
        sgd::update(&device, &sgd, &update, Some(&first)).unwrap();
        sgd::update(&device, &Sgd::default(), &update, None).unwrap();
        adam::update(&device, &Adam::default(), &update, &first, &second).unwrap();
        for buffer in [&parameter, &first, &second] {
            let after = device.read::<f32>(buffer).unwrap();
            assert_eq!(after, values, "{}", device.name());
        }
    }
}
