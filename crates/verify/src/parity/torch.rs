//! PyTorch's cases: which operator runs which.

mod dense;
mod host;
mod image;
mod loss;
mod model;
mod normalization;
mod update;

use tensor::{Device, Tensor};

use super::array::Array;
use super::recorded::{Loaded, Outcome};
use super::{Error, Result};

pub(super) use loss::reduction;

/// The outputs of a case, by name.
pub(super) type Outputs = Vec<(String, Array)>;

pub(super) fn run(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let outputs = match case.op {
        "gemm" => dense::gemm(case, device),
        "linear" => dense::linear(case, device),
        "relu" => dense::relu(case, device),
        "conv2d" => image::conv2d(case, device),
        "im2col" => image::im2col(case, device),
        "max_pool2d" => image::max_pool(case, device),
        "avg_pool2d" => image::avg_pool(case, device),
        "bilinear_resize" | "bicubic_resize" | "nearest_resize" | "nearest_exact_resize" => {
            image::resize(case, device)
        }
        "bilinear_resize_u8" | "bicubic_resize_u8" | "nearest_resize_u8" => {
            image::resize_bytes(case, device)
        }
        "lrn" => normalization::lrn(case, device),
        "batch_norm" => normalization::batch_norm(case, device),
        "batch_norm_steps" => normalization::batch_norm_steps(case, device),
        "cross_entropy" => loss::cross_entropy(case, device),
        "optim_sgd" | "optim_adam" | "optim_adamw" => update::optimizer(case, device),
        "clip_grad_norm" => update::clip(case, device),
        "train_steps" => model::train_steps(case, device),
        "lr_schedule" => host::schedule(case),
        "classification_metrics" => host::classification(case),
        "top_k_accuracy" => host::top_k(case),
        "splitmix64" => host::splitmix(case),
        other => Err(Error::Unknown(format!("unknown operator {other}"))),
    }?;
    Ok(Outcome::Outputs(outputs))
}

/// Pairs of names and arrays as outputs.
fn outputs<const N: usize>(pairs: [(&str, Array); N]) -> Outputs {
    pairs.map(|(name, array)| (name.to_owned(), array)).into()
}

/// An output and the gradients of `parameters` where the output's is `dy`.
fn with_gradients(y: &Tensor, dy: &Tensor, parameters: &[&Tensor]) -> Result<Vec<Tensor>> {
    let gradients = y.mul(dy)?.backward()?;
    let gradient = |parameter: &&Tensor| {
        let missing = || Error::Unknown("a gradient is missing".to_owned());
        gradients.get(parameter).cloned().ok_or_else(missing)
    };
    parameters.iter().map(gradient).collect()
}
