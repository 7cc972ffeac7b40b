//! The windows of convolutions and pools: where they lie, in settings, in ONNX and in weight files.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tensor::Shape;
use tensor::ops::conv2d::{Padding, Window};

use super::{OnnxNode, OnnxValue, whole};

/// How many windows fit on an image, or what is in the way.
pub(super) fn windows(window: &Window, image: [usize; 2]) -> Result<[usize; 2], String> {
    let placement = window.place("window", image);
    placement.map(|p| p.out).map_err(|error| error.to_string())
}

/// The numbers of a square window; TensorFlow's SAME becomes the padding that it means at this size.
pub(super) fn settings(window: &Window, input: &Shape) -> Vec<(&'static str, f64)> {
    let mut numbers = vec![
        ("window", whole(window.size[0])),
        ("stride", whole(window.stride[0])),
    ];
    // The architecture has checked that the windows fit.
    if let Ok(placement) = window.place("window", [input[0], input[1]]) {
        numbers.push(("pad_before", whole(placement.before[0])));
        numbers.push(("pad_after", whole(placement.after[0])));
    }
    numbers
}

/// An operator with the attributes of a window; SAME becomes the padding that it means at this size.
pub(super) fn onnx(node: OnnxNode, window: &Window, input: &Shape) -> Result<OnnxNode, String> {
    let image = [input[0], input[1]];
    let placement = window.place("window", image);
    let placement = placement.map_err(|error| error.to_string())?;
    let ([top, left], [bottom, right]) = (placement.before, placement.after);
    if window.is_ceil {
        return Err("its windows reach beyond the image".to_owned());
    }
    let ints = |values: &[usize]| OnnxValue::Ints(values.to_vec());
    Ok(node
        .with("kernel_shape", ints(&window.size))
        .with("strides", ints(&window.stride))
        .with("dilations", ints(&window.dilation))
        .with("pads", ints(&[top, left, bottom, right])))
}

/// [`Window`] in files.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    size: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: PaddingForm,
    is_ceil: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PaddingForm {
    Valid,
    Same,
    /// Top, left, bottom, right.
    Explicit([usize; 4]),
}

pub(super) fn serialize<S: Serializer>(window: &Window, to: S) -> Result<S::Ok, S::Error> {
    let form = Form {
        size: window.size,
        stride: window.stride,
        dilation: window.dilation,
        padding: match window.padding {
            Padding::Valid => PaddingForm::Valid,
            Padding::Same => PaddingForm::Same,
            Padding::Explicit {
                top,
                left,
                bottom,
                right,
            } => PaddingForm::Explicit([top, left, bottom, right]),
        },
        is_ceil: window.is_ceil,
    };
    form.serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Window, D::Error> {
    let form = Form::deserialize(from)?;
    Ok(Window {
        size: form.size,
        stride: form.stride,
        dilation: form.dilation,
        padding: match form.padding {
            PaddingForm::Valid => Padding::Valid,
            PaddingForm::Same => Padding::Same,
            PaddingForm::Explicit([top, left, bottom, right]) => Padding::Explicit {
                top,
                left,
                bottom,
                right,
            },
        },
        is_ceil: form.is_ceil,
    })
}
