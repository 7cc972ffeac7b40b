//! Convolutions and pools over one or two spatial dimensions; one is run as an image of one row.

use tensor::ops::conv2d::{Conv2dOptions, Padding, Window};
use tensor::ops::elementwise::full;
use tensor::{Device, Tensor};

use super::super::array::Array;
use super::super::attributes::Attributes;
use super::super::layout::{channels_first, channels_last, filters};
use super::super::recorded::{Loaded, Outcome};
use super::super::{Error, Result};
use super::{broadcast, checked_len, skip};

const TOO_MANY_DIMENSIONS: &str = "windows over three or more dimensions";

/// `[n, c, w]` as `[n, c, 1, w]`; `[n, c, h, w]` as it is; none for more dimensions.
fn flat(x: &Array) -> Result<Option<Array>> {
    match x.shape[..] {
        [n, c, w] => x.clone().reshaped([n, c, 1, w]).map(Some),
        [_, _, _, _] => Ok(Some(x.clone())),
        _ => Ok(None),
    }
}

/// Back to as many dimensions as `rank`.
fn unflat(y: Array, rank: usize) -> Result<Array> {
    match (rank, &y.shape[..]) {
        (3, &[n, c, 1, w]) => y.reshaped([n, c, w]),
        _ => Ok(y),
    }
}

/// A list with one number for each of two dimensions; `default` if it is absent, and before a single number.
fn pair(attributes: Attributes<'_>, name: &str, default: usize) -> Result<[usize; 2]> {
    if !attributes.has(name) {
        return Ok([default; 2]);
    }
    match attributes.sizes(name)?[..] {
        [w] => Ok([default, w]),
        [h, w] => Ok([h, w]),
        _ => Err(Error::Unknown(format!(
            "attribute {name}: expected one or two sizes"
        ))),
    }
}

/// Padding before and after, for each dimension.
fn pads(attributes: Attributes<'_>) -> Result<[[usize; 2]; 2]> {
    if !attributes.has("pads") {
        return Ok([[0; 2]; 2]);
    }
    match attributes.sizes("pads")?[..] {
        [left, right] => Ok([[0, 0], [left, right]]),
        [top, left, bottom, right] => Ok([[top, bottom], [left, right]]),
        _ => Err(Error::Unknown(
            "attribute pads: expected two or four sizes".to_owned(),
        )),
    }
}

/// Splits `total` padding as `auto_pad` says.
fn split(auto_pad: &str, total: usize) -> [usize; 2] {
    if auto_pad == "SAME_LOWER" {
        [total - total / 2, total / 2]
    } else {
        [total / 2, total - total / 2]
    }
}

fn auto_pad(attributes: Attributes<'_>) -> Result<&str> {
    if attributes.has("auto_pad") {
        attributes.text("auto_pad")
    } else {
        Ok("NOTSET")
    }
}

fn explicit([[top, bottom], [left, right]]: [[usize; 2]; 2]) -> Padding {
    Padding::Explicit {
        top,
        left,
        bottom,
        right,
    }
}

/// The window of a convolution or pool of `size` over an image of `input`.
fn window(attributes: Attributes<'_>, size: [usize; 2], input: [usize; 2]) -> Result<Window> {
    let stride = pair(attributes, "strides", 1)?;
    let dilation = pair(attributes, "dilations", 1)?;
    if stride.contains(&0) || size.contains(&0) {
        return Err(Error::Unknown("a window or stride of 0".to_owned()));
    }
    let padding = match auto_pad(attributes)? {
        "NOTSET" => pads(attributes)?,
        "VALID" => [[0; 2]; 2],
        name => [0, 1].map(|axis: usize| {
            let reach = dilation[axis] * (size[axis] - 1) + 1;
            let last = (input[axis].div_ceil(stride[axis]).max(1) - 1) * stride[axis];
            split(name, (last + reach).saturating_sub(input[axis]))
        }),
    };
    Ok(Window {
        size,
        stride,
        dilation,
        padding: explicit(padding),
        is_ceil: attributes.has("ceil_mode") && attributes.flag("ceil_mode")?,
    })
}

/// A pool's window, whose size is an attribute.
fn pool(case: &Loaded<'_>, x: &Array) -> Result<Window> {
    let size = pair(case.attributes, "kernel_shape", 1)?;
    window(case.attributes, size, [x.shape[2], x.shape[3]])
}

fn image(x: &Array, device: &Device) -> Result<Tensor> {
    channels_last(x)?.to_tensor(device)
}

fn back(y: &Tensor, rank: usize) -> Result<Array> {
    unflat(channels_first(&Array::from_tensor(y)?)?, rank)
}

fn groups(attributes: Attributes<'_>) -> Result<usize> {
    if attributes.has("group") {
        attributes.size("group")
    } else {
        Ok(1)
    }
}

pub(super) fn conv(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let rank = case.at(0)?.shape.len();
    let (Some(x), Some(w)) = (flat(case.at(0)?)?, flat(case.at(1)?)?) else {
        return skip(TOO_MANY_DIMENSIONS);
    };
    let window = window(
        case.attributes,
        [w.shape[2], w.shape[3]],
        [x.shape[2], x.shape[3]],
    )?;
    let bias = case
        .optional_at(2)
        .map(|b| b.to_tensor(device))
        .transpose()?;
    let w = filters(&w)?.to_tensor(device)?;
    let options = Conv2dOptions::of(&window).groups(groups(case.attributes)?);
    let y = image(&x, device)?.conv2d(&w, bias.as_ref(), &options)?;
    Ok(case.named([back(&y, rank)?]))
}

/// The data gradient of the convolution that goes the other way.
pub(super) fn conv_transpose(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let rank = case.at(0)?.shape.len();
    let (Some(dy), Some(w)) = (flat(case.at(0)?)?, flat(case.at(1)?)?) else {
        return skip(TOO_MANY_DIMENSIONS);
    };
    let attributes = case.attributes;
    let size = [w.shape[2], w.shape[3]];
    let stride = pair(attributes, "strides", 1)?;
    let dilation = pair(attributes, "dilations", 1)?;
    let extra = if attributes.has("output_padding") {
        pair(attributes, "output_padding", 0)?
    } else {
        [0; 2]
    };
    let stated = if attributes.has("output_shape") {
        Some(pair(attributes, "output_shape", 1)?)
    } else {
        None
    };
    let auto_pad = auto_pad(attributes)?;
    let mut padding = pads(attributes)?;
    let mut output = [0; 2];
    for axis in 0..2 {
        let input = dy.shape[2 + axis];
        let reach = dilation[axis] * size[axis].saturating_sub(1) + 1;
        let full = stride[axis] * input.saturating_sub(1) + reach + extra[axis];
        let target = match (stated, auto_pad) {
            (Some(stated), _) => Some(stated[axis]),
            (None, "SAME_UPPER" | "SAME_LOWER") => Some(input * stride[axis]),
            (None, _) => None,
        };
        if let Some(target) = target {
            padding[axis] = split(auto_pad, full.saturating_sub(target));
            output[axis] = target;
        } else {
            output[axis] = full.saturating_sub(padding[axis][0] + padding[axis][1]);
        }
    }
    let groups = groups(attributes)?;
    let (n, c_out) = (dy.shape[0], w.shape[1] * groups);
    checked_len(&[n, output[0], output[1], c_out])?;
    let x = full(device, [n, output[0], output[1], c_out], 0.0)?.into_parameter();
    let options = Conv2dOptions {
        stride,
        dilation,
        padding: explicit(padding),
        groups,
        ..Conv2dOptions::default()
    };
    let y = x.conv2d(&filters(&w)?.to_tensor(device)?, None, &options)?;
    let mut result = back(&gradient(&y, &image(&dy, device)?, &x)?, rank)?;
    if let Some(bias) = case.optional_at(2) {
        let ones = vec![1; result.shape.len() - 2];
        let bias = bias.clone().reshaped([&[c_out][..], &ones].concat())?;
        let bias = broadcast(&bias, &result.shape)?.to_tensor(device)?;
        result = Array::from_tensor(&result.to_tensor(device)?.add(&bias)?)?;
    }
    Ok(case.named([result]))
}

/// The gradient of `x` where that of `y` is `dy`.
fn gradient(y: &Tensor, dy: &Tensor, x: &Tensor) -> Result<Tensor> {
    let gradients = y.mul(dy)?.backward()?;
    let missing = || Error::Unknown("a gradient is missing".to_owned());
    gradients.get(x).cloned().ok_or_else(missing)
}

/// Places are counted over the whole input, along columns with `storage_order` 1.
pub(super) fn max_pool(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let rank = case.at(0)?.shape.len();
    let Some(x) = flat(case.at(0)?)? else {
        return skip(TOO_MANY_DIMENSIONS);
    };
    let (y, indices) = image(&x, device)?.max_pool_with_indices(&pool(case, &x)?)?;
    let indices = channels_first(&Array::from_words(&indices)?)?;
    let (h, w) = (x.shape[2], x.shape[3]);
    let is_by_columns =
        case.attributes.has("storage_order") && case.attributes.flag("storage_order")?;
    let a_plane = (indices.shape[2] * indices.shape[3]).max(1);
    let values = indices
        .to_usize()?
        .into_iter()
        .enumerate()
        .map(|(i, place)| {
            let within = if is_by_columns {
                place % w * h + place / w
            } else {
                place
            };
            i64::try_from(i / a_plane * h * w + within).unwrap_or(i64::MAX)
        });
    let indices = Array::integer(indices.shape.clone(), values.collect());
    Ok(case.named([back(&y, rank)?, unflat(indices, rank)?]))
}

pub(super) fn average_pool(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let rank = case.at(0)?.shape.len();
    let Some(x) = flat(case.at(0)?)? else {
        return skip(TOO_MANY_DIMENSIONS);
    };
    let attributes = case.attributes;
    let counts_padding =
        attributes.has("count_include_pad") && attributes.flag("count_include_pad")?;
    let y = image(&x, device)?.avg_pool(&pool(case, &x)?, counts_padding)?;
    Ok(case.named([back(&y, rank)?]))
}

/// All spatial dimensions as one window.
pub(super) fn global_pool(case: &Loaded<'_>, device: &Device, is_max: bool) -> Result<Outcome> {
    let x = case.at(0)?;
    let [n, c, sizes @ ..] = &x.shape[..] else {
        return Err(Error::Unknown("expected [n, c, ..]".to_owned()));
    };
    let pixels: usize = sizes.iter().product();
    let shape: Vec<usize> = [*n, *c]
        .into_iter()
        .chain(sizes.iter().map(|_| 1))
        .collect();
    let flat = image(&x.clone().reshaped([*n, *c, 1, pixels])?, device)?;
    let window = Window {
        size: [1, pixels],
        ..Window::new(1, 1, Padding::Valid)
    };
    let y = if is_max {
        flat.max_pool(&window)?
    } else {
        flat.avg_pool(&window, false)?
    };
    Ok(case.named([back(&y, 4)?.reshaped(shape)?]))
}

/// The gradient of im2col.
pub(super) fn col2im(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let (columns, image) = (case.at(0)?, case.at(1)?.to_usize()?);
    let size = case.at(2)?.to_usize()?;
    let (&[h, w], &[kh, kw], &[n, depth, positions]) = (&image[..], &size[..], &columns.shape[..])
    else {
        return skip(TOO_MANY_DIMENSIONS);
    };
    let taps = checked_len(&[kh, kw])?;
    let c = depth / taps.max(1);
    checked_len(&[n, h, w, c])?;
    let x = full(device, [n, h, w, c], 0.0)?.into_parameter();
    let y = x.im2col(&window(case.attributes, [kh, kw], [h, w])?)?;
    let columns = columns.clone().reshaped([n, c, kh, kw, positions])?;
    let columns = columns
        .permuted(&[0, 4, 2, 3, 1])?
        .reshaped(y.shape().to_vec())?;
    let dx = gradient(&y, &columns.to_tensor(device)?, &x)?;
    Ok(case.named([back(&dx, 4)?]))
}
