//! Twins of `mix.wgsl`.

use rayon::prelude::*;

use crate::kernel::{CpuArgs, params, words};
use crate::philox::{philox, unit};

params! {
    /// Parameters of both kernels.
    pub(crate) struct MixParams {
        n: u32,
        h: u32,
        w: u32,
        channels: u32,
    }
}

/// The random numbers' stream.
pub const STREAM: u32 = 0x6D69_7865;

/// The label of a row that is padding.
const PADDING: u32 = u32::MAX;

/// How the batch is mixed.
enum Mode {
    None,
    Mixup { share: f32 },
    Cutmix { rectangle: [f32; 4] },
}

impl Mode {
    fn new(p: &MixParams, step: &[u32]) -> Self {
        let amount = f32::from_bits(step[6]);
        match step[7] {
            1 => Self::Mixup { share: amount },
            2 => Self::Cutmix {
                rectangle: rectangle(p, step, amount),
            },
            _ => Self::None,
        }
    }
}

/// Top, left, bottom and right of cutmix's rectangle.
#[expect(clippy::cast_precision_loss, reason = "sides of images are small")]
fn rectangle(p: &MixParams, step: &[u32], sides: f32) -> [f32; 4] {
    let u = philox([0, step[2], 0, step[1]], [step[0], STREAM]).map(unit);
    let [(top, bottom), (left, right)] = [(u[0], p.h), (u[1], p.w)].map(|(u, size)| {
        let size = size as f32;
        let side = (sides * size).floor();
        let start = (u * size).floor() - (side * 0.5).floor();
        (start.max(0.0), (start + side).min(size))
    });
    [top, left, bottom, right]
}

fn index(size: u32) -> usize {
    usize::try_from(size).expect("it came from a usize")
}

/// The image that image `i` is mixed with: itself where one of the two is padding.
fn partner_of(labels: &[u32], i: usize) -> usize {
    let partner = labels.len() - 1 - i;
    if labels[i] == PADDING || labels[partner] == PADDING {
        i
    } else {
        partner
    }
}

/// The mixed images.
#[expect(clippy::cast_precision_loss, reason = "sides of images are small")]
pub(crate) fn images(p: &MixParams, args: CpuArgs<'_>) {
    let ([x, labels, step], [y]) = args.split();
    let (labels, mode) = (words(labels), Mode::new(p, words(step)));
    let line = index(p.w) * index(p.channels);
    let image = index(p.h) * line;
    if image == 0 {
        return;
    }
    y.par_chunks_mut(image).enumerate().for_each(|(i, y)| {
        let own = &x[i * image..][..image];
        let other = &x[partner_of(labels, i) * image..][..image];
        match mode {
            Mode::None => y.copy_from_slice(own),
            Mode::Mixup { share } => {
                for ((y, own), other) in y.iter_mut().zip(own).zip(other) {
                    *y = share * own + (1.0 - share) * other;
                }
            }
            Mode::Cutmix {
                rectangle: [top, left, bottom, right],
            } => {
                y.copy_from_slice(own);
                let pixels = y.chunks_exact_mut(index(p.channels));
                let others = other.chunks_exact(index(p.channels));
                for (place, (y, other)) in pixels.zip(others).enumerate() {
                    let row = (place / index(p.w)) as f32;
                    let column = (place % index(p.w)) as f32;
                    if row >= top && row < bottom && column >= left && column < right {
                        y.copy_from_slice(other);
                    }
                }
            }
        }
    });
}

/// The targets that go with them.
#[expect(clippy::cast_precision_loss, reason = "sides of images are small")]
pub(crate) fn targets(p: &MixParams, args: CpuArgs<'_>) {
    let ([labels, step], [targets]) = args.split();
    let labels = words(labels);
    let share = match Mode::new(p, words(step)) {
        Mode::None => 1.0,
        Mode::Mixup { share } => share,
        Mode::Cutmix {
            rectangle: [top, left, bottom, right],
        } => {
            let area = (bottom - top).max(0.0) * (right - left).max(0.0);
            1.0 - area / (p.h as f32 * p.w as f32)
        }
    };
    targets.fill(0.0);
    let classes = index(p.channels);
    for (i, row) in targets.chunks_exact_mut(classes.max(1)).enumerate() {
        for (label, share) in [
            (labels[i], share),
            (labels[partner_of(labels, i)], 1.0 - share),
        ] {
            if let Some(target) = row.get_mut(index(label)) {
                *target += share;
            }
        }
    }
}
