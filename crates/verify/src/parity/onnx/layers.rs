//! Normalisations and dropout.

use tensor::ops::batch_norm::{BatchNorm, Momentum};
use tensor::ops::elementwise::full;
use tensor::ops::lrn::Lrn;
use tensor::update::{StepBuffer, StepScalars};
use tensor::{Device, Tensor};

use super::super::array::Array;
use super::super::layout::{channels_first, channels_last};
use super::super::recorded::{Loaded, Outcome};
use super::super::{Error, Result};

pub(super) fn batch_norm(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let attributes = case.attributes;
    let number = |name, default| {
        if attributes.has(name) {
            attributes.float(name)
        } else {
            Ok(default)
        }
    };
    let spec = BatchNorm {
        momentum: Momentum::OfOld(number("momentum", 0.9)?),
        epsilon: number("epsilon", 1e-5)?,
        is_unbiased: false,
    };
    let vectors: Vec<Tensor> = (1..5)
        .map(|i| case.at(i)?.to_tensor(device))
        .collect::<Result<_>>()?;
    let [gamma, beta, mean, variance] = &vectors[..] else {
        return Err(Error::Unknown("expected four vectors".to_owned()));
    };
    let x = channels_last(case.at(0)?)?.to_tensor(device)?;
    let is_training = attributes.has("training_mode") && attributes.flag("training_mode")?;
    let (affine, running) = ([gamma, beta], [mean, variance]);
    let y = if is_training {
        x.batch_norm(&spec, affine, running)?
    } else {
        x.batch_norm_eval(&spec, affine, running)?
    };
    let [mean, variance] = running.map(Array::from_tensor);
    Ok(case.named([channels_first(&Array::from_tensor(&y)?)?, mean?, variance?]))
}

/// Alpha is divided by the window, which leans to the later channels if it is even.
pub(super) fn lrn(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let attributes = case.attributes;
    let number = |name, default| {
        if attributes.has(name) {
            attributes.real(name)
        } else {
            Ok(default)
        }
    };
    let size = attributes.size("size")?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding to f32 is the purpose"
    )]
    let spec = Lrn {
        radius_before: size.saturating_sub(1) / 2,
        radius_after: size / 2,
        bias: number("bias", 1.0)? as f32,
        alpha: (number("alpha", 1e-4)? / size as f64) as f32,
        beta: number("beta", 0.75)? as f32,
    };
    let y = channels_last(case.at(0)?)?.to_tensor(device)?.lrn(&spec)?;
    Ok(case.named([channels_first(&Array::from_tensor(&y)?)?]))
}

/// Evaluation is the identity. In training the recorded mask comes from `NumPy`'s generator: it is taken as given, and the
/// scale is that of this project's dropout.
pub(super) fn dropout(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let x = case.at(0)?;
    let number = |array: &Array| array.to_f64().first().copied();
    let is_training = case
        .optional_at(2)
        .and_then(number)
        .is_some_and(|t| t != 0.0);
    let attribute = if case.attributes.has("ratio") {
        case.attributes.real("ratio")?
    } else {
        0.5
    };
    let ratio = case.optional_at(1).and_then(number).unwrap_or(attribute);
    let ones = Array::integer(x.shape.clone(), vec![1; x.len()]);
    if !is_training {
        return Ok(case.named([x.clone(), ones]));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding to f32 is the purpose"
    )]
    let scale = scale_of(device, ratio as f32)?;
    let recorded = case.outputs.first().map(|(_, want)| want.values.to_f64());
    let recorded = recorded.ok_or_else(|| Error::Unknown("no output".to_owned()))?;
    // A dropped element is 0; one that was 0 before tells nothing, and gives 0 either way.
    let mask: Vec<f64> = recorded
        .iter()
        .map(|&y| if y == 0.0 { 0.0 } else { 1.0 })
        .collect();
    let kept = Array::real(x.shape.clone(), mask.clone()).to_tensor(device)?;
    let y = x.to_tensor(device)?.mul(&kept)?.scale(scale)?;
    let mask = mask
        .into_iter()
        .map(|kept| i64::from(kept != 0.0))
        .collect();
    Ok(case.named([
        Array::from_tensor(&y)?,
        Array::integer(x.shape.clone(), mask),
    ]))
}

/// What dropout multiplies the elements by that it keeps; an error if it does anything else to ones.
fn scale_of(device: &Device, ratio: f32) -> Result<f32> {
    let step = StepBuffer::new(device, &StepScalars::new(1, 1, 0.0))?;
    let dropped = full(device, [4096], 1.0)?.dropout(ratio, &step.rng(0))?;
    let values = dropped.to_vec::<f32>()?;
    let scale = values.iter().copied().fold(0.0, f32::max);
    let n_kept = values.iter().filter(|&&y| y == scale).count();
    let n_dropped = values.iter().filter(|&&y| y == 0.0).count();
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    let share = n_dropped as f32 / values.len() as f32;
    // Six standard deviations of the share of 4,096 draws.
    let is_fair = (share - ratio).abs() <= 6.0 * (ratio * (1.0 - ratio) / 4096.0).sqrt();
    if n_kept + n_dropped == values.len() && is_fair {
        Ok(scale)
    } else {
        Err(Error::Unknown(format!(
            "dropout of {ratio} dropped {share} of its input"
        )))
    }
}
