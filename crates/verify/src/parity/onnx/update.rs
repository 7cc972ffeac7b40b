//! Optimizers, which ONNX states as one step on several parameters: R (rate), T (steps before), then X.., G.., states..

use tensor::update::{Adam, Sgd, StepBuffer, StepScalars, adam_step, sgd_step};
use tensor::{Device, Tensor};

use super::super::array::Array;
use super::super::recorded::{Loaded, Outcome};
use super::super::{Error, Result};

/// The rate, the number of steps before, and the tensors in `kinds` lists of one length.
fn inputs(
    case: &Loaded<'_>,
    device: &Device,
    kinds: usize,
) -> Result<(f64, i64, Vec<Vec<Tensor>>)> {
    let first = |i: usize| {
        let values = case.at(i)?.to_f64();
        let missing = || Error::Unknown(format!("input {i} has no elements"));
        values.first().copied().ok_or_else(missing)
    };
    let (rate, steps) = (
        first(0)?,
        case.at(1)?.to_i64()?.first().copied().unwrap_or(0),
    );
    let n = case.inputs.len().saturating_sub(2) / kinds;
    let list = |kind: usize| {
        let range = 2 + kind * n..2 + (kind + 1) * n;
        range
            .map(|i| case.at(i)?.to_tensor(device))
            .collect::<Result<Vec<_>>>()
    };
    Ok((rate, steps, (0..kinds).map(list).collect::<Result<_>>()?))
}

fn states(case: &Loaded<'_>, lists: &[&[Tensor]]) -> Result<Outcome> {
    let arrays: Vec<Array> = lists
        .iter()
        .flat_map(|list| list.iter())
        .map(Array::from_tensor)
        .collect::<Result<_>>()?;
    Ok(case.named(arrays))
}

/// ONNX adds epsilon before the bias correction, so the correction is a part of the rate.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to f32 is the purpose"
)]
pub(super) fn adam(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let attributes = case.attributes;
    let (rate, steps, lists) = inputs(case, device, 4)?;
    let [parameters, gradients, means, variances] = &lists[..] else {
        return Err(Error::Unknown("expected four lists".to_owned()));
    };
    let number = |name, default| {
        if attributes.has(name) {
            attributes.real(name)
        } else {
            Ok(default)
        }
    };
    let spec = Adam {
        beta1: number("alpha", 0.9)?,
        beta2: number("beta", 0.999)?,
        epsilon: number("epsilon", 1e-6)? as f32,
        weight_decay: number("norm_coefficient", 0.0)? as f32,
        ..Adam::default()
    };
    let t = steps as f64;
    let correction = (1.0 - spec.beta2.powf(t)).sqrt() / (1.0 - spec.beta1.powf(t));
    let rate = if steps > 0 { rate * correction } else { rate };
    let step = StepBuffer::new(device, &StepScalars::new(0, 1, rate as f32))?;
    let decay = 1.0 - number("norm_coefficient_post", 0.0)?;
    let mut updated = Vec::new();
    for (i, parameter) in parameters.iter().enumerate() {
        let moments = [&means[i], &variances[i]];
        adam_step(&spec, parameter, &gradients[i], moments, &step, None)?;
        updated.push(parameter.scale(decay as f32)?);
    }
    states(case, &[&updated, means, variances])
}

/// `beta` is the weight of the gradient in the velocity, after the first step.
pub(super) fn momentum(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let attributes = case.attributes;
    let (rate, steps, lists) = inputs(case, device, 3)?;
    let [parameters, gradients, velocities] = &lists[..] else {
        return Err(Error::Unknown("expected three lists".to_owned()));
    };
    let spec = Sgd {
        momentum: attributes.float("alpha")?,
        dampening: if steps > 0 {
            1.0 - attributes.float("beta")?
        } else {
            0.0
        },
        weight_decay: attributes.float("norm_coefficient")?,
        is_nesterov: attributes.text("mode")? == "nesterov",
        ..Sgd::default()
    };
    // The velocity is given, so this is never the first step, which would set it.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding to f32 is the purpose"
    )]
    let step = StepBuffer::new(device, &StepScalars::new(0, 2, rate as f32))?;
    for (i, parameter) in parameters.iter().enumerate() {
        sgd_step(
            &spec,
            parameter,
            &gradients[i],
            Some(&velocities[i]),
            &step,
            None,
        )?;
    }
    states(case, &[parameters, velocities])
}
