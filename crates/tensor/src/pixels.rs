//! From bytes to network inputs, on the device: crop, resize, flip, colour, normalisation. No gradient flows through it.

use kernels::ops::{augment, mix};

pub use kernels::ops::augment::{Augment, Beside, ColourShift, Crop, Erase, can_be_resident};

use crate::error::{Error, Result};
use crate::tensor::{DType, Tensor};
use crate::update::StepBuffer;

/// Images for a network, `[n, out_h, out_w, c]`, from `pixels`, bytes `[n, h, w, c]`. `samples` are the images' numbers
/// in the data set, words `[n]`: with the step's seed and number they decide all that is random. Where `spec` says that a
/// data set is resident, `pixels` are all its images `[images, h, w, c]`, and `samples` say which are taken; a number that
/// it does not have gives a black one.
///
/// # Errors
/// If a shape, a dtype, a device or the description does not fit, or the device fails.
pub fn augment(
    spec: &Augment,
    pixels: &Tensor,
    samples: &Tensor,
    step: &StepBuffer,
) -> Result<Tensor> {
    check(spec, pixels, samples, step)?;
    let device = pixels.device();
    let n = samples.shape().elements();
    let (pixels, samples, step) = (pixels.buffer(), samples.buffer(), step.tensor().buffer());
    let y = augment::forward(device, spec, pixels, samples, step)?;
    let [out_h, out_w] = spec.output;
    Ok(Tensor::constant(
        device,
        y,
        [n, out_h, out_w, spec.channels],
    ))
}

/// The same into `images: [n, out_h, out_w, c]`, for several views of a batch in one place.
///
/// # Errors
/// As [`augment()`].
pub fn augment_into(
    spec: &Augment,
    pixels: &Tensor,
    samples: &Tensor,
    step: &StepBuffer,
    images: &Tensor,
) -> Result<()> {
    check(spec, pixels, samples, step)?;
    images.check_dtype("augment", "images", DType::F32)?;
    images.check_device("augment", "images", pixels)?;
    let inputs = [pixels.buffer(), samples.buffer(), step.tensor().buffer()];
    let device = pixels.device();
    Ok(augment::forward_into(
        device,
        spec,
        inputs,
        images.buffer(),
    )?)
}

fn check(spec: &Augment, pixels: &Tensor, samples: &Tensor, step: &StepBuffer) -> Result<()> {
    pixels.check_dtype("augment", "pixels", DType::U8)?;
    samples.check_dtype("augment", "samples", DType::U32)?;
    samples.check_device("augment", "samples", pixels)?;
    step.tensor().check_device("augment", "step", pixels)?;
    let n = samples.shape().elements();
    let images = spec.resident.unwrap_or(n);
    let ([h, w], c) = (spec.input, spec.channels);
    if **pixels.shape() == [images, h, w, c] {
        return Ok(());
    }
    let expected = format!("[{images}, {h}, {w}, {c}]");
    Err(Error::shape("augment", "pixels", expected, pixels.shape()))
}

/// A batch `x: [n, h, w, c]` mixed with itself backwards, and the targets `[n, classes]` that go with it, as the step's
/// scalars say ([`kernels::Mix`]): by mixup, by cutmix or not at all. labels: words `[n]`.
///
/// # Errors
/// If shapes, dtypes or devices do not fit together, or the device fails.
pub fn mix(
    x: &Tensor,
    labels: &Tensor,
    classes: usize,
    step: &StepBuffer,
) -> Result<(Tensor, Tensor)> {
    x.check_dtype("mix", "x", DType::F32)?;
    labels.check_dtype("mix", "labels", DType::U32)?;
    labels.check_device("mix", "labels", x)?;
    step.tensor().check_device("mix", "step", x)?;
    let n = labels.shape().elements();
    let &[images, h, w, c] = &x.shape()[..] else {
        return Err(Error::shape("mix", "x", "[n, h, w, c]", x.shape()));
    };
    if images != n {
        let expected = format!("of {images} labels");
        return Err(Error::shape("mix", "labels", expected, labels.shape()));
    }
    let device = x.device();
    let (words, scalars) = (labels.buffer(), step.tensor().buffer());
    let y = mix::images(device, x.buffer(), words, [h, w, c], scalars)?;
    let targets = mix::targets(device, words, classes, [h, w], scalars)?;
    Ok((
        Tensor::constant(device, y, x.shape().clone()),
        Tensor::constant(device, targets, [n, classes]),
    ))
}
