//! What a layer is made with, as numbers by name: enough to build the same layer in another program.

use tensor::Shape;
use tensor::ops::conv2d::Window;

use crate::layers::{Kind, Layer};

/// A layer's numbers: `filters`, `window`, `stride`, `pad_before`, `pad_after` and `groups` of a convolution (rows and
/// columns alike), `units` of a dense layer, `epsilon` of batch normalisation, `radius`, `bias`, `alpha` and `beta` of LRN,
/// `rate` of dropout.
pub(crate) fn settings(layer: &Layer, input: &Shape, output: &Shape) -> Vec<(&'static str, f64)> {
    let channels = output.last().copied().unwrap_or_default();
    match &layer.kind {
        Kind::Conv2d(conv) => {
            let mut numbers = vec![("filters", whole(channels))];
            numbers.extend(of_window(conv.window(), input));
            numbers.push(("groups", whole(conv.groups_of_channels())));
            numbers
        }
        Kind::MaxPool(window) => of_window(window, input),
        Kind::AvgPoolTo(_) => {
            let side = whole(input[0] / output[0].max(1));
            vec![("window", side), ("stride", side)]
        }
        Kind::Dense(_) => vec![("units", whole(channels))],
        Kind::BatchNorm(constants) => vec![("epsilon", decimal(constants.epsilon))],
        Kind::Lrn(lrn) => vec![
            ("radius", whole(lrn.radius)),
            ("bias", decimal(lrn.bias)),
            ("alpha", decimal(lrn.alpha)),
            ("beta", decimal(lrn.beta)),
        ],
        Kind::Dropout(rate) => vec![("rate", decimal(*rate))],
        Kind::Relu | Kind::Flatten => Vec::new(),
    }
}

/// The numbers of a square window; TensorFlow's SAME becomes the padding that it means at this size.
fn of_window(window: &Window, input: &Shape) -> Vec<(&'static str, f64)> {
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

fn whole(size: usize) -> f64 {
    u32::try_from(size).map_or(f64::INFINITY, f64::from)
}

/// The number that is written as this one is: 1e-5, and not 9.999999747378752e-6.
fn decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}
