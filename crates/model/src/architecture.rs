//! Architectures: a network's layers with every shape worked out, before there are any weights.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use tensor::Shape;

use crate::alexnet::NETWORKS;
use crate::error::{Error, Result};
use crate::init::Init;
use crate::layers::{Conv2d, Dense, Dropout, Layer, Parameter, from_json, to_json};
use crate::network::architecture_of;
use crate::weights::TensorFile;

/// The largest image side and number of classes that are taken: far beyond use, and small enough that no size overflows.
const MOST: usize = 65_536;
/// The most numbers of one image's output, or of a parameter.
const MOST_ELEMENTS: usize = 1 << 36;
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
pub fn networks() -> impl Iterator<Item = (&'static str, &'static str)> {
    NETWORKS.iter().map(|network| (network.name, network.about))
}

impl Architecture {
    /// The network `name` for `classes` classes and square images of side `input_size`, or its own numbers of them.
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

    /// The same layers for images of another side.
    pub(crate) fn for_input_size(&self, side: usize) -> Result<Self> {
        check(&self.name, "input size", 1, side)?;
        let [_, _, channels] = self.input;
        let layers = self.layers().cloned().collect();
        Self::of(&self.name, [side, side, channels], layers)
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

    /// The same layers with the initial weights of Krizhevsky 2012, section 5: normal of deviation 0.01; biases one in
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

    /// The same layers with another share of units that dropout switches off in training.
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

    /// The layers for a weight file; none of a network that its name says everything of, or if a layer is another crate's.
    pub(crate) fn layers_json(&self) -> Option<String> {
        let layers: Vec<Layer> = self.layers().cloned().collect();
        (!is_known(&self.name)).then(|| to_json(&layers))?
    }
}

/// `alexnet-small classes=10 input_size=32`, or `mine classes=10 input=28x28x1`: what weight files name their network by.
impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            classes,
            input: [height, width, channels],
            ..
        } = self;
        write!(f, "{name} classes={classes} ")?;
        if (height, *channels) == (width, CHANNELS) {
            write!(f, "input_size={height}")
        } else {
            write!(f, "input={height}x{width}x{channels}")
        }
    }
}

impl Architecture {
    /// The architecture that [`Architecture`]'s `Display` wrote, with the layers of a network that is none of [`networks`];
    /// `None` if the text is not of that form.
    pub(crate) fn parse(text: &str, layers: Option<&str>) -> Option<Result<Self>> {
        let mut parts = text.split(' ');
        let name = parts.next()?;
        let classes = parts.next()?.strip_prefix("classes=")?.parse().ok()?;
        let size = parts.next()?;
        if parts.next().is_some() {
            return None;
        }
        let input = match size.strip_prefix("input_size=") {
            Some(side) => [side.parse().ok()?, side.parse().ok()?, CHANNELS],
            None => {
                let sizes = size.strip_prefix("input=")?.split('x');
                let sizes: Option<Vec<usize>> = sizes.map(|size| size.parse().ok()).collect();
                <[usize; 3]>::try_from(sizes?).ok()?
            }
        };
        let Some(layers) = layers else {
            return Some(Self::new(name, Some(classes), Some(input[0])));
        };
        let layers = from_json(layers).map_err(|found| argument(name, "layers", "layers", &found));
        let network = layers.and_then(|layers| Self::from_layers(name, input, layers));
        // The name tells the classes too, which the layers must give.
        Some(network.and_then(|network| {
            let expected = || format!("{classes} as the file says");
            if network.classes == classes {
                return Ok(network);
            }
            let got = network.classes.to_string();
            Err(argument(name, "classes", &expected(), &got))
        }))
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

/// Whether a name can stand in file names and before a dot in the names of parameters.
fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= 100 && name.chars().all(is_plain)
}

/// The layers with a name each.
fn with_names(network: &str, mut layers: Vec<Layer>) -> Result<Vec<Layer>> {
    let mut names: HashSet<String> = layers.iter().map(|layer| layer.name.clone()).collect();
    let mut seen: HashSet<String> = HashSet::new();
    for layer in &mut layers {
        if layer.name.is_empty() {
            let kind = layer.module.kind().to_lowercase().replace([' ', '-'], "_");
            let mut numbered = (1_usize..).map(|number| format!("{kind}_{number}"));
            layer.name = numbered
                .find(|name| !names.contains(name))
                .unwrap_or_default();
            names.insert(layer.name.clone());
        }
        let is_plain = is_name(&layer.name) && !layer.name.contains('.');
        if !is_plain || !seen.insert(layer.name.clone()) {
            let expected = "names of letters, digits, '-' and '_', each of one layer";
            return Err(argument(network, "layers", expected, &layer.name));
        }
    }
    Ok(layers)
}

fn is_bounded(shape: &Shape) -> bool {
    let elements = shape
        .iter()
        .try_fold(1_usize, |n, &size| n.checked_mul(size));
    elements.is_some_and(|n| (1..=MOST_ELEMENTS).contains(&n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{BatchNorm, Flatten, Lrn, MaxPool, Module as _, Relu};

    #[test]
    fn every_network_names_itself_in_a_form_that_is_read_back() {
        for (name, about) in networks() {
            let network = Architecture::new(name, None, None).unwrap();
            let again = Architecture::parse(&network.to_string(), None).unwrap();
            assert_eq!(network, again.unwrap(), "{name}");
            assert!(!about.is_empty(), "{name}");
            assert_eq!(network.layers_json(), None, "{name}");
        }
        let parse = |text| Architecture::parse(text, None);
        assert!(parse("alexnet-small").is_none(), "too short");
        let lenet = parse("lenet classes=10 input_size=32").unwrap();
        assert!(lenet.is_err(), "an unknown network");
    }

    /// One of each kind.
    fn mine() -> Vec<Layer> {
        vec![
            Conv2d::new(8, 3)
                .stride(2)
                .groups(1)
                .same()
                .relu()
                .named("conv1"),
            Lrn::PAPER.into(),
            MaxPool::new(3, 2).pad(1).into(),
            Conv2d::new(4, 3).pad(1).into(),
            BatchNorm::keras().into(),
            Relu::new().into(),
            crate::layers::AvgPoolTo::new(1).into(),
            Flatten::new().into(),
            Dropout::new(0.25).into(),
            Dense::new(5).relu().into(),
            Dense::new(3)
                .init(Init::Normal(0.5), Init::Constant(0.1))
                .named("logits"),
        ]
    }

    #[test]
    fn a_network_of_ones_own_is_read_back_from_its_layers() {
        let network = Architecture::from_layers("mine", [12, 20, 1], mine()).unwrap();
        assert_eq!((network.classes(), network.input()), (3, [12, 20, 1]));
        let names: Vec<_> = network.layers().map(Layer::name).collect();
        let expected = [
            "conv1",
            "lrn_1",
            "max_pool_1",
            "convolution_1",
            "batch_norm_1",
            "relu_1",
            "average_pool_1",
            "flatten_1",
            "dropout_1",
            "dense_1",
            "logits",
        ];
        assert_eq!(names, expected);
        let (text, layers) = (network.to_string(), network.layers_json().unwrap());
        assert_eq!(text, "mine classes=3 input=12x20x1");
        let again = Architecture::parse(&text, Some(&layers)).unwrap().unwrap();
        assert_eq!(again, network);
    }

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
        let text = "mine classes=3 input=12x20x1";
        for (layers, part) in [
            ("[{\"name\":\"a\",\"kind\":\"capsule\"}]", "capsule"),
            (
                "[{\"name\":\"a\",\"kind\":\"dropout\",\"rate\":2}]",
                "rate of 2",
            ),
            (
                "[{\"name\":\"a\",\"kind\":\"dense\",\"units\":99999999}]",
                "beyond",
            ),
            (
                "[{\"name\":\"a\",\"kind\":\"flatten\",\"depth\":2}]",
                "depth",
            ),
            ("{}", "expected"),
        ] {
            let message = message(Architecture::parse(text, Some(layers)).unwrap());
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
