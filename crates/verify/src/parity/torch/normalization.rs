//! Local response normalisation and batch normalisation.

use tensor::ops::batch_norm::{BatchNorm, Momentum};
use tensor::ops::elementwise::full;
use tensor::ops::lrn::Lrn;
use tensor::{Device, Tensor};

use super::super::array::Array;
use super::super::attributes::Attributes;
use super::super::layout::{channels_first, channels_last};
use super::super::recorded::Loaded;
use super::super::{Error, Result};
use super::{Outputs, outputs, with_gradients};

/// The window and constants in the convention that the attributes name: where an even window leans, and whether alpha is
/// divided by its size.
pub(super) fn lrn_of(attributes: Attributes<'_>) -> Result<Lrn> {
    let size = attributes.size("size")?;
    let alpha = attributes.real("alpha")?;
    let (before, after, is_divided) = match attributes.text("convention")? {
        "torch" => (size / 2, size.saturating_sub(1) / 2, true),
        "tf" => (size / 2, size / 2, false),
        "onnx" => (size.saturating_sub(1) / 2, size / 2, true),
        other => return Err(Error::Unknown(format!("unknown convention {other}"))),
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding to f32 is the purpose"
    )]
    let alpha = if is_divided {
        alpha / size as f64
    } else {
        alpha
    } as f32;
    Ok(Lrn {
        radius_before: before,
        radius_after: after,
        bias: attributes.float("k")?,
        alpha,
        beta: attributes.float("beta")?,
    })
}

pub(super) fn lrn(case: &Loaded<'_>, device: &Device) -> Result<Outputs> {
    let [x, dy] = ["x", "dy"].map(|name| channels_last(case.input(name)?)?.to_tensor(device));
    let x = x?.into_parameter();
    let y = x.lrn(&lrn_of(case.attributes)?)?;
    let gradients = with_gradients(&y, &dy?, &[&x])?;
    let [y, dx] = [&y, &gradients[0]].map(|t| channels_first(&Array::from_tensor(t)?));
    Ok(outputs([("y", y?), ("dx", dx?)]))
}

pub(super) fn batch_norm(case: &Loaded<'_>, device: &Device) -> Result<Outputs> {
    let attributes = case.attributes;
    let has_update = attributes.has("running_update");
    let update = if has_update {
        attributes.text("running_update")?
    } else {
        ""
    };
    let spec = BatchNorm {
        momentum: Momentum::OfNew(attributes.float("momentum")?),
        epsilon: attributes.float("eps")?,
        is_unbiased: !update.starts_with("biased"),
    };
    let [gamma, beta, mean, variance] = ["gamma", "beta", "running_mean", "running_var"]
        .map(|name| case.input(name)?.to_tensor(device));
    let (gamma, beta) = (gamma?.into_parameter(), beta?.into_parameter());
    let (mean, variance) = (mean?, variance?);
    let x = channels_last(case.input("x")?)?
        .to_tensor(device)?
        .into_parameter();
    let y = if attributes.flag("training")? {
        x.batch_norm(&spec, [&gamma, &beta], [&mean, &variance])?
    } else {
        x.batch_norm_eval(&spec, [&gamma, &beta], [&mean, &variance])?
    };
    let dy = channels_last(case.input("dy")?)?.to_tensor(device)?;
    let gradients = with_gradients(&y, &dy, &[&x, &gamma, &beta])?;
    let [y, dx] = [&y, &gradients[0]].map(|t| channels_first(&Array::from_tensor(t)?));
    let [dgamma, dbeta, mean, variance] =
        [&gradients[1], &gradients[2], &mean, &variance].map(Array::from_tensor);
    Ok(outputs([
        ("y", y?),
        ("dx", dx?),
        ("dgamma", dgamma?),
        ("dbeta", dbeta?),
        ("running_mean_out", mean?),
        ("running_var_out", variance?),
    ]))
}

/// Several batches one after the other, then the first again with the running statistics.
pub(super) fn batch_norm_steps(case: &Loaded<'_>, device: &Device) -> Result<Outputs> {
    let spec = BatchNorm {
        momentum: Momentum::OfNew(case.attributes.float("momentum")?),
        epsilon: case.attributes.float("eps")?,
        is_unbiased: true,
    };
    let all = case.input("x")?;
    let (steps, shape) = match &all.shape[..] {
        [steps, shape @ ..] if shape.len() >= 2 && *steps > 0 => (*steps, shape.to_vec()),
        other => {
            return Err(Error::Unknown(format!(
                "expected [steps, n, c, ..], got {other:?}"
            )));
        }
    };
    let channels = shape[1];
    let values = all.to_f64();
    let batches: Vec<Tensor> = values
        .chunks_exact((values.len() / steps).max(1))
        .map(|batch| channels_last(&Array::real(shape.clone(), batch.to_vec()))?.to_tensor(device))
        .collect::<Result<_>>()?;
    let new = |value: f32| full(device, [channels], value);
    let (gamma, beta, mean, variance) = (new(1.0)?, new(0.0)?, new(0.0)?, new(1.0)?);
    let mut history = [Vec::new(), Vec::new()];
    for batch in &batches {
        batch.batch_norm(&spec, [&gamma, &beta], [&mean, &variance])?;
        for (history, now) in history.iter_mut().zip([&mean, &variance]) {
            history.extend(Array::from_tensor(now)?.to_f64());
        }
    }
    let y = batches[0].batch_norm_eval(&spec, [&gamma, &beta], [&mean, &variance])?;
    let [means, variances] = history.map(|values| Array::real([steps, channels], values));
    Ok(outputs([
        ("running_mean_out", means),
        ("running_var_out", variances),
        ("y_eval", channels_first(&Array::from_tensor(&y)?)?),
    ]))
}
