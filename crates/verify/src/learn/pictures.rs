//! What operators do to a picture: each is launched on the device as training launches it.

mod made_up;

use kernels::ops::cross_entropy::{self, CrossEntropy, Reduction, Targets};
use kernels::ops::dropout::{self, Dropout};
use kernels::ops::gemm::{self, Gemm};
use kernels::ops::lrn::{self, Lrn};
use kernels::ops::max_pool::{self, Pool};
use kernels::ops::sgd::{self, Sgd};
use kernels::ops::softmax::{self, Kind};
use kernels::ops::window::{Padding, Window};
use kernels::ops::{avg_pool, relu};
use kernels::philox::{Philox, unit};
use kernels::{Activation, Device, ParameterUpdate, Result, StepScalars};

use super::filters::{BLUR, DIRECTIONS, DOWN, RIGHT, SHARPEN, convolved};

/// An RGB picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// What it is.
    pub caption: String,
    /// `[height, width]`.
    pub size: [usize; 2],
    /// `[height, width, 3]`.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// The picture of a page whose reader has given none: a house on a hill, drawn by the program.
    ///
    /// ```
    /// let house = verify::learn::Picture::made_up();
    /// assert_eq!(house.rgb.len(), house.size[0] * house.size[1] * 3);
    /// ```
    #[must_use]
    pub fn made_up() -> Self {
        made_up::house()
    }

    /// The same under another caption.
    fn called(&self, caption: &str) -> Self {
        Self {
            caption: caption.to_owned(),
            ..self.clone()
        }
    }

    /// Its numbers, from 0 to 1.
    pub(super) fn floats(&self) -> Vec<f32> {
        let numbers = self.rgb.iter();
        numbers.map(|x| f32::from(*x) / 255.0).collect()
    }

    /// The mean of its colours, from 0 to 1.
    fn greys(&self) -> Vec<f32> {
        let pixels = self.floats();
        let pixels = pixels.chunks_exact(3);
        pixels.map(|rgb| rgb.iter().sum::<f32>() / 3.0).collect()
    }

    /// Colours from 0 to 1; what is beyond is cut off.
    fn coloured(caption: &str, size: [usize; 2], values: &[f32]) -> Self {
        Self {
            caption: caption.to_owned(),
            size,
            rgb: values.iter().copied().map(byte).collect(),
        }
    }

    /// Greys from 0 to 1.
    fn grey(caption: &str, size: [usize; 2], values: impl Iterator<Item = f32>) -> Self {
        let rgb = values.flat_map(|x| [byte(x); 3]).collect();
        Self {
            caption: caption.to_owned(),
            size,
            rgb,
        }
    }

    /// Numbers of either sign: grey is 0, black and white are the largest magnitude.
    fn signed(caption: &str, size: [usize; 2], values: &[f32]) -> Self {
        let most = most(values);
        let greys = values.iter().map(|x| 0.5 + 0.5 * x / most);
        Self::grey(caption, size, greys)
    }
}

/// The largest magnitude.
fn most(values: &[f32]) -> f32 {
    let magnitudes = values.iter().map(|x| x.abs());
    magnitudes.fold(f32::MIN_POSITIVE, f32::max)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is within 0 to 255"
)]
fn byte(x: f32) -> u8 {
    (255.0 * x.clamp(0.0, 1.0)).round() as u8
}

/// Rows and columns of what 3x3 filters make of a picture.
fn inner(picture: &Picture) -> [usize; 2] {
    picture.size.map(|side| side.saturating_sub(2))
}

/// One channel of `[h, w, channels]`.
fn channel(values: &[f32], channel: usize, channels: usize) -> Vec<f32> {
    values
        .iter()
        .skip(channel)
        .step_by(channels)
        .copied()
        .collect()
}

pub(super) fn conv2d(device: &Device, picture: &Picture) -> Result<Vec<Picture>> {
    let stencils = [DOWN, RIGHT, BLUR, SHARPEN];
    let y = convolved(device, picture, 1.0, &stencils, Activation::None)?;
    let [down, right, blur, sharp] = [0, 1, 2, 3].map(|at| channel(&y, at, stencils.len()));
    let size = inner(picture);
    Ok(vec![
        picture.called("before"),
        Picture::signed("a filter for edges downwards; grey is 0", size, &down),
        Picture::signed("one for edges to the right", size, &right),
        Picture::grey("one that blurs", size, blur.into_iter()),
        Picture::grey("one that sharpens", size, sharp.into_iter()),
    ])
}

pub(super) fn relu(device: &Device, picture: &Picture) -> Result<Vec<Picture>> {
    let edges = convolved(device, picture, 1.0, &[RIGHT], Activation::None)?;
    let y = relu::forward(device, &device.upload(&edges)?)?;
    let y: Vec<f32> = device.read(&y)?;
    let size = inner(picture);
    Ok(vec![
        picture.called("the picture"),
        Picture::signed("before: a filter's edges; grey is 0", size, &edges),
        Picture::signed("after: what was below 0 is 0", size, &y),
    ])
}

pub(super) fn lrn(device: &Device, picture: &Picture) -> Result<Vec<Picture>> {
    let channels = DIRECTIONS.len();
    // The paper's constants suit pixels up to 255.
    let x = convolved(device, picture, 255.0, &DIRECTIONS, Activation::Relu)?;
    let y = lrn::forward(device, &Lrn::default(), &device.upload(&x)?, channels)?;
    let y: Vec<f32> = device.read(&y)?;
    let mut pictures = Vec::new();
    for (at, name) in [(0, "edges to the right"), (2, "edges upwards")] {
        for (values, when) in [(&x, "before"), (&y, "after")] {
            let values = channel(values, at, channels);
            let most = most(&values);
            let caption = format!("{name}, {when}: white is {most:.0}");
            let greys = values.iter().map(|x| x / most);
            pictures.push(Picture::grey(&caption, inner(picture), greys));
        }
    }
    pictures.push(picture.called("the picture"));
    Ok(pictures)
}

pub(super) fn max_pool(device: &Device, picture: &Picture) -> Result<Vec<Picture>> {
    let pool = Pool {
        n: 1,
        input: picture.size,
        channels: 3,
        window: Window::new(3, 2, Padding::Valid),
    };
    let size = pool.output()?;
    let x = device.upload(&picture.floats())?;
    let (largest, _) = max_pool::forward(device, &pool, &x)?;
    let mean = avg_pool::forward(device, &pool, false, &x)?;
    let [largest, mean]: [Vec<f32>; 2] = [device.read(&largest)?, device.read(&mean)?];
    Ok(vec![
        picture.called("before"),
        Picture::coloured(
            "after: the largest of each 3x3, every 2 pixels",
            size,
            &largest,
        ),
        Picture::coloured("for comparison, their mean", size, &mean),
    ])
}

pub(super) fn dropout(device: &Device, picture: &Picture) -> Result<Vec<Picture>> {
    let x = device.upload(&picture.floats())?;
    let spec = Dropout {
        rate: 0.5,
        stream: 1,
    };
    let mut pictures = vec![picture.called("before")];
    for step in 1..=2 {
        let scalars = StepScalars::new(42, step, 0.0).upload(device)?;
        let y: Vec<f32> = device.read(&dropout::forward(device, &spec, &x, &scalars)?)?;
        let caption = format!("step {step}: half are 0, the others twice what they were");
        pictures.push(Picture::coloured(&caption, picture.size, &y));
    }
    Ok(pictures)
}

pub(super) fn gemm(device: &Device, picture: &Picture) -> Result<Vec<Picture>> {
    let [height, width] = picture.size;
    let x = device.upload(&picture.greys())?;
    let product = |weight: &dyn Fn(usize, usize) -> f32| -> Result<Vec<f32>> {
        let weights = (0..width * width).map(|at| weight(at / width, at % width));
        let w = device.upload(&weights.collect::<Vec<_>>())?;
        let y = gemm::product(device, &Gemm::new(height, width, width), &x, &w)?;
        device.read(&y)
    };
    let mirrored = product(&|i, j| if i + j + 1 == width { 1.0 } else { 0.0 })?;
    let blurred = product(&|i, j| if i.abs_diff(j) <= 4 { 1.0 / 9.0 } else { 0.0 })?;
    let random = Philox {
        seed: 42,
        stream: 1,
        step: 1,
    };
    let sign = |i: usize, j: usize| {
        let word = u32::try_from((i * width + j) / 4).map_or(0, |at| random.words(at)[j % 4]);
        if unit(word) < 0.5 { -1.0 } else { 1.0 }
    };
    let mixed = product(&sign)?;
    let size = picture.size;
    Ok(vec![
        Picture::grey(
            "before: x, a row of pixels a row",
            size,
            picture.greys().into_iter(),
        ),
        Picture::grey(
            "W with ones on the other diagonal",
            size,
            mirrored.into_iter(),
        ),
        Picture::grey("W with a band of ninths", size, blurred.into_iter()),
        Picture::signed("W of random signs, as before training", size, &mixed),
    ])
}

pub(super) fn softmax(device: &Device, picture: &Picture) -> Result<Vec<Picture>> {
    let mut pictures = vec![picture.called("the picture: a logit for red, green and blue")];
    for factor in [5.0, 40.0] {
        let logits: Vec<f32> = picture.floats().iter().map(|x| factor * x).collect();
        let y = softmax::forward(device, Kind::Softmax, &device.upload(&logits)?, 3)?;
        let y: Vec<f32> = device.read(&y)?;
        let caption = format!("probabilities, with logits up to {factor}");
        pictures.push(Picture::coloured(&caption, picture.size, &y));
    }
    Ok(pictures)
}

pub(super) fn cross_entropy(device: &Device, picture: &Picture) -> Result<Vec<Picture>> {
    let pixels = picture.size[0] * picture.size[1];
    let logits: Vec<f32> = picture.floats().iter().map(|x| 10.0 * x).collect();
    let logits = device.upload(&logits)?;
    let spec = CrossEntropy {
        reduction: Reduction::None,
        ..CrossEntropy::default()
    };
    let mut pictures = vec![picture.called("the picture: logits up to 10 for red, green, blue")];
    for (label, name) in (0_u32..).zip(["red", "green", "blue"]) {
        let labels = device.upload(&vec![label; pixels])?;
        let labels = Targets::Labels(&labels);
        let loss = cross_entropy::forward(device, &spec, &logits, labels, [pixels, 3])?;
        let loss: Vec<f32> = device.read(&loss.loss)?;
        let most = most(&loss);
        let caption = format!("the loss, if all should be {name}: white is {most:.1}");
        let greys = loss.iter().map(|x| x / most);
        pictures.push(Picture::grey(&caption, picture.size, greys));
    }
    Ok(pictures)
}

pub(super) fn sgd(device: &Device, picture: &Picture) -> Result<Vec<Picture>> {
    let mut pictures = vec![picture.called("what is to be found; begun with grey")];
    let wanted = picture.floats();
    for (momentum, steps) in [(0.0, 5), (0.9, 5), (0.0, 20), (0.9, 20)] {
        let spec = Sgd {
            momentum,
            dampening: 0.0,
            weight_decay: 0.0,
            is_nesterov: false,
            rate_factor: 1.0,
        };
        let parameter = device.upload(&vec![0.5_f32; wanted.len()])?;
        let velocity = device.alloc(wanted.len())?;
        for step in 1..=steps {
            // Half the squared distance slopes by the distance.
            let now: Vec<f32> = device.read(&parameter)?;
            let slopes: Vec<f32> = now.iter().zip(&wanted).map(|(a, b)| a - b).collect();
            let update = ParameterUpdate {
                parameter: &parameter,
                gradient: &device.upload(&slopes)?,
                step: &StepScalars::new(42, step, 0.05).upload(device)?,
                scale: None,
            };
            sgd::update(device, &spec, &update, Some(&velocity))?;
        }
        let caption = format!("after {steps} steps, momentum {momentum}");
        let found: Vec<f32> = device.read(&parameter)?;
        pictures.push(Picture::coloured(&caption, picture.size, &found));
    }
    Ok(pictures)
}
