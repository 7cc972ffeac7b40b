//! From bytes to network inputs, on the device: crop, resize, flip, colour, normalisation. No gradient flows through it.

use kernels::ops::augment;

pub use kernels::ops::augment::{Augment, ColourShift, Crop, Erase};

use crate::error::{Error, Result};
use crate::tensor::{Element, Tensor};
use crate::update::StepBuffer;

/// Images for a network, `[n, out_h, out_w, 3]`, from `pixels`, bytes `[n, h, w, 3]`. `samples` are the images' numbers
/// in the data set, words `[n]`: with the step's seed and number they decide all that is random.
///
/// # Errors
/// If a shape, an element type, a device or the description does not fit, or the device fails.
pub fn augment(
    spec: &Augment,
    pixels: &Tensor,
    samples: &Tensor,
    step: &StepBuffer,
) -> Result<Tensor> {
    pixels.check_element("augment", "pixels", Element::U8)?;
    samples.check_element("augment", "samples", Element::U32)?;
    samples.check_device("augment", "samples", pixels)?;
    step.tensor().check_device("augment", "step", pixels)?;
    let n = samples.shape().elements();
    let [h, w] = spec.input;
    if **pixels.shape() != [n, h, w, 3] {
        let expected = format!("[{n}, {h}, {w}, 3]");
        return Err(Error::shape("augment", "pixels", expected, pixels.shape()));
    }
    let device = pixels.device();
    let (pixels, samples, step) = (pixels.buffer(), samples.buffer(), step.tensor().buffer());
    let y = augment::forward(device, spec, pixels, samples, step)?;
    let [out_h, out_w] = spec.output;
    Ok(Tensor::constant(device, y, [n, out_h, out_w, 3]))
}
