//! Cases of mixup and cutmix. The reference draws cutmix's rectangle from the host's Philox.

use kernels::ops::mix;
use kernels::philox::{philox, unit};
use kernels::{Buffer, Device, Mix, Result, StepScalars};

use super::{Case, Fields, Fill, Input, Sizes};

const SEED: u64 = 0x0123_4567_89AB_CDEF;
const STEP: u32 = 7;
/// The stream of the kernel's random numbers.
const STREAM: u32 = 0x6D69_7865;

#[derive(Debug)]
struct MixCase {
    n: usize,
    h: usize,
    w: usize,
    c: usize,
    classes: usize,
    mix: Mix,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    let share = fields.real_or("share", 1.0)?;
    let mix = match [fields.flag("mixup"), fields.flag("cutmix")] {
        [true, false] => Mix::Mixup { share },
        [false, true] => Mix::Cutmix { share },
        [false, false] => Mix::None,
        [true, true] => return Err("expected mixup or cutmix, not both".to_owned()),
    };
    Ok(Box::new(MixCase {
        n: fields.get("n")?,
        h: fields.get("h")?,
        w: fields.get("w")?,
        c: fields.get("c")?,
        classes: fields.get("classes")?,
        mix,
    }))
}

impl MixCase {
    fn scalars(&self) -> StepScalars {
        StepScalars {
            mix: self.mix,
            ..StepScalars::new(SEED, STEP, 0.0)
        }
    }

    /// The share of the image itself at each pixel, and on the whole.
    fn shares(&self) -> (Vec<f64>, f64) {
        let pixels = self.h * self.w;
        match self.mix {
            Mix::None => (vec![1.0; pixels], 1.0),
            Mix::Mixup { share } => (vec![f64::from(share); pixels], f64::from(share)),
            Mix::Cutmix { share } => {
                let [low, high, ..] = self.scalars().to_words();
                let u = philox([0, STEP, 0, high], [low, STREAM]).map(unit);
                let inside = |at: usize, size: usize, u: f32| {
                    let side = (f64::from((1.0 - share).sqrt()) * size as f64).floor();
                    let start = (f64::from(u) * size as f64).floor() - (side / 2.0).floor();
                    (start..start + side).contains(&(at as f64))
                };
                let is_inside =
                    |i: usize| inside(i / self.w, self.h, u[0]) && inside(i % self.w, self.w, u[1]);
                let shares: Vec<f64> = (0..pixels)
                    .map(|i| if is_inside(i) { 0.0 } else { 1.0 })
                    .collect();
                let mean = shares.iter().sum::<f64>() / pixels as f64;
                (shares, mean)
            }
            other => unreachable!("no reference for {other:?}"),
        }
    }
}

impl Case for MixCase {
    fn inputs(&self) -> Vec<Input> {
        let len = self.n * self.h * self.w * self.c;
        let classes = u32::try_from(self.classes).unwrap_or(u32::MAX);
        vec![
            Input::constant("x", len, Fill::Uniform(-1.0, 1.0)),
            Input::constant("labels", self.n, Fill::Labels(classes)),
        ]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let (x, labels) = (&inputs[0], &inputs[1]);
        let (shares, mean) = self.shares();
        let image = self.h * self.w * self.c;
        let mixed = (0..x.len()).map(|i| {
            let share = shares[i % image / self.c];
            let partner = (self.n - 1 - i / image) * image + i % image;
            share * x[i] + (1.0 - share) * x[partner]
        });
        let targets = (0..self.n * self.classes).map(|i| {
            let (row, class) = (i / self.classes, (i % self.classes) as f64);
            let hit = |row: usize| if labels[row] == class { 1.0 } else { 0.0 };
            mean * hit(row) + (1.0 - mean) * hit(self.n - 1 - row)
        });
        vec![mixed.collect(), targets.collect()]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let step = self.scalars().upload(device)?;
        let (x, labels) = (&inputs[0], &inputs[1]);
        let images = mix::images(device, x, labels, [self.h, self.w, self.c], &step)?;
        let targets = mix::targets(device, labels, self.classes, [self.h, self.w], &step)?;
        Ok(vec![images, targets])
    }

    fn backward(&self, _: &Device, _: &[Buffer], _: &Buffer) -> Result<Vec<Buffer>> {
        Ok(Vec::new())
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            forward_terms: 2,
            backward_terms: 0,
            forward_flops: 3 * self.n * self.h * self.w * self.c,
            backward_flops: 0,
        }
    }
}
