//! Architectures: a network's layers with every shape worked out, before there are any weights.

mod text;
mod variants;

use std::path::Path;

use tensor::Shape;

use crate::alexnet::NETWORKS;
use crate::error::{Error, Result};
use crate::init::Init;
use crate::layers::{Conv2d, Dense, Dropout, Layer, Parameter};
use crate::network::architecture_of;
use crate::weights::TensorFile;
use text::{is_name, with_names};

pub use variants::{ActivationKind, DropoutPlace};

/// The largest image side and number of classes that are taken: far beyond use, and small enough that no size overflows.
const MOST: usize = 65_536;
/// The most numbers of one image's output, or of a parameter. An address space of 32 bits (wasm32) holds a gigabyte of them.
const MOST_ELEMENTS: usize = 1 << if usize::BITS < 64 { 28 } else { 36 };
/// Channels of a photo.
const CHANNELS: usize = 3;

/// A network's layers with the shapes of one image on its way through them.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    name: String,
    /// Height, width, channels.
    input: [usize; 3],
    classes: usize,
    stages: Vec<Stage>,
}

/// A layer with what is before it, what is after it and what it has.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stage {
    pub(crate) layer: Layer,
    /// The shape of one image's input.
    pub(crate) input: Shape,
    /// The shape of one image's output.
    pub(crate) output: Shape,
    pub(crate) parameters: Vec<Parameter>,
}

/// The networks there are, each with a line on what it is.
///
/// ```
/// let names: Vec<_> = model::networks().map(|(name, _)| name).collect();
/// assert!(names.contains(&"alexnet") && names.contains(&"alexnet-small"));
/// ```
pub fn networks() -> impl Iterator<Item = (&'static str, &'static str)> {
    NETWORKS.iter().map(|network| (network.name, network.about))
}

impl Architecture {
    /// The network `name` for `classes` classes and square images of side `input_size`, or its own numbers of them.
    ///
    /// ```
    /// let network = model::Architecture::new("alexnet-cifar", Some(100), None)?;
    /// assert_eq!((network.classes(), network.input()), (100, [32, 32, 3]));
    /// # Ok::<(), model::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownNetwork`]; [`Error::Argument`] for a number that makes no sense; [`Error::LayerInput`] if a layer
    /// can't take the size that reaches it.
    pub fn new(name: &str, classes: Option<usize>, input_size: Option<usize>) -> Result<Self> {
        let definition = NETWORKS
            .iter()
            .find(|network| network.name == name)
            .ok_or_else(|| Error::UnknownNetwork {
                name: name.to_owned(),
                known: networks()
                    .map(|(name, _)| name)
                    .collect::<Vec<_>>()
                    .join(", "),
            })?;
        let classes = classes.unwrap_or(definition.classes);
        let side = input_size.unwrap_or(definition.input_size);
        check(name, "classes", 2, classes)?;
        check(name, "input size", 1, side)?;
        Self::of(name, [side, side, CHANNELS], (definition.layers)(classes))
    }

    /// A network of your own: `layers` one after another on images of `[height, width, channels]`, the last of which gives the
    /// logits, one a class. Layers without a name are named by kind and number.
    ///
    /// ```
    /// use model::Architecture;
    /// use model::layers::{Conv2d, Dense, Flatten, MaxPool, Module as _};
    ///
    /// let layers = vec![
    ///     Conv2d::new(16, 5).stride(2).relu().named("conv1"),
    ///     MaxPool::new(2, 2).into(),
    ///     Flatten::new().into(),
    ///     Dense::new(10).named("logits"),
    /// ];
    /// let network = Architecture::from_layers("mine", [28, 28, 1], layers)?;
    /// assert_eq!(network.summary().parameters(), 16 * 25 + 16 + 6 * 6 * 16 * 10 + 10);
    /// # Ok::<(), model::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Argument`] for a name that is one of [`networks`]' or has other characters than letters, digits, `-`, `_` and
    /// `.`, for two layers of one name, for sizes beyond use, or if the last layer gives no logits of two classes at least;
    /// [`Error::LayerInput`] if a layer can't take what reaches it.
    pub fn from_layers(name: &str, input: [usize; 3], layers: Vec<Layer>) -> Result<Self> {
        if is_known(name) || !is_name(name) {
            let expected = "a name of its own, of letters, digits, '-', '_' and '.'";
            return Err(argument(name, "name", expected, name));
        }
        Self::of_layers(name, input, layers)
    }

    /// The same under any name.
    fn of_layers(name: &str, input: [usize; 3], layers: Vec<Layer>) -> Result<Self> {
        for (what, size) in ["height", "width", "channels"].into_iter().zip(input) {
            check(name, what, 1, size)?;
        }
        let network = Self::of(name, input, layers)?;
        check(name, "classes of the last layer", 2, network.classes)?;
        Ok(network)
    }

    /// The network in a weight file, without its weights.
    ///
    /// # Errors
    /// As [`crate::Network::open`].
    pub fn in_file(path: &Path) -> Result<Self> {
        architecture_of(&TensorFile::open(path)?)
    }

    /// Works the shapes out.
    fn of(name: &str, input: [usize; 3], layers: Vec<Layer>) -> Result<Self> {
        let mut stages = Vec::new();
        let mut before = Shape::from(input);
        for layer in with_names(name, layers)? {
            let refused = |reason: String| Error::LayerInput {
                network: name.to_owned(),
                layer: layer.name.clone(),
                input: before.to_string(),
                reason,
            };
            let output = layer.module.output(&before).map_err(refused)?;
            let is_small = |shape: &Shape| {
                let result = is_bounded(shape).then_some(());
                result.ok_or_else(|| refused("it would have too many numbers".to_owned()))
            };
            is_small(&output)?;
            let parameters = layer.module.parameters(&before);
            parameters.iter().try_for_each(|own| is_small(&own.shape))?;
            let input = std::mem::replace(&mut before, output.clone());
            stages.push(Stage {
                layer,
                input,
                output,
                parameters,
            });
        }
        let &[classes] = &*before else {
            let got = format!("{before}");
            return Err(argument(name, "last layer", "an output of [classes]", &got));
        };
        Ok(Self {
            name: name.to_owned(),
            input,
            classes,
            stages,
        })
    }

    /// The same layers for images of another size or other channels: `[height, width, channels]`.
    ///
    /// ```
    /// use model::Architecture;
    ///
    /// let network = Architecture::new("alexnet-cifar", Some(10), None)?.for_input([28, 28, 1])?;
    /// assert_eq!(network.to_string(), "alexnet-cifar classes=10 input=28x28x1");
    /// # Ok::<(), model::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Argument`] for a size of 0 or beyond use; [`Error::LayerInput`] if a layer can't take what reaches it.
    pub fn for_input(&self, input: [usize; 3]) -> Result<Self> {
        for (what, size) in ["input size", "input size", "channels"]
            .into_iter()
            .zip(input)
        {
            check(&self.name, what, 1, size)?;
        }
        let layers = self.layers().cloned().collect();
        Self::of(&self.name, input, layers)
    }

    /// The network with each layer that `replace` gives another for.
    fn with_layers(mut self, replace: impl Fn(usize, &Layer) -> Option<Layer>) -> Self {
        for (idx, stage) in self.stages.iter_mut().enumerate() {
            if let Some(layer) = replace(idx, &stage.layer) {
                stage.parameters = layer.module.parameters(&stage.input);
                stage.layer = layer;
            }
        }
        self
    }

    /// The same layers with the initial weights of Krizhevsky 2012, section 5: normal of standard deviation 0.01; biases one in
    /// conv2, conv4, conv5 and the hidden dense layers, else zero.
    #[must_use]
    pub fn with_paper_init(self) -> Self {
        let last_dense = self.stages.iter().rposition(|it| it.layer.is::<Dense>());
        let weight = Init::Normal(0.01);
        let [zero, one] = [0.0, 1.0].map(Init::Constant);
        self.with_layers(|idx, layer| {
            let bias = match layer.name() {
                "conv2" | "conv4" | "conv5" => one,
                _ if layer.is::<Dense>() && Some(idx) != last_dense => one,
                _ => zero,
            };
            let conv = layer.downcast::<Conv2d>();
            let conv = conv.map(|conv| layer.with(conv.clone().init(weight, bias)));
            let dense = layer.downcast::<Dense>();
            conv.or_else(|| dense.map(|dense| layer.with(dense.clone().init(weight, bias))))
        })
    }

    /// The same layers with another dropout rate.
    ///
    /// # Errors
    /// [`Error::Argument`] unless the share is in `[0, 1)`.
    pub fn with_dropout(self, share: f32) -> Result<Self> {
        if !(0.0..1.0).contains(&share) {
            let expected = "a number from 0 to below 1";
            return Err(argument(
                &self.name,
                "dropout",
                expected,
                &share.to_string(),
            ));
        }
        Ok(self.with_layers(|_, layer| {
            let is_dropout = layer.is::<Dropout>();
            is_dropout.then(|| layer.with(Dropout::new(share)))
        }))
    }

    /// The network's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many classes it tells apart.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The images it takes: height, width, channels.
    #[must_use]
    pub fn input(&self) -> [usize; 3] {
        self.input
    }

    /// The side of the images it takes; their height if they are not square.
    #[must_use]
    pub fn input_size(&self) -> usize {
        self.input[0]
    }

    /// The layers in order.
    pub fn layers(&self) -> impl ExactSizeIterator<Item = &Layer> + DoubleEndedIterator + Clone {
        self.stages.iter().map(|stage| &stage.layer)
    }

    /// Each layer with the shapes of one image before and after it.
    pub(crate) fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// The parameters' full names with what they are, in order.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (String, &Parameter)> {
        self.stages.iter().flat_map(|stage| {
            let parameters = stage.parameters.iter();
            parameters.map(|own| (format!("{}.{}", stage.layer.name, own.name), own))
        })
    }

    /// Whether a weight file of the network says all that it takes to open it.
    pub(crate) fn is_described(&self) -> bool {
        is_known(&self.name) || self.layers_json().is_some()
    }
}

fn argument(network: &str, argument: &'static str, expected: &str, got: &str) -> Error {
    Error::Argument {
        network: network.to_owned(),
        argument,
        expected: expected.to_owned(),
        got: got.to_owned(),
    }
}

/// An error unless a number makes sense.
fn check(network: &str, what: &'static str, least: usize, value: usize) -> Result<()> {
    if (least..=MOST).contains(&value) {
        return Ok(());
    }
    let expected = format!("{least} to {MOST}");
    Err(argument(network, what, &expected, &value.to_string()))
}

/// Whether this is one of [`networks`].
fn is_known(name: &str) -> bool {
    NETWORKS.iter().any(|network| network.name == name)
}

fn is_bounded(shape: &Shape) -> bool {
    let elements = shape
        .iter()
        .try_fold(1_usize, |n, &size| n.checked_mul(size));
    elements.is_some_and(|n| (1..=MOST_ELEMENTS).contains(&n))
}

#[cfg(test)]
mod tests {
    use super::text::tests::mine;
    use super::*;
    use crate::layers::{Flatten, Module as _};

    #[test]
    fn networks_that_make_no_sense_are_refused() {
        let of = |name: &str, input, layers| Architecture::from_layers(name, input, layers);
        let message = |result: Result<Architecture>| result.unwrap_err().to_string();
        let photo = [12, 20, 3];
        for (result, part) in [
            (of("alexnet", photo, mine()), "a name of its own"),
            (of("a b", photo, mine()), "a name of its own"),
            (of("mine", [0, 20, 3], mine()), "height"),
            (of("mine", [12, 20, 70_000], mine()), "channels"),
            (of("mine", photo, vec![]), "[12, 20, 3]"),
            (of("mine", photo, vec![Dense::new(3).into()]), "flat input"),
            (
                of(
                    "mine",
                    photo,
                    [mine(), vec![Dense::new(3).named("conv1")]].concat(),
                ),
                "conv1",
            ),
            (of("mine", photo, vec![Flatten::new().named("a.b")]), "a.b"),
            (
                of("mine", photo, vec![Conv2d::new(4, 13).into()]),
                "13 rows",
            ),
            (
                of("mine", photo, vec![Conv2d::new(4, 3).groups(0).into()]),
                "groups",
            ),
            (
                of("mine", photo, vec![Conv2d::new(usize::MAX, 3).into()]),
                "too many numbers",
            ),
            (
                of(
                    "mine",
                    photo,
                    vec![Flatten::new().into(), Dense::new(1).into()],
                ),
                "classes",
            ),
        ] {
            let message = message(result);
            assert!(message.contains(part), "{part}: {message}");
        }
    }

    #[test]
    fn the_papers_initial_weights_are_those_of_its_own_network() {
        let paper = Architecture::new("alexnet", None, None).unwrap();
        assert_eq!(paper.clone().with_paper_init(), paper, "by definition");
        let other = Architecture::new("alexnet-bn", None, None).unwrap();
        let ours = other.clone().with_paper_init();
        assert_ne!(ours, other, "PyTorch's before");
        let ones = ours
            .parameters()
            .filter(|(name, p)| name.ends_with(".bias") && p.init == Init::Constant(1.0));
        let ones: Vec<String> = ones.map(|(name, _)| name).collect();
        let expected = ["conv2", "conv4", "conv5", "fc6", "fc7"].map(|name| format!("{name}.bias"));
        assert_eq!(ones, expected, "biases of one");
    }
}
