//! Operators on images: recorded channels first, run channels last.

use tensor::ops::conv2d::{Conv2dOptions, Padding, Window};
use tensor::ops::resize::{Method, Resize, Ties};
use tensor::{Device, Tensor};

use super::super::array::Array;
use super::super::attributes::Attributes;
use super::super::layout::{channels_first, channels_last, filters, filters_back};
use super::super::recorded::Loaded;
use super::super::{Error, Result};
use super::{Outputs, outputs, with_gradients};

/// The window of a convolution or pool of `size`, from its attributes (padding is top, left, bottom, right).
fn window(attributes: Attributes<'_>, size: [usize; 2]) -> Result<Window> {
    let [top, left, bottom, right] = attributes.array("pad")?;
    let has_dilation = attributes.has("dilation");
    Ok(Window {
        size,
        stride: attributes.array("stride")?,
        dilation: if has_dilation {
            attributes.array("dilation")?
        } else {
            [1; 2]
        },
        padding: Padding::Explicit {
            top,
            left,
            bottom,
            right,
        },
        is_ceil: attributes.has("ceil_mode") && attributes.flag("ceil_mode")?,
    })
}

fn image(case: &Loaded<'_>, name: &str, device: &Device) -> Result<Tensor> {
    let x = case.input(name)?;
    if x.shape.len() != 4 {
        let got = &x.shape;
        return Err(Error::Unknown(format!(
            "{name}: expected [n, c, h, w], got {got:?}"
        )));
    }
    channels_last(x)?.to_tensor(device)
}

fn back(tensor: &Tensor) -> Result<Array> {
    channels_first(&Array::from_tensor(tensor)?)
}

pub(super) fn conv2d(case: &Loaded<'_>, device: &Device) -> Result<Outputs> {
    let x = image(case, "x", device)?.into_parameter();
    let w = filters(case.input("w")?)?
        .to_tensor(device)?
        .into_parameter();
    let b = case
        .optional("b")
        .map(|b| b.to_tensor(device))
        .transpose()?;
    let b = b.map(Tensor::into_parameter);
    let window = window(case.attributes, [w.shape()[0], w.shape()[1]])?;
    let options = Conv2dOptions::of(&window).groups(case.attributes.size("groups")?);
    let y = x.conv2d(&w, b.as_ref(), &options)?;
    let parameters: Vec<&Tensor> = [&x, &w].into_iter().chain(&b).collect();
    let gradients = with_gradients(&y, &image(case, "dy", device)?, &parameters)?;
    let mut outputs = outputs([
        ("y", back(&y)?),
        ("dx", back(&gradients[0])?),
        ("dw", filters_back(&Array::from_tensor(&gradients[1])?)?),
    ]);
    if let Some(db) = gradients.get(2) {
        outputs.push(("db".to_owned(), Array::from_tensor(db)?));
    }
    Ok(outputs)
}

/// PyTorch's columns are `[n, c kh kw, out_h out_w]`, ours `[n out_h out_w, kh kw c]`.
pub(super) fn im2col(case: &Loaded<'_>, device: &Device) -> Result<Outputs> {
    let size @ [kh, kw] = case.attributes.array("kernel")?;
    let window = window(case.attributes, size)?;
    let x = image(case, "x", device)?.into_parameter();
    let (n, c) = (x.shape()[0], x.shape()[3]);
    let y = x.im2col(&window)?;
    let positions = y.shape()[0] / n.max(1);
    let cols = Array::from_tensor(&y)?
        .reshaped([n, positions, kh, kw, c])?
        .permuted(&[0, 4, 2, 3, 1])?
        .reshaped([n, c * kh * kw, positions])?;
    let dcols = case
        .input("dcols")?
        .clone()
        .reshaped([n, c, kh, kw, positions])?;
    let dcols = dcols
        .permuted(&[0, 4, 2, 3, 1])?
        .reshaped(y.shape().to_vec())?;
    let gradients = with_gradients(&y, &dcols.to_tensor(device)?, &[&x])?;
    Ok(outputs([("cols", cols), ("dx", back(&gradients[0])?)]))
}

pub(super) fn max_pool(case: &Loaded<'_>, device: &Device) -> Result<Outputs> {
    let window = window(case.attributes, case.attributes.array("kernel")?)?;
    let x = image(case, "x", device)?.into_parameter();
    let (y, indices) = x.max_pool_with_indices(&window)?;
    let gradients = with_gradients(&y, &image(case, "dy", device)?, &[&x])?;
    let indices = Array::from_words(&indices)?;
    Ok(outputs([
        ("y", back(&y)?),
        ("indices", channels_first(&indices)?),
        ("dx", back(&gradients[0])?),
    ]))
}

pub(super) fn avg_pool(case: &Loaded<'_>, device: &Device) -> Result<Outputs> {
    let window = window(case.attributes, case.attributes.array("kernel")?)?;
    let counts_padding =
        !case.attributes.has("count_include_pad") || case.attributes.flag("count_include_pad")?;
    let x = image(case, "x", device)?.into_parameter();
    let y = x.avg_pool(&window, counts_padding)?;
    let gradients = with_gradients(&y, &image(case, "dy", device)?, &[&x])?;
    Ok(outputs([("y", back(&y)?), ("dx", back(&gradients[0])?)]))
}

/// The name of the interpolation that a case asks for, by an attribute or by its operator.
fn mode<'a>(case: &Loaded<'a>) -> Result<&'a str> {
    for name in ["mode", "interpolation"] {
        if case.attributes.has(name) {
            return case.attributes.text(name);
        }
    }
    Ok(match case.op {
        op if op.starts_with("bicubic") => "bicubic",
        op if op.starts_with("nearest_exact") => "nearest-exact",
        op if op.starts_with("nearest") => "nearest",
        _ => "bilinear",
    })
}

/// The resizing that a case asks for, of images with `channels`.
fn resize_of(case: &Loaded<'_>, input: [usize; 2], channels: usize) -> Result<Resize> {
    let attributes = case.attributes;
    let mut spec = Resize::new(input, attributes.array("out")?, channels);
    if attributes.has("align_corners") && attributes.flag("align_corners")? {
        spec = spec.with_aligned_corners();
    }
    spec.is_antialiased = attributes.has("antialias") && attributes.flag("antialias")?;
    match mode(case)? {
        "bilinear" => {}
        // PyTorch's constants: of OpenCV without antialiasing, and of Pillow with it.
        "bicubic" if spec.is_antialiased => spec.method = Method::Cubic(-0.5),
        "bicubic" => spec.method = Method::Cubic(-0.75),
        "nearest-exact" => spec.method = Method::Nearest(Ties::Second),
        // From the pixels' corners, not their centres.
        "nearest" => {
            spec.method = Method::Nearest(Ties::Floor);
            spec.offset = spec.scale.map(|scale| 0.5 - 0.5 * scale);
        }
        other => return Err(Error::Unknown(format!("mode {other}"))),
    }
    Ok(spec)
}

pub(super) fn resize(case: &Loaded<'_>, device: &Device) -> Result<Outputs> {
    let x = image(case, "x", device)?.into_parameter();
    let spec = resize_of(case, [x.shape()[1], x.shape()[2]], x.shape()[3])?;
    let y = x.resize(&spec)?;
    let mut outputs = outputs([("y", back(&y)?)]);
    if case.optional("dy").is_some() {
        let gradients = with_gradients(&y, &image(case, "dy", device)?, &[&x])?;
        outputs.push(("dx".to_owned(), back(&gradients[0])?));
    }
    Ok(outputs)
}

/// Bytes `[h, w, c]` to bytes, rounded.
pub(super) fn resize_bytes(case: &Loaded<'_>, device: &Device) -> Result<Outputs> {
    let x = case.input("x")?;
    let &[h, w, c] = &x.shape[..] else {
        return Err(Error::Unknown(format!(
            "expected [h, w, c], got {:?}",
            x.shape
        )));
    };
    let mut spec = resize_of(case, [h, w], c)?;
    spec.is_rounded = true;
    // Pillow's, of the pixels' centres.
    if mode(case)? == "nearest" {
        spec = Resize {
            offset: [0.0; 2],
            method: Method::Nearest(Ties::Second),
            ..spec
        };
    }
    let y = x.to_tensor(device)?.reshape([1, h, w, c])?.resize(&spec)?;
    let [out_h, out_w] = spec.output;
    Ok(outputs([(
        "y",
        Array::from_tensor(&y)?.reshaped([out_h, out_w, c])?,
    )]))
}
