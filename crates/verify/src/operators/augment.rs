//! Cases of augmentation. The reference draws from the host's Philox and computes everything else in f64, pixel by pixel.

use kernels::ops::augment::{self, Augment, Beside, ColourShift, Crop, Erase};
use kernels::philox::{philox, unit};
use kernels::{Buffer, Device, Result, StepScalars};

use super::{Case, Fields, Fill, Input, Sizes};

const STEP: StepScalars = StepScalars {
    epoch: 5,
    ..StepScalars::new(0x0123_4567_89AB_CDEF, 3, 0.0)
};
/// Eigenvectors times eigenvalues of ImageNet's colours, as widely used.
const COMPONENTS: [[f32; 3]; 3] = [
    [-0.1236, 0.0139, -0.0018],
    [-0.1256, -0.0001, 0.0037],
    [-0.1260, -0.0135, -0.0019],
];

#[derive(Debug)]
struct AugmentCase {
    n: usize,
    spec: Augment,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    let input = [fields.get("h")?, fields.get("w")?];
    let output = [fields.get("outh")?, fields.get("outw")?];
    let resized = |default: [usize; 2]| -> Result<_, String> {
        Ok([
            fields.get_or("resizedh", default[0])?,
            fields.get_or("resizedw", default[1])?,
        ])
    };
    let crop = if fields.flag("random") {
        Crop::Random {
            resized: resized(input)?,
            pad: fields.get("pad")?,
        }
    } else if fields.flag("area") {
        Crop::Area {
            share: [0.1, 1.0],
            ratio: [0.75, 4.0 / 3.0],
        }
    } else if fields.flag("at") {
        Crop::At {
            resized: resized(input)?,
            top: 3,
            left: 5,
        }
    } else if fields.flag("shifted") {
        Crop::Shifted {
            resized: resized(input)?,
            by: [pixels(fields, "down")?, pixels(fields, "right")?],
        }
    } else if fields.flag("centre") {
        Crop::Centre {
            resized: resized(output)?,
        }
    } else {
        return Err("expected random, area, at, shifted or centre".to_owned());
    };
    let (shift, erase) = (fields.real_or("shift", 0.0)?, fields.real_or("erase", 0.0)?);
    let resident = fields.get_or("resident", 0)?;
    let channels: usize = fields.get_or("c", 3)?;
    let (mean, std) = ([0.5, 0.45, 0.4, 0.7], [0.25, 0.24, 0.26, 0.3]);
    if !(1..=4).contains(&channels) {
        return Err("expected c1, c3 or c4".to_owned());
    }
    let spec = Augment {
        resident: (resident > 0).then_some(resident),
        crop,
        beside: if fields.flag("reflect") {
            Beside::Reflection
        } else {
            Beside::Black
        },
        flip: fields.real_or("flip", 0.0)?,
        alternates: fields.flag("alternate"),
        brightness: fields.real_or("brightness", 0.0)?,
        contrast: fields.real_or("contrast", 0.0)?,
        colour_shift: (shift > 0.0).then_some(ColourShift {
            components: COMPONENTS,
            std: shift,
        }),
        erase: (erase > 0.0).then_some(Erase {
            probability: erase,
            share: [0.02, 0.33],
            ratio: [0.3, 3.3],
        }),
        ..Augment::plain(input, output, &mean[..channels], &std[..channels])
    };
    Ok(Box::new(AugmentCase {
        n: fields.get("n")?,
        spec,
    }))
}

/// A number of pixels that may be negative.
#[expect(clippy::cast_possible_truncation, reason = "a few pixels")]
fn pixels(fields: &Fields<'_>, name: &str) -> Result<i32, String> {
    Ok(fields.real_or(name, 0.0)? as i32)
}

/// Top, left, height and width.
type Window = [f64; 4];

/// What happens to one image, in f64.
struct Plan {
    begin: [f64; 2],
    resized: [f64; 2],
    window: Window,
    is_flipped: bool,
    bright: f64,
    contrast: f64,
    shift: [f64; 3],
    erased: Option<Window>,
}

/// The stream of the kernel's random numbers.
const STREAM: u32 = 0x6175_6775;

/// The random numbers of one image: Philox, keyed by the run's seed, counted by image, step and block.
struct Draws<'a> {
    sample: u32,
    step: &'a [u32],
}

impl Draws<'_> {
    /// Four numbers in `[0, 1)`.
    fn draw(&self, block: u32) -> [f32; 4] {
        let counter = [self.sample, self.step[2], block, self.step[1]];
        philox(counter, [self.step[0], STREAM]).map(unit)
    }

    /// Three near-normal numbers: sums of twelve uniform ones less 6.
    fn normals(&self) -> [f64; 3] {
        [0, 1, 2].map(|i| {
            let blocks = (0..3).map(|block| self.draw(4 + 3 * block + i));
            blocks.flatten().map(f64::from).sum::<f64>() - 6.0
        })
    }
}

impl AugmentCase {
    fn plan(&self, sample: u32) -> Plan {
        let spec = &self.spec;
        let step = STEP.to_words();
        let draws = Draws {
            sample,
            step: &step,
        };
        let [u, v] = [0, 1].map(|block| draws.draw(block).map(f64::from));
        let [input, output] = [spec.input, spec.output].map(|size| size.map(|x| x as f64));
        let mut window = [0.0, 0.0, input[0], input[1]];
        let (resized, begin) = match spec.crop {
            Crop::Centre { resized } => {
                let resized = resized.map(|x| x as f64);
                (
                    resized,
                    [0, 1].map(|i: usize| ((resized[i] - output[i]) / 2.0).floor()),
                )
            }
            Crop::At { resized, top, left } => {
                (resized.map(|x| x as f64), [top as f64, left as f64])
            }
            Crop::Shifted { resized, by } => {
                let resized = resized.map(|x| x as f64);
                let middle = |i: usize| ((resized[i] - output[i]) / 2.0).floor();
                (resized, [0, 1].map(|i: usize| middle(i) + f64::from(by[i])))
            }
            Crop::Random { resized, pad } => {
                let (resized, pad) = (resized.map(|x| x as f64), pad as f64);
                let places = |i: usize| resized[i] + 2.0 * pad - output[i] + 1.0;
                (
                    resized,
                    [0, 1].map(|i: usize| (u[1 + i] * places(i)).floor() - pad),
                )
            }
            Crop::Area { share, ratio } => {
                window = part(&draws, 16, input, share, ratio).unwrap_or(window);
                (output, [0.0; 2])
            }
            ref other => unreachable!("no reference for {other:?}"),
        };
        let z = draws.normals();
        let shift = spec.colour_shift.map_or([0.0; 3], |shift| {
            shift.components.map(|row| {
                let products = row.iter().zip(z).map(|(&x, z)| f64::from(x) * z);
                f64::from(shift.std) * products.sum::<f64>()
            })
        });
        let erase = spec
            .erase
            .filter(|erase| v[2] < f64::from(erase.probability));
        Plan {
            begin,
            resized,
            window,
            is_flipped: if spec.alternates {
                let counter = [sample, 0, 0, step[1]];
                let own = philox(counter, [step[0], STREAM])[0] >> 31;
                (own + STEP.epoch) % 2 == 1
            } else {
                u[0] < f64::from(spec.flip)
            },
            bright: 1.0 + f64::from(spec.brightness) * (2.0 * v[0] - 1.0),
            contrast: 1.0 + f64::from(spec.contrast) * (2.0 * v[1] - 1.0),
            shift,
            erased: erase.and_then(|e| part(&draws, 32, output, e.share, e.ratio)),
        }
    }

    /// The value of one channel of one output pixel.
    fn value(&self, plan: &Plan, image: &[u8], [row, column]: [usize; 2], channel: usize) -> f64 {
        let ([in_h, in_w], c) = (self.spec.input, self.spec.channels);
        if let Some([top, left, height, width]) = plan.erased {
            let (row, column) = (row as f64 - top, column as f64 - left);
            if row >= 0.0 && row < height && column >= 0.0 && column < width {
                return 0.0;
            }
        }
        let column = if plan.is_flipped {
            self.spec.output[1] - 1 - column
        } else {
            column
        };
        let at = [row as f64 + plan.begin[0], column as f64 + plan.begin[1]];
        let at = [0, 1].map(|i: usize| match self.spec.beside {
            Beside::Reflection => reflected(at[i], plan.resized[i]),
            _ => at[i],
        });
        let axes = [0, 1].map(|i: usize| {
            let (length, window) = ([in_h, in_w][i], [plan.window[i], plan.window[2 + i]]);
            weights(at[i], plan.resized[i], window, length)
        });
        let mut v = 0.0;
        for (i, row) in reached(&axes[0]) {
            for (j, column) in reached(&axes[1]) {
                v += row * column * f64::from(image[c * (i * in_w + j) + channel]) / 255.0;
            }
        }
        let [mean, std] = [self.spec.mean, self.spec.std].map(|x| f64::from(x[channel]));
        if channel == 3 {
            return (v - mean) / std;
        }
        let colour = mean + plan.contrast * (plan.bright * v - mean) + plan.shift[channel];
        (colour - mean) / std
    }
}

/// A random part of an image, as the kernels draw it.
fn part(
    draws: &Draws<'_>,
    block: u32,
    [h, w]: [f64; 2],
    share: [f32; 2],
    ratio: [f32; 2],
) -> Option<Window> {
    (block..block + 10).find_map(|block| {
        let u = draws.draw(block).map(f64::from);
        let mix = |[low, high]: [f64; 2], u: f64| low + (high - low) * u;
        let area = h * w * mix(share.map(f64::from), u[0]);
        let ratio = mix(ratio.map(|r| f64::from(r).log2()), u[1]).exp2();
        let [height, width] = [(area / ratio).sqrt().round(), (area * ratio).sqrt().round()];
        let fits = height >= 1.0 && width >= 1.0 && height <= h && width <= w;
        let [top, left] = [u[2] * (h - height + 1.0), u[3] * (w - width + 1.0)].map(f64::floor);
        fits.then_some([top, left, height, width])
    })
}

/// The place of the image that one beside it shows.
fn reflected(at: f64, length: f64) -> f64 {
    if at < 0.0 {
        -at
    } else if at > length - 1.0 {
        2.0 * (length - 1.0) - at
    } else {
        at
    }
}

/// The weight of each position of an axis of `length` at place `at` of its resized window; none outside of it.
fn weights(at: f64, resized: f64, [first, window]: [f64; 2], length: usize) -> Vec<f64> {
    if at < 0.0 || at >= resized {
        return vec![0.0; length];
    }
    let scale = window / resized;
    let (centre, support) = ((at + 0.5) * scale, scale.max(1.0));
    let weight = |i: usize| {
        let place = i as f64 - first;
        let is_inside = place >= 0.0 && place < window;
        let weight = 1.0 - (place + 0.5 - centre).abs() / support;
        if is_inside { weight.max(0.0) } else { 0.0 }
    };
    let weights: Vec<f64> = (0..length).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// The positions with a weight.
fn reached(weights: &[f64]) -> impl Iterator<Item = (usize, f64)> {
    let all = weights.iter().copied().enumerate();
    all.filter(|(_, weight)| *weight > 0.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the inputs are words"
)]
fn to_words(values: &[f64]) -> Vec<u32> {
    values.iter().map(|&x| x as u32).collect()
}

impl Case for AugmentCase {
    fn inputs(&self) -> Vec<Input> {
        let [h, w] = self.spec.input;
        let images = self.spec.resident.unwrap_or(self.n);
        let words = (self.spec.channels * images * h * w).div_ceil(4);
        // One number more than there are images: that of a padded place.
        let samples = self.spec.resident.map_or(Fill::Words, |images| {
            Fill::Labels(u32::try_from(images).map_or(u32::MAX, |images| images + 1))
        });
        vec![
            Input::constant("pixels", words, Fill::Words),
            Input::constant("samples", self.n, samples),
        ]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let words = to_words(&inputs[0]);
        let bytes: &[u8] = bytemuck::cast_slice(&words);
        let [in_h, in_w] = self.spec.input;
        let [out_h, out_w] = self.spec.output;
        let c = self.spec.channels;
        let len = c * in_h * in_w;
        let black = vec![0; len];
        let mut y = Vec::new();
        for (n, sample) in to_words(&inputs[1]).into_iter().enumerate() {
            let place = self.spec.resident.map_or(n, |_| sample as usize);
            let is_padding = self.spec.resident.is_some_and(|images| place >= images);
            let image = if is_padding {
                &black
            } else {
                &bytes[place * len..(place + 1) * len]
            };
            let plan = self.plan(sample);
            for i in 0..c * out_h * out_w {
                let place = [i / (c * out_w), i / c % out_w];
                y.push(self.value(&plan, image, place, i % c));
            }
        }
        vec![y]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let step = STEP.upload(device)?;
        let y = augment::forward(device, &self.spec, &inputs[0], &inputs[1], &step)?;
        Ok(vec![y])
    }

    fn backward(&self, _: &Device, _: &[Buffer], _: &Buffer) -> Result<Vec<Buffer>> {
        Ok(Vec::new())
    }

    fn sizes(&self) -> Sizes {
        let side = self.spec.input.into_iter().max().unwrap_or(1);
        let outputs = self.spec.channels * self.n * self.spec.output.iter().product::<usize>();
        Sizes {
            // A place along an axis is rounded to 2^-24 of the axis, and the value changes by the full range in one pixel.
            forward_terms: side * side,
            backward_terms: 0,
            forward_flops: 8 * outputs,
            backward_flops: 0,
        }
    }
}
