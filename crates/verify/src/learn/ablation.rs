//! Training with and without an operator: alexnet-small on shapes10, and the same with a part left out or replaced.

use model::layers::{AvgPool, Conv2d, Dense, Dropout, Flatten, Lrn, MaxPool, Module as _, Tanh};
use model::{Architecture, Layer};
use train::Recipe;

/// The data set's images, and its classes.
const INPUT: [usize; 3] = [32, 32, 3];
const CLASSES: usize = 10;

/// Two trainings that differ in one thing.
#[derive(Clone, Copy, Debug)]
pub struct Ablation {
    /// The one with the operator, in words.
    pub with: &'static str,
    /// The one without it.
    pub without: &'static str,
    change: Change,
}

/// What differs.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// A part of alexnet-small that is left out, or has something else in its place.
    Without(Part),
    /// Settings with, and without.
    Settings([&'static [&'static str]; 2]),
}

/// A part of alexnet-small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Convolutions,
    Rectifiers,
    Normalisation,
    Maxima,
    Hidden,
    Dropout,
}

const fn without(part: Part, with: &'static str, without: &'static str) -> Ablation {
    Ablation {
        with,
        without,
        change: Change::Without(part),
    }
}

pub(super) const CONVOLUTION: Ablation = without(
    Part::Convolutions,
    "five convolutions",
    "none: the pixels go to the dense layers",
);
pub(super) const RELU: Ablation = without(Part::Rectifiers, "ReLU", "tanh in its place");
pub(super) const LRN: Ablation = without(Part::Normalisation, "LRN", "no LRN");
pub(super) const MAX_POOL: Ablation = without(
    Part::Maxima,
    "the largest of each window",
    "the mean of each window",
);
pub(super) const DENSE: Ablation = without(
    Part::Hidden,
    "two hidden dense layers",
    "none: the maps go to the classifier",
);
pub(super) const DROPOUT: Ablation = without(Part::Dropout, "dropout", "no dropout");
pub(super) const MOMENTUM: Ablation = Ablation {
    with: "momentum 0.9",
    without: "no momentum",
    change: Change::Settings([
        &[
            "optimizer.kind=sgd",
            "optimizer.learning_rate=0.01",
            "optimizer.momentum=0.9",
        ],
        &[
            "optimizer.kind=sgd",
            "optimizer.learning_rate=0.01",
            "optimizer.momentum=0",
        ],
    ]),
};

impl Ablation {
    /// The recipe of the training with the operator, or of the one without: that of shapes10.
    ///
    /// ```
    /// use verify::learn::Topic;
    /// let sgd = Topic::named("sgd")?.ablation().expect("it trains without momentum");
    /// let rate = |is_with| sgd.recipe(is_with, 42).map(|recipe| recipe.optimizer.momentum);
    /// assert_eq!((rate(true)?, rate(false)?), (0.9, 0.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// None but for bugs.
    pub fn recipe(&self, is_with: bool, seed: u64) -> train::Result<Recipe> {
        let recipe = Recipe::named("shapes10")?;
        let mut recipe = match self.change {
            Change::Settings([with, without]) => {
                recipe.with_settings(if is_with { with } else { without })?
            }
            Change::Without(_) => recipe,
        };
        recipe.seed = seed;
        Ok(recipe)
    }

    /// The network of the training with the operator, or of the one without.
    ///
    /// ```
    /// use verify::learn::Topic;
    /// let lrn = Topic::named("lrn")?.ablation().expect("it trains without LRN");
    /// let layers = |is_with| lrn.network(is_with).map(|network| network.layers().len());
    /// assert_eq!(layers(true)?, layers(false)? + 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// None but for bugs.
    pub fn network(&self, is_with: bool) -> model::Result<Architecture> {
        let left_out = match self.change {
            Change::Without(part) if !is_with => Some(part),
            _ => None,
        };
        let name = if is_with { "with" } else { "without" };
        Ok(Architecture::from_layers(name, INPUT, layers(left_out))?.with_torch_init())
    }
}

/// alexnet-small, but for a part.
fn layers(left_out: Option<Part>) -> Vec<Layer> {
    let has = |part| left_out != Some(part);
    let mut layers = Vec::new();
    if has(Part::Convolutions) {
        let pool = |layers: &mut Vec<Layer>, number| {
            if has(Part::Normalisation) {
                layers.push(Lrn::PAPER.named(format!("lrn{number}")));
            }
            let name = format!("pool{number}");
            layers.push(if has(Part::Maxima) {
                MaxPool::new(3, 2).same().named(name)
            } else {
                AvgPool::new(3, 2).same().named(name)
            });
        };
        let convolution = |layers: &mut Vec<Layer>, number, conv: Conv2d| {
            let (conv, name) = (conv.same(), format!("conv{number}"));
            if has(Part::Rectifiers) {
                layers.push(conv.relu().named(name));
            } else {
                layers.push(conv.named(name));
                layers.push(Tanh::new().named(format!("tanh{number}")));
            }
        };
        convolution(&mut layers, 1, Conv2d::new(48, 7).stride(2));
        pool(&mut layers, 1);
        convolution(&mut layers, 2, Conv2d::new(128, 5));
        pool(&mut layers, 2);
        for number in 3..=5 {
            convolution(&mut layers, number, Conv2d::new(192, 3));
        }
    }
    layers.push(Flatten::new().named("flatten"));
    for number in if has(Part::Hidden) { 6..8 } else { 6..6 } {
        let (dense, name) = (Dense::new(512), format!("fc{number}"));
        if has(Part::Rectifiers) {
            layers.push(dense.relu().named(name));
        } else {
            layers.push(dense.named(name));
            layers.push(Tanh::new().named(format!("tanh{number}")));
        }
        if has(Part::Dropout) {
            layers.push(Dropout::new(0.5).named(format!("drop{number}")));
        }
    }
    layers.push(Dense::new(CLASSES).named("fc8"));
    layers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_all_parts_it_is_alexnet_small() {
        let own = Architecture::from_layers("with", INPUT, layers(None)).unwrap();
        let known = Architecture::new("alexnet-small", Some(CLASSES), Some(32)).unwrap();
        let rows = |it: &Architecture| {
            let summary = it.summary();
            let rows = summary.rows().iter();
            let rows = rows.map(|row| {
                (
                    row.layer.clone(),
                    row.kind,
                    row.output.clone(),
                    row.parameters,
                )
            });
            rows.collect::<Vec<_>>()
        };
        assert_eq!(rows(&own), rows(&known));
    }

    #[test]
    fn each_part_makes_a_difference() {
        for ablation in [CONVOLUTION, RELU, LRN, MAX_POOL, DENSE, DROPOUT] {
            let text = |is_with| ablation.network(is_with).unwrap().summary().to_string();
            assert_ne!(text(true), text(false), "{}", ablation.without);
        }
    }
}
