//! Mixup (Zhang 2018) and cutmix (Yun 2019): a batch mixed with itself backwards, image `i` with image `n - 1 - i`.
//!
//! How, and by how much, comes with the step's scalars ([`crate::Mix`]), so that a captured step can be replayed. Mixup:
//! `y = share x + (1 - share) partner`; cutmix: a random rectangle of `y` comes from the partner. Targets are the two
//! labels weighted by their shares, for a cross-entropy with probabilities. A row that is padding, and its partner, stay
//! as they are; the target of a padded row is 0 everywhere.

use super::{check_len, size};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::mix::MixParams;
pub use crate::cpu::mix::STREAM;
use crate::device::Device;
use crate::error::Result;
use crate::kernel::{Grid, Kernel};
use crate::step::StepScalars;

const OP: &str = "mix";
const IMAGES: Kernel<MixParams> =
    Kernel::new(shaders::Variant::new(OP, "mix_images"), cpu::mix::images);
const TARGETS: Kernel<MixParams> =
    Kernel::new(shaders::Variant::new(OP, "mix_targets"), cpu::mix::targets);

/// The mixed images, shaped as `x: [n, h, w, channels]`, where `n` is the number of `labels`.
///
/// # Errors
/// If the lengths do not fit together, memory runs out or the device fails.
pub fn images(
    device: &Device,
    x: &Buffer,
    labels: &Buffer,
    [h, w, channels]: [usize; 3],
    step: &Buffer,
) -> Result<Buffer> {
    let params = params(labels.len(), [h, w, channels])?;
    let len = [h, w, channels]
        .into_iter()
        .fold(labels.len(), usize::saturating_mul);
    size(OP, "x", len)?;
    check_len(OP, "x", x, len)?;
    check_len(OP, "step", step, StepScalars::WORDS)?;
    let y = device.alloc(len)?;
    let grid = Grid::linear(len).flops(3 * len);
    device.launch(&IMAGES, &params, &[x, labels, step], &[&y], grid)?;
    Ok(y)
}

/// The targets that go with [`images`] of `[h, w]`: `[n, classes]`.
///
/// # Errors
/// As [`images`].
pub fn targets(
    device: &Device,
    labels: &Buffer,
    classes: usize,
    [h, w]: [usize; 2],
    step: &Buffer,
) -> Result<Buffer> {
    let params = params(labels.len(), [h, w, classes])?;
    let len = labels.len().saturating_mul(classes);
    size(OP, "classes", len)?;
    check_len(OP, "step", step, StepScalars::WORDS)?;
    let targets = device.alloc(len)?;
    let grid = Grid::linear(len).flops(3 * len);
    device.launch(&TARGETS, &params, &[labels, step], &[&targets], grid)?;
    Ok(targets)
}

fn params(n: usize, [h, w, channels]: [usize; 3]) -> Result<MixParams> {
    Ok(MixParams {
        n: size(OP, "n", n)?,
        h: size(OP, "h", h)?,
        w: size(OP, "w", w)?,
        channels: size(OP, "channels", channels)?,
    })
}
