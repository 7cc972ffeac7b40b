//! Operators along an axis: it is turned to where the operator here has it, and back.

use tensor::Device;
use tensor::ops::conv2d::{Padding, Window};

use super::super::array::Array;
use super::super::recorded::{Loaded, Outcome};
use super::super::{Error, Result};
use super::axis_of;
use train::metrics::top_k_classes;

/// The order that puts `axes` last, and the one that puts them back.
fn to_the_end(axes: &[usize], rank: usize) -> [Vec<usize>; 2] {
    let others = (0..rank).filter(|axis| !axes.contains(axis));
    let there: Vec<usize> = others.chain(axes.iter().copied()).collect();
    let mut back = vec![0; rank];
    for (place, &axis) in there.iter().enumerate() {
        back[axis] = place;
    }
    [there, back]
}

/// Before version 13, softmax was over all dimensions from the axis on.
pub(super) fn softmax(case: &Loaded<'_>, device: &Device, is_log: bool) -> Result<Outcome> {
    let x = case.at(0)?;
    let rank = x.shape.len();
    let is_old = case.entry.integer("opset")? < 13;
    let default = if is_old { 1 } else { -1 };
    let has_axis = case.attributes.has("axis");
    let axis = axis_of(
        if has_axis {
            case.attributes.integer("axis")?
        } else {
            default
        },
        rank,
    )?;
    let apply = |x: &Array| -> Result<Array> {
        let x = x.to_tensor(device)?;
        Array::from_tensor(&if is_log {
            x.log_softmax()?
        } else {
            x.softmax()?
        })
    };
    let y = if is_old {
        let columns: usize = x.shape[axis..].iter().product();
        let rows = x.len() / columns.max(1);
        apply(&x.clone().reshaped([rows, columns])?)?.reshaped(x.shape.clone())?
    } else {
        let [there, back] = to_the_end(&[axis], rank);
        apply(&x.permuted(&there)?)?.permuted(&back)?
    };
    Ok(case.named([y]))
}

/// The axes to reduce: an input since version 13 or 18, an attribute before, all of them if there are none.
fn reduced_axes(case: &Loaded<'_>, rank: usize) -> Result<Vec<usize>> {
    let axes = match case.optional_at(1) {
        Some(axes) => axes.to_i64()?,
        None if case.attributes.has("axes") => case.attributes.integers("axes")?,
        None => Vec::new(),
    };
    let is_noop = case.attributes.has("noop_with_empty_axes")
        && case.attributes.flag("noop_with_empty_axes")?;
    if axes.is_empty() {
        return Ok(if is_noop {
            Vec::new()
        } else {
            (0..rank).collect()
        });
    }
    let mut axes: Vec<usize> = axes
        .into_iter()
        .map(|axis| axis_of(axis, rank))
        .collect::<Result<_>>()?;
    axes.sort_unstable();
    axes.dedup();
    Ok(axes)
}

fn keeps_dimensions(case: &Loaded<'_>) -> Result<bool> {
    Ok(!case.attributes.has("keepdims") || case.attributes.flag("keepdims")?)
}

/// The shape with `axes` of size 1, or without them.
fn reduced_shape(shape: &[usize], axes: &[usize], keeps: bool) -> Vec<usize> {
    let sizes = shape.iter().enumerate();
    let kept = sizes.filter(|(axis, _)| keeps || !axes.contains(axis));
    kept.map(|(axis, &size)| if axes.contains(&axis) { 1 } else { size })
        .collect()
}

/// Sums are products with ones, means are average pools, maxima are max pools over the reduced dimensions as one.
pub(super) fn reduce(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let x = case.at(0)?;
    let axes = reduced_axes(case, x.shape.len())?;
    let shape = reduced_shape(&x.shape, &axes, keeps_dimensions(case)?);
    let columns: usize = axes.iter().map(|&axis| x.shape[axis]).product();
    let rows = x.len() / columns.max(1);
    let [there, _] = to_the_end(&axes, x.shape.len());
    let x = x.permuted(&there)?.to_tensor(device)?;
    let window = Window {
        size: [1, columns],
        ..Window::new(1, 1, Padding::Valid)
    };
    let y = match case.op {
        "ReduceSum" => {
            let ones = Array::real([columns, 1], vec![1.0; columns]).to_tensor(device)?;
            x.reshape([rows, columns])?.matmul(&ones)?
        }
        "ReduceMean" => x.reshape([rows, 1, columns, 1])?.avg_pool(&window, false)?,
        _ => x.reshape([rows, 1, columns, 1])?.max_pool(&window)?,
    };
    Ok(case.named([Array::from_tensor(&y)?.reshaped(shape)?]))
}

/// Where a max pool over the axis found the maximum; the last one is the first of the reversed axis.
pub(super) fn arg_max(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let x = case.at(0)?;
    let attributes = case.attributes;
    let axis = if attributes.has("axis") {
        attributes.integer("axis")?
    } else {
        0
    };
    let axis = axis_of(axis, x.shape.len())?;
    let is_last = attributes.has("select_last_index") && attributes.flag("select_last_index")?;
    let shape = reduced_shape(&x.shape, &[axis], keeps_dimensions(case)?);
    let size = x.shape[axis];
    let [there, _] = to_the_end(&[axis], x.shape.len());
    let mut values = x.permuted(&there)?.to_f64();
    if is_last {
        values.chunks_exact_mut(size).for_each(<[f64]>::reverse);
    }
    let rows = values.len() / size;
    let window = Window {
        size: [1, size],
        ..Window::new(1, 1, Padding::Valid)
    };
    let x = Array::real([rows, 1, size, 1], values).to_tensor(device)?;
    let (_, indices) = x.max_pool_with_indices(&window)?;
    let last = i64::try_from(size).unwrap_or(i64::MAX) - 1;
    let indices = Array::from_words(&indices)?.to_i64()?.into_iter();
    let indices = indices.map(|place| if is_last { last - place } else { place });
    Ok(case.named([Array::integer(shape, indices.collect())]))
}

pub(super) fn top_k(case: &Loaded<'_>) -> Result<Outcome> {
    let x = case.at(0)?;
    let attributes = case.attributes;
    let flag = |name| Ok::<_, Error>(!attributes.has(name) || attributes.flag(name)?);
    let axis = if attributes.has("axis") {
        attributes.integer("axis")?
    } else {
        -1
    };
    let axis = axis_of(axis, x.shape.len())?;
    let k = match case.optional_at(1) {
        Some(k) => k.to_usize()?.first().copied().unwrap_or(0),
        None => attributes.size("k")?,
    };
    let is_largest = flag("largest")?;
    let [there, back] = to_the_end(&[axis], x.shape.len());
    let (turned, size) = (x.permuted(&there)?, x.shape[axis]);
    let sign = if is_largest { 1.0 } else { -1.0 };
    let scores: Vec<f32> = turned.to_f32().into_iter().map(|x| sign * x).collect();
    let k = k.min(size);
    let ranked = top_k_classes(&scores, size, k);
    let mut shape = turned.shape.clone();
    if let Some(last) = shape.last_mut() {
        *last = k;
    }
    let indices = (0..)
        .step_by(size.max(1))
        .flat_map(|row| std::iter::repeat_n(row, k));
    let values = turned.to_f64();
    let best = indices.zip(&ranked).map(|(row, &class)| {
        let class = usize::try_from(class).unwrap_or(usize::MAX);
        values.get(row + class).copied().unwrap_or(f64::NAN)
    });
    let best = Array::real(shape.clone(), best.collect()).permuted(&back)?;
    let indices = Array::integer(
        shape,
        ranked.iter().map(|&class| i64::from(class)).collect(),
    );
    Ok(case.named([best, indices.permuted(&back)?]))
}
