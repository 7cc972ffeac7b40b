//! Matrix products, dense layers and ReLU.

use tensor::ops::gemm::MatmulOptions;
use tensor::{Activation, Device, Tensor};

use super::super::Result;
use super::super::array::Array;
use super::super::layout::transposed;
use super::super::recorded::Loaded;
use super::{Outputs, outputs, with_gradients};

pub(super) fn gemm(case: &Loaded<'_>, device: &Device) -> Result<Outputs> {
    let attributes = case.attributes;
    let product = MatmulOptions {
        is_a_transposed: attributes.flag("trans_a")?,
        is_b_transposed: attributes.flag("trans_b")?,
        alpha: attributes.float("alpha")?,
        beta: attributes.float("beta")?,
    };
    let a = case.input("a")?.to_tensor(device)?;
    let b = case.input("b")?.to_tensor(device)?;
    let c = case
        .optional("c")
        .map(|c| c.to_tensor(device))
        .transpose()?;
    let y = a.matmul_with(&b, c.as_ref(), &product)?;
    Ok(outputs([("c_out", Array::from_tensor(&y)?)]))
}

pub(super) fn linear(case: &Loaded<'_>, device: &Device) -> Result<Outputs> {
    let x = case.input("x")?.to_tensor(device)?.into_parameter();
    let w = transposed(case.input("w")?)?
        .to_tensor(device)?
        .into_parameter();
    let b = case
        .optional("b")
        .map(|b| b.to_tensor(device))
        .transpose()?;
    let b = b.map(Tensor::into_parameter);
    let y = x.linear(&w, b.as_ref(), Activation::None)?;
    let dy = case.input("dy")?.to_tensor(device)?;
    let parameters: Vec<&Tensor> = [&x, &w].into_iter().chain(&b).collect();
    let gradients = with_gradients(&y, &dy, &parameters)?;
    let [dx, dw] = [&gradients[0], &gradients[1]].map(Array::from_tensor);
    let mut outputs = outputs([
        ("y", Array::from_tensor(&y)?),
        ("dx", dx?),
        ("dw", transposed(&dw?)?),
    ]);
    if let Some(db) = gradients.get(2) {
        outputs.push(("db".to_owned(), Array::from_tensor(db)?));
    }
    Ok(outputs)
}

pub(super) fn relu(case: &Loaded<'_>, device: &Device) -> Result<Outputs> {
    let x = case.input("x")?.to_tensor(device)?.into_parameter();
    let y = x.relu()?;
    let dy = case.input("dy")?.to_tensor(device)?;
    let gradients = with_gradients(&y, &dy, &[&x])?;
    Ok(outputs([
        ("y", Array::from_tensor(&y)?),
        ("dx", Array::from_tensor(&gradients[0])?),
    ]))
}
