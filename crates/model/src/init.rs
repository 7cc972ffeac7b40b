//! Initial weights: He-normal, Glorot-uniform, normal, PyTorch's default, partial identity and constants.
//!
//! Values are Philox's, keyed by the seed and the parameter's index, and computed on the host: a network starts with the
//! same bits on every device. Not here: random numbers during training, whose steps count from 1.

use serde::{Deserialize, Serialize};
use tensor::random::{self, Philox};
use tensor::{Device, Shape, Tensor};

use crate::layers::Fans;

/// How a parameter is initialised. `fan_in` and `fan_out` are the terms in and out of one unit, the filter's area
/// included.
///
/// ```
/// use model::layers::{Dense, Flatten};
/// use model::{Architecture, Init, Network};
///
/// let logits = Dense::new(10).init(Init::Normal(0.01), Init::Constant(1.0));
/// let layers = vec![Flatten::new().into(), logits.into()];
/// let architecture = Architecture::from_layers("linear", [8, 8, 1], layers)?;
/// let network = Network::new(architecture, 42, &tensor::Device::cpu())?;
/// assert_eq!(network.parameters()[1].1.to_vec::<f32>()?, [1.0; 10]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// Normal with variance `2 / fan_in` (He et al. 2015, section 2.2).
    HeNormal,
    /// Uniform in `+-sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio 2010, equation 16).
    GlorotUniform,
    /// Uniform in `+-1 / sqrt(fan_in)`: PyTorch's default for weights and biases of convolutions and linear layers.
    FanInUniform,
    /// Normal around zero with this standard deviation.
    Normal(f32),
    /// This value everywhere.
    Constant(f32),
    /// Normal with variance `2 / fan_in`, of what is left when values beyond two standard deviations are drawn again:
    /// TensorFlow's and Keras' `he_normal`.
    TruncatedHeNormal,
    /// Normal around zero with this standard deviation, values beyond two of which are drawn again: TensorFlow's
    /// `truncated_normal`. What is left has .8796 of it.
    TruncatedNormal(f32),
    /// PyTorch's default, but for the first filters of a convolution: the first passes the first channel on, the second the
    /// second, as far as there are channels, by a one in the middle of the window and zeros elsewhere (`dirac_` on them). In
    /// a layer of groups this holds in each.
    PartialIdentity,
}

/// The standard deviation of a standard normal variable within two of its own: `sqrt(1 - 4 phi(2) / (2 Phi(2) - 1))`, with
/// the normal density and distribution. The variance-scaling rules of TensorFlow divide by it.
const TRUNCATED_STD: f32 = 0.879_625_7;
/// The streams of values that are drawn again: beyond the indices of parameters.
const AGAIN: u32 = 1 << 20;
/// Draws of a value before it is set to zero: one in `.0455^32`, so never.
const MOST_DRAWS: u32 = 32;

impl Init {
    /// The same with values beyond two standard deviations drawn again, where it is normal.
    pub(crate) fn truncated(self) -> Self {
        match self {
            Self::HeNormal => Self::TruncatedHeNormal,
            Self::Normal(std) => Self::TruncatedNormal(std),
            other => other,
        }
    }

    /// The initial values of parameter number `index` under `seed`.
    pub(crate) fn tensor(
        self,
        device: &Device,
        shape: Shape,
        fans: Fans,
        seed: u64,
        index: u32,
    ) -> tensor::Result<Tensor> {
        let source = Philox {
            seed,
            stream: index,
            // Training's numbers are those of steps from 1 on.
            step: 0,
        };
        let (fan_in, fan_out) = (float(fans.fan_in), float(fans.fan_out));
        let normal = |std, shape| random::normal(device, shape, std, source);
        let uniform = |bound: f32, shape| random::uniform(device, shape, -bound, bound, source);
        match self {
            Self::Constant(value) => {
                Tensor::from_slice(device, &vec![value; shape.elements()], shape)
            }
            Self::HeNormal => normal((2.0 / fan_in).sqrt(), shape),
            Self::Normal(std) => normal(std, shape),
            Self::TruncatedHeNormal => {
                let std = (2.0 / fan_in).sqrt() / TRUNCATED_STD;
                truncated(device, shape, std, source)
            }
            Self::TruncatedNormal(std) => truncated(device, shape, std, source),
            Self::GlorotUniform => uniform((6.0 / (fan_in + fan_out)).sqrt(), shape),
            Self::FanInUniform => uniform(fan_in.sqrt().recip(), shape),
            Self::PartialIdentity => {
                let rest = uniform(fan_in.sqrt().recip(), shape.clone())?;
                let mut values: Vec<f32> = rest.to_vec()?;
                pass_on(&mut values, &shape, fans);
                Tensor::from_slice(device, &values, shape)
            }
        }
    }
}

/// Makes the first filters `[kh, kw, in / groups, out]` of each group pass a channel on, or the first units `[in, out]` an input.
fn pass_on(values: &mut [f32], shape: &Shape, fans: Fans) {
    let (height, width, inputs, outputs) = match shape[..] {
        [height, width, inputs, outputs] => (height, width, inputs, outputs),
        [inputs, outputs] => (1, 1, inputs, outputs),
        _ => return,
    };
    // As SAME padding has it: of an even window, the place before its middle.
    let middle = (height.max(1) - 1) / 2 * width + (width.max(1) - 1) / 2;
    let of_group = (fans.fan_out / (height * width).max(1)).clamp(1, outputs.max(1));
    for output in 0..outputs {
        let input = output % of_group;
        if input < inputs {
            let places = values.iter_mut().skip(output).step_by(outputs);
            for (place, value) in places.enumerate() {
                let is_own = place == middle * inputs + input;
                *value = if is_own { 1.0 } else { 0.0 };
            }
        }
    }
}

/// Normal values around zero, those beyond two standard deviations drawn again, each from the next stream of its own.
fn truncated(device: &Device, shape: Shape, std: f32, source: Philox) -> tensor::Result<Tensor> {
    let draw = |stream| {
        let mut values = vec![0.0; shape.elements()];
        Philox { stream, ..source }.fill_normal(0.0, 1.0, &mut values);
        values
    };
    let is_kept = |value: &f32| value.abs() <= 2.0;
    let mut values = draw(source.stream);
    for round in 1..MOST_DRAWS {
        if values.iter().all(is_kept) {
            break;
        }
        let again = draw(source.stream + round * AGAIN);
        for (value, again) in values.iter_mut().zip(again) {
            if !is_kept(value) {
                *value = again;
            }
        }
    }
    for value in &mut values {
        *value = if is_kept(value) { *value * std } else { 0.0 };
    }
    Tensor::from_slice(device, &values, shape)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "fans are below 2^24 in every network, and a rounded one would do too"
)]
fn float(n: usize) -> f32 {
    n.max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const FANS: Fans = Fans {
        fan_in: 200,
        fan_out: 100,
    };

    fn draw(init: Init, len: usize, seed: u64, index: u32) -> Vec<f32> {
        let tensor = init.tensor(&Device::cpu(), Shape::from([len]), FANS, seed, index);
        tensor.unwrap().to_vec().unwrap()
    }

    #[test]
    fn deviations_are_those_of_the_papers() {
        let n = 100_003;
        for (init, expected) in [
            (Init::HeNormal, 0.1),
            (Init::Normal(0.01), 0.01),
            (Init::TruncatedHeNormal, 0.1),
            (Init::TruncatedNormal(0.01), 0.008_796),
            (Init::GlorotUniform, (6.0_f64 / 300.0 / 3.0).sqrt()),
            (Init::FanInUniform, (1.0_f64 / 200.0 / 3.0).sqrt()),
        ] {
            let values = draw(init, n, 7, 3);
            let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / 100_003.0;
            let square = values.iter().map(|&v| (f64::from(v) - mean).powi(2));
            let std = (square.sum::<f64>() / 100_003.0).sqrt();
            // Five standard errors of a mean, and about five of a normal standard deviation.
            assert!(mean.abs() < 5.0 * expected / 316.0, "{init:?}: mean {mean}");
            assert!((std / expected - 1.0).abs() < 0.012, "{init:?}: {std}");
        }
    }

    #[test]
    fn truncated_values_stay_within_two_standard_deviations_and_the_others_are_as_before() {
        let n = 100_003;
        let all = draw(Init::Normal(0.01), n, 7, 3);
        let kept = draw(Init::TruncatedNormal(0.01), n, 7, 3);
        let beyond = all.iter().filter(|value| value.abs() > 0.02).count();
        // 4.55 % of a normal distribution lies beyond; five standard errors of that share.
        assert!((4_220..=4_880).contains(&beyond), "{beyond}");
        for (one, other) in all.iter().zip(&kept) {
            assert!(other.abs() <= 0.02, "{other}");
            assert!(one == other || one.abs() > 0.02, "{one} became {other}");
        }
    }

    #[test]
    fn the_first_filters_of_each_group_pass_a_channel_on_and_the_others_are_as_before() {
        // Four channels in two groups of two, five filters each.
        let fans = Fans {
            fan_in: 9 * 2,
            fan_out: 9 * 5,
        };
        let draw = |init: Init| -> Vec<f32> {
            let shape = Shape::from([3, 3, 2, 10]);
            let tensor = init.tensor(&Device::cpu(), shape, fans, 7, 3);
            tensor.unwrap().to_vec().unwrap()
        };
        let (ours, torch) = (draw(Init::PartialIdentity), draw(Init::FanInUniform));
        for (at, (one, other)) in ours.iter().zip(&torch).enumerate() {
            let (filter, channel, place) = (at % 10, at / 10 % 2, at / 20);
            let expected = match filter % 5 {
                own if own < 2 => f32::from(u8::from(channel == own && place == 4)),
                _ => *other,
            };
            assert_eq!(*one, expected, "filter {filter}, {channel}, {place}");
        }
    }

    #[test]
    fn parameters_and_seeds_draw_different_numbers_and_the_same_ones_again() {
        let draw = |seed, index| draw(Init::HeNormal, 9, seed, index);
        assert_eq!(draw(1, 2), draw(1, 2), "the same place");
        assert_ne!(draw(1, 2), draw(1, 3), "another parameter");
        assert_ne!(draw(1, 2), draw((1 << 32) | 1, 2), "another seed");
    }
}
