//! The ONNX backend suite: which operator runs which. Inputs and outputs are known by their indices.
//!
//! Where ONNX has an axis or a rank that an operator here does not have, the arrays are turned or reshaped before and
//! after. What is not offered is skipped with one of the reasons that docs/parity.md lists.

mod axis;
mod dense;
mod layers;
mod loss;
mod resize;
mod update;
mod window;

use tensor::Device;

use super::array::{Array, elements_of};
use super::recorded::{Loaded, Outcome};
use super::{Error, Result};

pub(super) fn run(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let is_empty = |array: &Array| array.len() == 0;
    if case.optional_at(0).is_some_and(is_empty) {
        return skip("arrays without elements");
    }
    match case.op {
        "Conv" => window::conv(case, device),
        "ConvTranspose" => window::conv_transpose(case, device),
        "MaxPool" => window::max_pool(case, device),
        "AveragePool" => window::average_pool(case, device),
        "GlobalMaxPool" => window::global_pool(case, device, true),
        "GlobalAveragePool" => window::global_pool(case, device, false),
        "Col2Im" => window::col2im(case, device),
        "Gemm" => dense::gemm(case, device),
        "MatMul" => dense::matmul(case, device),
        "Flatten" => dense::flatten(case, device),
        "Relu" => dense::relu(case, device),
        "Softmax" => axis::softmax(case, device, false),
        "LogSoftmax" => axis::softmax(case, device, true),
        "ReduceSum" | "ReduceMean" | "ReduceMax" => axis::reduce(case, device),
        "ArgMax" => axis::arg_max(case, device),
        "TopK" => axis::top_k(case),
        "BatchNormalization" => layers::batch_norm(case, device),
        "LRN" => layers::lrn(case, device),
        "Dropout" => layers::dropout(case, device),
        "SoftmaxCrossEntropyLoss" => loss::cross_entropy(case, device),
        "NegativeLogLikelihoodLoss" => loss::negative_log_likelihood(case, device),
        "Resize" => resize::resize(case, device),
        "Adam" => update::adam(case, device),
        "Momentum" => update::momentum(case, device),
        "Adagrad" => skip("Adagrad"),
        "OneHot" => skip("one-hot vectors as arrays"),
        "Transpose" => skip("transposing on a device: layouts change at import and export only"),
        other if case.entry.text("scope")? == "extra" => {
            skip(&format!("ONNX's {other}, which no network here has"))
        }
        other => Err(Error::Unknown(format!("unknown operator {other}"))),
    }
}

fn skip(reason: &str) -> Result<Outcome> {
    Ok(Outcome::Skipped(reason.to_owned()))
}

/// An axis that may count from the end.
fn axis_of(axis: i64, rank: usize) -> Result<usize> {
    let rank_i64 = i64::try_from(rank).unwrap_or(i64::MAX);
    let place = if axis < 0 {
        axis.saturating_add(rank_i64)
    } else {
        axis
    };
    usize::try_from(place)
        .ok()
        .filter(|&place| place < rank.max(1))
        .ok_or_else(|| Error::Unknown(format!("axis {axis} of {rank}")))
}

/// How many elements a shape has that a case asks for; an error if that is beyond reason.
fn checked_len(shape: &[usize]) -> Result<usize> {
    let len = elements_of(shape).filter(|&len| len <= 1 << 28);
    len.ok_or_else(|| Error::Unknown(format!("an array of {shape:?}")))
}

/// `array` repeated to `shape`, as `NumPy` broadcasts it.
fn broadcast(array: &Array, shape: &[usize]) -> Result<Array> {
    let fail = || Error::Unknown(format!("{:?} does not broadcast to {shape:?}", array.shape));
    let missing = shape
        .len()
        .checked_sub(array.shape.len())
        .ok_or_else(fail)?;
    let (values, len) = (array.to_f64(), checked_len(shape)?);
    let mut result = Vec::with_capacity(len);
    for place in 0..len {
        let (mut rest, mut source, mut stride) = (place, 0, 1);
        for (axis, &size) in shape.iter().enumerate().rev() {
            let at = rest % size;
            rest /= size;
            if axis < missing {
                continue;
            }
            let own = array.shape[axis - missing];
            if own != size && own != 1 {
                return Err(fail());
            }
            source += stride * if own == 1 { 0 } else { at };
            stride *= own;
        }
        result.push(*values.get(source).ok_or_else(fail)?);
    }
    Ok(Array::real(shape, result))
}
