//! Interpolation along one axis by a triangle as wide as the scale, as PyTorch and Pillow have it. Two axes are two
//! passes: along the rows of the source first, so that both passes run over neighbouring floats.

/// For each output position the first source position and the weights, which sum to 1.
#[derive(Debug, Default)]
pub(crate) struct Taps {
    first: Vec<usize>,
    weights: Vec<f32>,
    /// Weights of one position; those past a position's own are 0.
    width: usize,
}

impl Taps {
    /// Weights of the source positions `0..window` around each of `centres`, where position `i` has its centre at
    /// `i + 1/2` and the triangle reaches `support` to both sides. No weights at all where there is no centre.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positions are small and not negative"
    )]
    pub(crate) fn set(
        &mut self,
        centres: impl Iterator<Item = Option<f32>>,
        window: f32,
        support: f32,
    ) {
        self.width = 2 * support.ceil() as usize + 1;
        self.first.clear();
        self.weights.clear();
        for centre in centres {
            let start = self.weights.len();
            let mut first = 0.0;
            if let Some(centre) = centre {
                first = (centre - support + 0.5).floor().max(0.0);
                let end = (centre + support + 0.5).floor().min(window);
                let mut position = first;
                while position < end {
                    let weight = 1.0 - (position + 0.5 - centre).abs() / support;
                    self.weights.push(weight.max(0.0));
                    position += 1.0;
                }
                let sum: f32 = self.weights[start..].iter().sum();
                self.weights[start..].iter_mut().for_each(|w| *w /= sum);
            }
            self.weights.resize(start + self.width, 0.0);
            self.first.push(first as usize);
        }
    }

    /// How many output positions there are.
    pub(crate) fn len(&self) -> usize {
        self.first.len()
    }

    /// The source positions of an output position, and their weights (none that is 0).
    pub(crate) fn at(&self, position: usize) -> impl Iterator<Item = (usize, f32)> {
        let weights = &self.weights[position * self.width..][..self.width];
        (self.first[position]..)
            .zip(weights.iter().copied())
            .filter(|(_, weight)| *weight != 0.0)
    }
}
