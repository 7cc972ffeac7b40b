//! Names: of networks as weight files state them, and of layers.

use std::collections::HashSet;
use std::fmt;

use super::{Architecture, CHANNELS, argument, is_known};
use crate::error::Result;
use crate::layers::{Layer, from_json};

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
            let own = Self::new(name, Some(classes), None);
            return Some(own.and_then(|network| network.for_input(input)));
        };
        let layers = from_json(layers).map_err(|found| argument(name, "layers", "layers", &found));
        let network = layers.and_then(|layers| Self::of_file(name, input, layers));
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

impl Architecture {
    /// A network of a weight file's layers: one of its own, or a variant of one that the name tells.
    fn of_file(name: &str, input: [usize; 3], layers: Vec<Layer>) -> Result<Self> {
        if is_known(name) {
            Self::of_layers(name, input, layers)
        } else {
            Self::from_layers(name, input, layers)
        }
    }
}

/// Whether a name can stand in file names and before a dot in the names of parameters.
pub(super) fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= 100 && name.chars().all(is_plain)
}

/// The layers with a name each.
pub(super) fn with_names(network: &str, mut layers: Vec<Layer>) -> Result<Vec<Layer>> {
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::architecture::networks;
    use crate::init::Init;
    use crate::layers::{
        AvgPoolTo, BatchNorm, Conv2d, Dense, Dropout, Flatten, Lrn, MaxPool, Module as _, Relu,
    };

    /// One of each kind.
    pub(crate) fn mine() -> Vec<Layer> {
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
            AvgPoolTo::new(1).into(),
            Flatten::new().into(),
            Dropout::new(0.25).into(),
            Dense::new(5).relu().into(),
            Dense::new(3)
                .init(Init::Normal(0.5), Init::Constant(0.1))
                .named("logits"),
        ]
    }

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
        let grey = Architecture::new("alexnet-cifar", Some(5), None).unwrap();
        let grey = grey.for_input([28, 20, 1]).unwrap();
        let text = grey.to_string();
        let again = parse(&text).unwrap().unwrap();
        assert_eq!((again.input(), &again), ([28, 20, 1], &grey));
        assert!(parse("alexnet-small").is_none(), "too short");
        let vgg = parse("vgg classes=10 input_size=32").unwrap();
        assert!(vgg.is_err(), "an unknown network");
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
    fn layers_that_make_no_sense_are_refused() {
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
            let network = Architecture::parse(text, Some(layers)).unwrap();
            let message = network.unwrap_err().to_string();
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}
