//! What the cases of both pools share.

use kernels::ops::max_pool::Pool;
use kernels::ops::window::{Padding, Window};

use super::Fields;

/// `n h w c window [windoww] stride [stridew] [dilation] [same | pad | top left bottom right] [ceil]`.
pub(crate) fn parse(fields: &Fields<'_>) -> Result<Pool, String> {
    let size = fields.get("window")?;
    let stride = fields.get("stride")?;
    let dilation = fields.get_or("dilation", 1)?;
    let pad = fields.get_or("pad", 0)?;
    let padding = if fields.flag("same") {
        Padding::Same
    } else {
        Padding::Explicit {
            top: fields.get_or("top", pad)?,
            left: fields.get_or("left", pad)?,
            bottom: fields.get_or("bottom", pad)?,
            right: fields.get_or("right", pad)?,
        }
    };
    Ok(Pool {
        n: fields.get("n")?,
        input: [fields.get("h")?, fields.get("w")?],
        channels: fields.get("c")?,
        window: Window {
            size: [size, fields.get_or("windoww", size)?],
            stride: [stride, fields.get_or("stridew", stride)?],
            dilation: [dilation; 2],
            padding,
            is_ceil: fields.flag("ceil"),
        },
    })
}

/// For each output element in order, the positions in x of the taps that fall on the image, and the number of taps that
/// fall on it or its stated padding.
pub(crate) fn taps(pool: &Pool) -> Vec<(Vec<usize>, usize)> {
    let at = pool.output().map(|_| pool.window.place("pool", pool.input));
    let Ok(Ok(at)) = at else { return Vec::new() };
    let ([h, w], c, window) = (pool.input, pool.channels, &pool.window);
    let mut all = Vec::new();
    let outputs = pool.n * at.out[0] * at.out[1] * c;
    for output in 0..outputs {
        let (channel, pixel) = (output % c, output / c);
        let (ox, row) = (pixel % at.out[1], pixel / at.out[1]);
        let (oy, image) = (row % at.out[0], row / at.out[0]);
        let (mut positions, mut padded) = (Vec::new(), 0);
        for ky in 0..window.size[0] {
            for kx in 0..window.size[1] {
                let y = oy * window.stride[0] + ky * window.dilation[0];
                let x = ox * window.stride[1] + kx * window.dilation[1];
                let is_padded =
                    y < at.before[0] + h + at.after[0] && x < at.before[1] + w + at.after[1];
                padded += usize::from(is_padded);
                let inside = |at: usize, before: usize, size: usize| {
                    at.checked_sub(before).filter(|at| *at < size)
                };
                if let (Some(iy), Some(ix)) =
                    (inside(y, at.before[0], h), inside(x, at.before[1], w))
                {
                    positions.push(((image * h + iy) * w + ix) * c + channel);
                }
            }
        }
        all.push((positions, padded));
    }
    all
}
