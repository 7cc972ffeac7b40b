//! Filters that are made by hand, so that a picture shows what a convolution does before anything is learnt.

use kernels::ops::conv2d::{self, Conv2d};
use kernels::ops::window::{Padding, Window};
use kernels::{Activation, Device, Result};

use super::pictures::Picture;

/// Weights of 3x3 taps, row by row.
pub(super) type Stencil = [f32; 9];

/// Rows that get lighter downwards (Sobel).
pub(super) const DOWN: Stencil = [-1.0, -2.0, -1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 1.0];
/// Columns that get lighter to the right.
pub(super) const RIGHT: Stencil = [-1.0, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0];
/// The mean.
pub(super) const BLUR: Stencil = [1.0 / 9.0; 9];
/// The pixel, and what it has more than its neighbours.
pub(super) const SHARPEN: Stencil = [0.0, -1.0, 0.0, -1.0, 5.0, -1.0, 0.0, -1.0, 0.0];
/// Edges in eight directions, each next to its like.
pub(super) const DIRECTIONS: [Stencil; 8] = [
    RIGHT,
    [0.0, 1.0, 2.0, -1.0, 0.0, 1.0, -2.0, -1.0, 0.0],
    [1.0, 2.0, 1.0, 0.0, 0.0, 0.0, -1.0, -2.0, -1.0],
    [2.0, 1.0, 0.0, 1.0, 0.0, -1.0, 0.0, -1.0, -2.0],
    [1.0, 0.0, -1.0, 2.0, 0.0, -2.0, 1.0, 0.0, -1.0],
    [0.0, -1.0, -2.0, 1.0, 0.0, -1.0, 2.0, 1.0, 0.0],
    DOWN,
    [-2.0, -1.0, 0.0, -1.0, 0.0, 1.0, 0.0, 1.0, 2.0],
];

/// What the filters make of a picture whose pixels go to `most`, `[h - 2, w - 2, filters]`: where all of their taps are on it. Each
/// sees the mean of the three colours.
pub(super) fn convolved(
    device: &Device,
    picture: &Picture,
    most: f32,
    stencils: &[Stencil],
    activation: Activation,
) -> Result<Vec<f32>> {
    let conv = Conv2d {
        n: 1,
        input: picture.size,
        c_in: 3,
        c_out: stencils.len(),
        window: Window::new(3, 1, Padding::Valid),
        groups: 1,
    };
    // Filters are [kh, kw, c_in, c_out].
    let taps = 0..9;
    let weights = taps.flat_map(|tap| [tap; 3]);
    let weights = weights.flat_map(|tap| stencils.iter().map(move |stencil| stencil[tap] / 3.0));
    let weights = device.upload(&weights.collect::<Vec<_>>())?;
    let pixels: Vec<f32> = picture.floats().iter().map(|x| most * x).collect();
    let x = device.upload(&pixels)?;
    let y = conv2d::forward(device, &conv, &x, &weights, None, activation)?;
    device.read(&y)
}
