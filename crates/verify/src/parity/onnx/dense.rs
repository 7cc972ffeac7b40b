//! Matrix products, flattening, ReLU.

use tensor::Device;
use tensor::ops::gemm::MatmulOptions;

use super::super::array::Array;
use super::super::recorded::{Loaded, Outcome};
use super::super::{Error, Result};
use super::{axis_of, broadcast};

pub(super) fn gemm(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let attributes = case.attributes;
    let flag = |name| Ok::<_, Error>(attributes.has(name) && attributes.flag(name)?);
    let number = |name| {
        if attributes.has(name) {
            attributes.float(name)
        } else {
            Ok(1.0)
        }
    };
    let (a, b) = (case.at(0)?, case.at(1)?);
    let mut product = MatmulOptions {
        is_a_transposed: flag("transA")?,
        is_b_transposed: flag("transB")?,
        alpha: number("alpha")?,
        beta: 0.0,
    };
    let (&[a0, a1], &[b0, b1]) = (&a.shape[..], &b.shape[..]) else {
        return Err(Error::Unknown("expected two matrices".to_owned()));
    };
    let m = if product.is_a_transposed { a1 } else { a0 };
    let n = if product.is_b_transposed { b0 } else { b1 };
    let mut c = None;
    if let Some(array) = case.optional_at(2) {
        c = Some(broadcast(array, &[m, n])?.to_tensor(device)?);
        product.beta = number("beta")?;
    }
    let y = a
        .to_tensor(device)?
        .matmul_with(&b.to_tensor(device)?, c.as_ref(), &product)?;
    Ok(case.named([Array::from_tensor(&y)?]))
}

/// Matrices in the last two dimensions, broadcast over those before them; vectors are rows or columns.
pub(super) fn matmul(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let (mut a, mut b) = (case.at(0)?.clone(), case.at(1)?.clone());
    let (is_row, is_column) = (a.shape.len() == 1, b.shape.len() == 1);
    if is_row {
        a = a.clone().reshaped([1, a.len()])?;
    }
    if is_column {
        b = b.clone().reshaped([b.len(), 1])?;
    }
    let ([a_batch @ .., m, k], [b_batch @ .., depth, n]) = (&a.shape[..], &b.shape[..]) else {
        return Err(Error::Unknown("expected matrices".to_owned()));
    };
    let (m, k, depth, n) = (*m, *k, *depth, *n);
    let longer = a_batch.len().max(b_batch.len());
    let size = |batch: &[usize], at: usize| {
        let missing = longer - batch.len();
        if at < missing { 1 } else { batch[at - missing] }
    };
    let batch: Vec<usize> = (0..longer)
        .map(|at| size(a_batch, at).max(size(b_batch, at)))
        .collect();
    let a = broadcast(&a, &[&batch[..], &[m, k]].concat())?.to_f64();
    let b = broadcast(&b, &[&batch[..], &[depth, n]].concat())?.to_f64();
    let mut values = Vec::new();
    for (a, b) in a
        .chunks_exact((m * k).max(1))
        .zip(b.chunks_exact((depth * n).max(1)))
    {
        let a = Array::real([m, k], a.to_vec()).to_tensor(device)?;
        let b = Array::real([depth, n], b.to_vec()).to_tensor(device)?;
        values.extend(Array::from_tensor(&a.matmul(&b)?)?.to_f64());
    }
    let mut shape = batch;
    shape.extend((!is_row).then_some(m));
    shape.extend((!is_column).then_some(n));
    Ok(case.named([Array::real(shape, values)]))
}

pub(super) fn flatten(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let x = case.at(0)?;
    let rank = x.shape.len();
    let axis = if case.attributes.has("axis") {
        case.attributes.integer("axis")?
    } else {
        1
    };
    let is_past_the_end = usize::try_from(axis).is_ok_and(|axis| axis == rank);
    let axis = if is_past_the_end {
        rank
    } else {
        axis_of(axis, rank)?
    };
    let rows: usize = x.shape[..axis].iter().product();
    let columns: usize = x.shape[axis..].iter().product();
    let y = x.to_tensor(device)?.reshape([rows, columns])?;
    Ok(case.named([Array::from_tensor(&y)?]))
}

pub(super) fn relu(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let y = case.at(0)?.to_tensor(device)?.relu()?;
    Ok(case.named([Array::from_tensor(&y)?]))
}
