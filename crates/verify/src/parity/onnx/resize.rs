//! Resizing of images: linear, cubic, nearest.

use tensor::Device;
use tensor::ops::resize::{Method, Outside, Resize, Ties};

use super::super::array::Array;
use super::super::layout::{channels_first, channels_last};
use super::super::recorded::{Loaded, Outcome};
use super::super::{Error, Result};
use super::{axis_of, skip};

pub(super) fn resize(case: &Loaded<'_>, device: &Device) -> Result<Outcome> {
    let attributes = case.attributes;
    let text = |name, default| {
        if attributes.has(name) {
            attributes.text(name)
        } else {
            Ok(default)
        }
    };
    let flag = |name| Ok::<_, Error>(attributes.has(name) && attributes.flag(name)?);
    if text("keep_aspect_ratio_policy", "stretch")? != "stretch" {
        return skip("resizing that keeps the aspect ratio");
    }
    let method = method(case)?;
    let x = case.at(0)?;
    let &[_, c, h, w] = &x.shape[..] else {
        return skip("resizing of anything but images");
    };
    let (mut output, mut ratio) = ([h, w], [1.0, 1.0]);
    let axes = if attributes.has("axes") {
        attributes.integers("axes")?
    } else {
        (0..4).collect()
    };
    let scales = by_name(case, "scales").map(Array::to_f64);
    let sizes = by_name(case, "sizes").map(Array::to_usize).transpose()?;
    for (i, axis) in axes.into_iter().enumerate() {
        let axis = axis_of(axis, 4)?;
        let length = x.shape[axis];
        let (size, scale) = match (&scales, &sizes) {
            (Some(scales), _) if i < scales.len() => (scaled(length, scales[i]), scales[i]),
            (_, Some(sizes)) if i < sizes.len() => (sizes[i], sizes[i] as f64 / length as f64),
            _ => return Err(Error::Unknown("neither scales nor sizes".to_owned())),
        };
        if axis >= 2 {
            (output[axis - 2], ratio[axis - 2]) = (size, scale);
        } else if size != length {
            return skip("resizing of anything but images");
        }
    }
    let mut spec = Resize::new([h, w], output, c);
    spec.scale = ratio.map(f64::recip);
    spec.is_antialiased = flag("antialias")?;
    spec.method = method;
    spec.outside = if flag("exclude_outside")? {
        Outside::Nothing
    } else {
        Outside::Edge
    };
    let mode = text("coordinate_transformation_mode", "half_pixel")?;
    if !place(&mut spec, mode, ratio) {
        return skip("resizing of a part of an image, with extrapolation");
    }
    let y = channels_last(x)?.to_tensor(device)?.resize(&spec)?;
    Ok(case.named([channels_first(&Array::from_tensor(&y)?)?]))
}

/// How pixels between pixels are made.
fn method(case: &Loaded<'_>) -> Result<Method> {
    let attributes = case.attributes;
    let text = |name, default| {
        if attributes.has(name) {
            attributes.text(name)
        } else {
            Ok(default)
        }
    };
    Ok(match text("mode", "nearest")? {
        "linear" => Method::Linear,
        "cubic" if attributes.has("cubic_coeff_a") => {
            Method::Cubic(attributes.real("cubic_coeff_a")?)
        }
        "cubic" => Method::Cubic(-0.75),
        "nearest" => Method::Nearest(match text("nearest_mode", "round_prefer_floor")? {
            "round_prefer_floor" => Ties::First,
            "round_prefer_ceil" => Ties::Second,
            "floor" => Ties::Floor,
            "ceil" => Ties::Ceil,
            other => return Err(Error::Unknown(format!("nearest_mode {other}"))),
        }),
        other => return Err(Error::Unknown(format!("mode {other}"))),
    })
}

fn by_name<'a>(case: &'a Loaded<'_>, name: &str) -> Option<&'a Array> {
    case.optional(name).filter(|array| array.len() > 0)
}

/// `floor(length scale)`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes are small; a negative one becomes 0 and is refused"
)]
fn scaled(length: usize, scale: f64) -> usize {
    (length as f64 * scale).floor() as usize
}

/// Sets where outputs lie in the source, if the mode is one that stays inside of it. `ratio` is that of the sizes before
/// the output's was rounded down.
fn place(spec: &mut Resize, mode: &str, ratio: [f64; 2]) -> bool {
    let exact = [0, 1].map(|axis: usize| ratio[axis] * spec.input[axis] as f64);
    match mode {
        "half_pixel" => {}
        // A single position is the first pixel's.
        "pytorch_half_pixel" => {
            for axis in (0..2).filter(|&axis| spec.output[axis] == 1) {
                spec.offset[axis] = 0.5 - 0.5 * spec.scale[axis];
            }
        }
        // ONNX takes the size before it is rounded down.
        "align_corners" => {
            for (axis, exact) in exact.into_iter().enumerate() {
                let length = spec.input[axis] as f64;
                spec.scale[axis] = if exact == 1.0 {
                    0.0
                } else {
                    (length - 1.0) / (exact - 1.0)
                };
                spec.offset[axis] = 0.5 - 0.5 * spec.scale[axis];
            }
        }
        "asymmetric" => spec.offset = spec.scale.map(|scale| 0.5 - 0.5 * scale),
        "half_pixel_symmetric" => {
            for (axis, exact) in exact.into_iter().enumerate() {
                let length = spec.input[axis] as f64;
                let adjustment = spec.output[axis] as f64 / exact;
                spec.offset[axis] = length / 2.0 * (1.0 - adjustment);
            }
        }
        _ => return false,
    }
    true
}
