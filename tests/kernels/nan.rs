//! A NaN passes through every operator that compares, of either sign, so that it is noticed: on each device.

use kernels::ops::clip_grad_norm::{self, Norm};
use kernels::ops::conv2d::{self, Conv2d};
use kernels::ops::gemm::{self, Epilogue, Gemm};
use kernels::ops::sgd::{self, Sgd};
use kernels::ops::unary::{self, Unary};
use kernels::ops::window::{Padding, Window};
use kernels::ops::{bias, relu};
use kernels::{Activation, Buffer, Device, ParameterUpdate, Result, StepScalars};

/// Numbers around the NaN, and what ReLU makes of them.
const AROUND: [f32; 7] = [-1.0, -0.0, 0.0, 2.0, f32::INFINITY, f32::NEG_INFINITY, 0.5];
const CUT: [f32; 7] = [0.0, 0.0, 0.0, 2.0, f32::INFINITY, 0.0, 0.5];

/// Whether `y` is [`CUT`] and then a NaN.
fn is_cut(device: &Device, y: &Buffer) -> Result<bool> {
    let y: Vec<f32> = device.read(y)?;
    Ok(y[..7] == CUT && y[7].is_nan())
}

fn upload_with(device: &Device, nan: f32) -> Result<Buffer> {
    let mut values = AROUND.to_vec();
    values.push(nan);
    device.upload(&values)
}

/// ReLU, by itself and as what becomes of sums.
fn check_relu(device: &Device, nan: f32) -> Result<()> {
    let name = device.name();
    let x = upload_with(device, nan)?;
    assert!(
        is_cut(device, &relu::forward(device, &x)?)?,
        "relu on {name}"
    );
    let ones = device.upload(&[1.0_f32; 8])?;
    let dx: Vec<f32> = device.read(&relu::backward(device, &ones, &x)?)?;
    assert_eq!(
        dx,
        [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0],
        "relu on {name}"
    );
    for columns in [1, 8] {
        let bias = device.upload(&vec![0.0_f32; columns])?;
        let y = bias::forward(device, &x, &bias, Activation::Relu)?;
        assert!(is_cut(device, &y)?, "bias on {name}");
    }
    let one = device.upload(&[1.0_f32])?;
    let epilogue = Epilogue {
        activation: Activation::Relu,
        ..Epilogue::default()
    };
    let y = gemm::product_with(device, &Gemm::new(8, 1, 1), [&x, &one], &epilogue)?;
    assert!(is_cut(device, &y)?, "gemm on {name}");
    let conv = Conv2d {
        n: 8,
        input: [1, 1],
        c_in: 1,
        c_out: 1,
        window: Window::new(1, 1, Padding::Valid),
        groups: 1,
    };
    let y = conv2d::forward(device, &conv, &x, &one, None, Activation::Relu)?;
    assert!(is_cut(device, &y)?, "conv2d on {name}");
    Ok(())
}

/// The functions that bound their argument, the norms, and an update by their factor.
fn check_rest(device: &Device, nan: f32) -> Result<()> {
    let name = device.name();
    let x = upload_with(device, nan)?;
    let [zeros, ones] = [device.upload(&[0.0_f32; 8])?, device.upload(&[1.0_f32; 8])?];
    for function in [Unary::Sigmoid, Unary::Tanh, Unary::LeakyRelu { slope: 0.1 }] {
        let y = unary::forward(device, function, &x)?;
        let y: Vec<f32> = device.read(&y)?;
        assert!(y[7].is_nan() && !y[0].is_nan(), "{function:?} on {name}");
    }
    for norm in [Norm::One, Norm::Two, Norm::Infinity] {
        let clip = clip_grad_norm::forward(device, &[&x, &zeros], 1.0, norm)?;
        let (total, factor): (Vec<f32>, Vec<f32>) =
            (device.read(&clip.total)?, device.read(&clip.factor)?);
        assert!(
            total[0].is_nan() && factor[0].is_nan(),
            "{norm:?} on {name}"
        );
    }
    // A factor that is NaN is no sign to skip a step.
    let (parameter, scale) = (device.upload(&[1.0_f32; 8])?, device.upload(&[nan])?);
    let step = StepScalars::new(0, 1, 0.5).upload(device)?;
    let update = ParameterUpdate {
        parameter: &parameter,
        gradient: &ones,
        step: &step,
        scale: Some(&scale),
    };
    let spec = Sgd {
        momentum: 0.0,
        ..Sgd::default()
    };
    sgd::update(device, &spec, &update, None)?;
    let parameter: Vec<f32> = device.read(&parameter)?;
    assert!(
        parameter.iter().all(|value| value.is_nan()),
        "sgd on {name}"
    );
    Ok(())
}

#[test]
fn a_nan_passes_and_is_noticed() {
    for device in [Some(Device::cpu()), verify::operators::gpu().ok()] {
        let Some(device) = device else { continue };
        for nan in [f32::NAN, -f32::NAN] {
            check_relu(&device, nan).unwrap();
            check_rest(&device, nan).unwrap();
        }
    }
}
