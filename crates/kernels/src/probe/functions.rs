//! Built-in functions as operators use them, beside the same in f64: `pow` as in LRN, `exp` and `log` as in softmax, `sqrt` and
//! division as in Adam.
//!
//! The bounds are twice what WGSL allows a conforming device ("Floating Point Accuracy"), worked out for the arguments that are tried;
//! one ULP is at most `2^-23` of the result.
#![expect(
    clippy::disallowed_methods,
    reason = "references in f64, within whose bounds a device is"
)]

use crate::device::Device;
use crate::error::Result;
use crate::ops::adam::{self, Adam};
use crate::ops::lrn::{self, Lrn};
use crate::ops::softmax::{self, Kind};
use crate::step::{ParameterUpdate, StepScalars};

/// Arguments of each function.
const SAMPLES: usize = 256;

/// `log2` may be off by 3 ULP, of up to 20; times .6 that is 2.4e-6 of the power. `exp2(12)` adds 27 ULP, 3.2e-6.
const POW_BOUND: f64 = 2.0 * 5.6e-6;
/// `exp(-80)` may be off by 3 + 2 x 80 ULP, 1.9e-5, the division by 2.5.
const EXP_BOUND: f64 = 2.0 * 2e-5;
/// The exponential of up to 10 moves the logarithm by 23 ULP of one, 2.7e-6; 3 ULP of up to 10 are 2.9e-6, and the result is rounded.
const LOG_BOUND: f64 = 2.0 * 6.1e-6;
/// The root may be off by 2 ULP and a division's 2.5, as the reciprocal of its own reciprocal; then a sum, a division, a product: 10 ULP.
const SQRT_BOUND: f64 = 2.0 * 1.2e-6;

/// How far a function is off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FunctionError {
    /// Its name in WGSL.
    pub function: &'static str,
    /// The largest error over the arguments tried: relative, of `log` absolute. Infinite if a result is not a number.
    pub error: f64,
    /// The most that training is known to stand.
    pub bound: f64,
}

impl FunctionError {
    /// Whether it is within the bound.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.error <= self.bound
    }
}

/// Runs the operators and compares.
pub(super) fn probe(device: &Device) -> Result<Vec<FunctionError>> {
    let row = |function, error, bound| FunctionError {
        function,
        error,
        bound,
    };
    Ok(vec![
        row("pow", pow_error(device)?, POW_BOUND),
        row("exp", exp_error(device)?, EXP_BOUND),
        row("log", log_error(device)?, LOG_BOUND),
        row("sqrt", sqrt_error(device)?, SQRT_BOUND),
    ])
}

/// `x (1e-6 + x^2)^-0.6` by LRN over one channel, for x from .03 to 1000: an exponent that the shader has no shorter way for.
fn pow_error(device: &Device) -> Result<f64> {
    let spec = Lrn {
        radius_before: 0,
        radius_after: 0,
        bias: 1e-6,
        alpha: 1.0,
        beta: 0.6,
    };
    let inputs = spread(0.03, 1000.0);
    let outputs = lrn::forward(device, &spec, &device.upload(&inputs)?, 1)?;
    let expected = inputs.iter().map(|&x| {
        let x = f64::from(x);
        x * (f64::from(spec.bias) + x * x).powf(-f64::from(spec.beta))
    });
    let outputs = device.read::<f32>(&outputs)?;
    Ok(largest(outputs.iter().copied().zip(expected), true))
}

/// Probabilities of two classes whose logits are up to 80 apart.
fn exp_error(device: &Device) -> Result<f64> {
    let apart = spread(0.01, 80.0);
    let outputs = pairs(device, Kind::Softmax, &apart)?;
    let expected = apart.iter().map(|&x| {
        let e = (-f64::from(x)).exp();
        e / (1.0 + e)
    });
    Ok(largest(outputs.into_iter().zip(expected), true))
}

/// Log-probabilities of two classes whose logits are up to 10 apart.
fn log_error(device: &Device) -> Result<f64> {
    let apart = spread(0.01, 10.0);
    let outputs = pairs(device, Kind::LogSoftmax, &apart)?;
    let expected = apart
        .iter()
        .map(|&x| -f64::from(x) - (-f64::from(x)).exp().ln_1p());
    Ok(largest(outputs.into_iter().zip(expected), false))
}

/// What `kind` makes of the lower of the logits `[0, -x]`.
fn pairs(device: &Device, kind: Kind, apart: &[f32]) -> Result<Vec<f32>> {
    let logits: Vec<f32> = apart.iter().flat_map(|&x| [0.0, -x]).collect();
    let outputs = softmax::forward(device, kind, &device.upload(&logits)?, 2)?;
    let outputs = device.read::<f32>(&outputs)?;
    Ok(outputs.chunks_exact(2).map(|pair| pair[1]).collect())
}

/// Adam's step `-m / (sqrt(v) + epsilon)` for m = 1 and v from 1e-12 to 1e4, where decays of 1 leave both as they are.
fn sqrt_error(device: &Device) -> Result<f64> {
    let spec = Adam {
        beta1: 1.0,
        beta2: 1.0,
        epsilon: 1e-8,
        weight_decay: 0.0,
        ..Adam::default()
    };
    let variances = spread(1e-12, 1e4);
    let zeros = vec![0.0_f32; SAMPLES];
    let (parameter, gradient) = (device.upload(&zeros)?, device.upload(&zeros)?);
    let (mean, variance) = (
        device.upload(&[1.0_f32; SAMPLES])?,
        device.upload(&variances)?,
    );
    let step = device.upload(&StepScalars::new(0, 1, 1.0).to_words())?;
    let update = ParameterUpdate {
        parameter: &parameter,
        gradient: &gradient,
        step: &step,
        scale: None,
    };
    adam::update(device, &spec, &update, &mean, &variance)?;
    let expected = variances
        .iter()
        .map(|&v| -1.0 / (f64::from(v).sqrt() + f64::from(spec.epsilon)));
    let outputs = device.read::<f32>(&parameter)?;
    Ok(largest(outputs.into_iter().zip(expected), true))
}

/// Numbers from `least` to `most`, each as many times the one before.
fn spread(least: f32, most: f32) -> Vec<f32> {
    let steps = (SAMPLES - 1) as f32;
    let factor = (most / least).powf(1.0 / steps);
    (0_u16..)
        .take(SAMPLES)
        .map(|i| least * factor.powi(i32::from(i)))
        .collect()
}

/// The largest difference, or share of what was expected.
fn largest(pairs: impl Iterator<Item = (f32, f64)>, is_relative: bool) -> f64 {
    pairs.fold(0.0, |most: f64, (output, expected)| {
        let scale = if is_relative { expected.abs() } else { 1.0 };
        let error = (f64::from(output) - expected).abs() / scale;
        if error.is_nan() {
            f64::INFINITY
        } else {
            most.max(error)
        }
    })
}
