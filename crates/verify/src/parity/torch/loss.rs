//! Softmax cross-entropy.

use tensor::Device;
use tensor::ops::cross_entropy::{CrossEntropy, Reduction};

use super::super::array::Array;
use super::super::recorded::Loaded;
use super::super::{Error, Result};
use super::{Outputs, outputs};

/// PyTorch's and ONNX's name of a reduction.
pub(in super::super) fn reduction(name: &str) -> Result<Reduction> {
    match name {
        "none" => Ok(Reduction::None),
        "mean" => Ok(Reduction::Mean),
        "sum" => Ok(Reduction::Sum),
        other => Err(Error::Unknown(format!("unknown reduction {other}"))),
    }
}

pub(super) fn cross_entropy(case: &Loaded<'_>, device: &Device) -> Result<Outputs> {
    let attributes = case.attributes;
    let weights = case
        .optional("weight")
        .map(|w| w.to_tensor(device))
        .transpose()?;
    let has_ignored = attributes.has("ignore_index");
    let ignored = if has_ignored {
        attributes.integer("ignore_index")?
    } else {
        -100
    };
    let options = CrossEntropy {
        reduction: reduction(attributes.text("reduction")?)?,
        label_smoothing: attributes.float("label_smoothing")?,
        ignore_index: u32::try_from(ignored).ok(),
        class_weights: weights,
        ..CrossEntropy::default()
    };
    let logits = case.input("logits")?.to_tensor(device)?.into_parameter();
    let targets = match case.optional("labels") {
        Some(labels) => labels.to_words(device)?,
        None => case.input("targets")?.to_tensor(device)?,
    };
    let loss = logits.cross_entropy(&targets, &options)?;
    let weighted = match case.optional("dloss") {
        Some(dloss) => {
            let dloss = dloss.clone().reshaped(loss.shape().to_vec())?;
            loss.mul(&dloss.to_tensor(device)?)?
        }
        None => loss.clone(),
    };
    let gradients = weighted.backward()?;
    let dlogits = gradients
        .get(&logits)
        .ok_or_else(|| Error::Unknown("a gradient is missing".to_owned()))?;
    Ok(outputs([
        ("loss", Array::from_tensor(&loss)?),
        ("dlogits", Array::from_tensor(dlogits)?),
        ("softmax", Array::from_tensor(&logits.softmax()?)?),
        ("log_softmax", Array::from_tensor(&logits.log_softmax()?)?),
    ]))
}
