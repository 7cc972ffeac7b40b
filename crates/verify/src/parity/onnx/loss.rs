//! Losses over classes in the second dimension.

use tensor::Device;
use tensor::ops::cross_entropy::{CrossEntropy, Reduction};

use super::super::array::Array;
use super::super::layout::{channels_first, channels_last};
use super::super::recorded::{Loaded, Outcome};
use super::super::torch::reduction;
use super::super::{Error, Result};

pub(super) fn cross_entropy(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let x = channels_last(case.at(0)?)?;
    let log = x.to_tensor(device)?.log_softmax()?;
    let log = channels_first(&Array::from_tensor(&log)?)?;
    Ok(case.named([loss(case, device, false)?, log]))
}

pub(super) fn negative_log_likelihood(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    Ok(case.named([loss(case, device, true)?]))
}

fn loss(case: &Loaded<'_>, device: &Device, is_log_probability: bool) -> Result<Array> {
    let attributes = case.attributes;
    let reduction = match attributes.has("reduction") {
        true => reduction(attributes.text("reduction")?)?,
        false => Reduction::Mean,
    };
    let ignored = if attributes.has("ignore_index") {
        Some(attributes.integer("ignore_index")?)
    } else {
        None
    };
    let options = CrossEntropy {
        reduction,
        ignore_index: ignored.and_then(|index| u32::try_from(index).ok()),
        class_weights: case
            .optional_at(2)
            .map(|w| w.to_tensor(device))
            .transpose()?,
        is_log_probability,
        ..CrossEntropy::default()
    };
    let (x, labels) = (channels_last(case.at(0)?)?, case.at(1)?);
    let classes = x.shape.last().copied().unwrap_or(0);
    let rows = x.len() / classes.max(1);
    if labels.len() != rows {
        return Err(Error::Unknown(format!(
            "{} labels for {rows} rows",
            labels.len()
        )));
    }
    let logits = x.reshaped([rows, classes])?.to_tensor(device)?;
    let flat = labels.clone().reshaped([rows])?.to_words(device)?;
    let loss = Array::from_tensor(&logits.cross_entropy(&flat, &options)?)?;
    match reduction {
        Reduction::None => loss.reshaped(labels.shape.clone()),
        _ => loss.reshaped([]),
    }
}
