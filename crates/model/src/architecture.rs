//! Architectures: a network's layers with every shape worked out, before there are any weights.

use std::fmt;

use tensor::Shape;

use crate::alexnet::NETWORKS;
use crate::error::{Error, Result};
use crate::init::Init;
use crate::layers::{Kind, Layer, Parameter};

/// The largest image side and number of classes that are taken: far beyond use, and small enough that no size overflows.
const MOST: usize = 65_536;

/// A network's layers with the shapes of one image on its way through them.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    name: &'static str,
    classes: usize,
    input_size: usize,
    layers: Vec<Layer>,
    /// One more than there are layers: the input first.
    shapes: Vec<Shape>,
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
        let input_size = input_size.unwrap_or(definition.input_size);
        for (argument, least, value) in [("classes", 2, classes), ("input size", 1, input_size)] {
            if !(least..=MOST).contains(&value) {
                return Err(Error::Argument {
                    network: name.to_owned(),
                    argument,
                    expected: format!("{least} to {MOST}"),
                    got: value.to_string(),
                });
            }
        }
        let layers = (definition.layers)(classes);
        let mut shapes = vec![Shape::from([input_size, input_size, 3])];
        for layer in &layers {
            let input = &shapes[shapes.len() - 1];
            let output = layer.output(input).map_err(|reason| Error::LayerInput {
                network: name.to_owned(),
                layer: layer.name.to_owned(),
                input: input.to_string(),
                reason,
            })?;
            shapes.push(output);
        }
        Ok(Self {
            name: definition.name,
            classes,
            input_size,
            layers,
            shapes,
        })
    }

    /// The same layers with the initial weights of Krizhevsky 2012, section 5: normal of deviation 0.01; biases one in
    /// conv2, conv4, conv5 and the hidden dense layers, else zero.
    #[must_use]
    pub fn with_paper_init(mut self) -> Self {
        let is_dense = |layer: &Layer| matches!(layer.kind, Kind::Dense(_));
        let last_dense = self.layers.iter().rposition(is_dense);
        let layers = self.layers.into_iter().enumerate();
        self.layers = layers
            .map(|(idx, layer)| {
                let is_hidden = is_dense(&layer) && Some(idx) != last_dense;
                let has_ones = is_hidden || matches!(layer.name, "conv2" | "conv4" | "conv5");
                let bias = Init::Constant(if has_ones { 1.0 } else { 0.0 });
                layer.with_init(Init::Normal(0.01), bias)
            })
            .collect();
        self
    }

    /// The same layers with another share of units that dropout switches off in training.
    ///
    /// # Errors
    /// [`Error::Argument`] unless the share is in `[0, 1)`.
    pub fn with_dropout(mut self, share: f32) -> Result<Self> {
        if !(0.0..1.0).contains(&share) {
            return Err(Error::Argument {
                network: self.name.to_owned(),
                argument: "dropout",
                expected: "a number from 0 to below 1".to_owned(),
                got: share.to_string(),
            });
        }
        for layer in &mut self.layers {
            if let Kind::Dropout(rate) = &mut layer.kind {
                *rate = share;
            }
        }
        Ok(self)
    }

    /// The network's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How many classes it tells apart.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The side of the images it takes.
    #[must_use]
    pub fn input_size(&self) -> usize {
        self.input_size
    }

    /// The layers in order.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Each layer with the shapes of one image before and after it.
    pub(crate) fn stages(&self) -> impl Iterator<Item = (&Layer, &Shape, &Shape)> {
        let shapes = self.shapes.iter().zip(&self.shapes[1..]);
        let stages = self.layers.iter().zip(shapes);
        stages.map(|(layer, (input, output))| (layer, input, output))
    }

    /// The parameters' full names with what they are, in order.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (String, Parameter)> {
        self.stages().flat_map(|(layer, input, _)| {
            let parameters = layer.parameters(input).into_iter();
            parameters.map(|parameter| (format!("{}.{}", layer.name, parameter.suffix), parameter))
        })
    }
}

/// `alexnet-small classes=10 input_size=32`: what weight files name their network by.
impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            classes,
            input_size,
            ..
        } = self;
        write!(f, "{name} classes={classes} input_size={input_size}")
    }
}

impl Architecture {
    /// The architecture that [`Architecture`]'s `Display` wrote, or `None` if the text is not of that form.
    pub(crate) fn parse(text: &str) -> Option<Result<Self>> {
        let mut parts = text.split(' ');
        let name = parts.next()?;
        let classes = parts.next()?.strip_prefix("classes=")?.parse().ok()?;
        let input_size = parts.next()?.strip_prefix("input_size=")?.parse().ok()?;
        parts
            .next()
            .is_none()
            .then(|| Self::new(name, Some(classes), Some(input_size)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_names_itself_in_a_form_that_is_read_back() {
        for (name, about) in networks() {
            let network = Architecture::new(name, None, None).unwrap();
            let again = Architecture::parse(&network.to_string()).unwrap().unwrap();
            assert_eq!(network, again, "{name}");
            assert!(!about.is_empty(), "{name}");
        }
        assert!(Architecture::parse("alexnet-small").is_none(), "too short");
        assert!(
            Architecture::parse("lenet classes=10 input_size=32")
                .unwrap()
                .is_err(),
            "an unknown network"
        );
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
