//! Changes to the network's layers: what a port does otherwise, or what a section of the paper argues for, switched off.

use model::{ActivationKind, Architecture, DropoutPlace, ImageSize, Layer};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::globs::is_match;
use crate::recipe::{InitKind, Recipe};

/// What is changed of the layers of a recipe's network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LayersRecipe {
    /// The activation behind convolutions and hidden dense layers; the network's own if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation: Option<ActivationKind>,
    /// Whether there is local response normalisation where the network has it.
    #[serde(skip_serializing_if = "is_true")]
    pub lrn: bool,
    /// Whether the windows of max-pools may overlap; if not, they are as large as their stride.
    #[serde(skip_serializing_if = "is_true")]
    pub overlapping_pools: bool,
    /// Where dropout is: before or after each hidden dense layer; where the network has it if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropout_place: Option<DropoutPlace>,
    /// Layers that are left out, as patterns of their names: `drop7`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// Whether a ReLU is behind the logits.
    #[serde(skip_serializing_if = "is_false")]
    pub logits_relu: bool,
}

impl Default for LayersRecipe {
    /// The network as it is.
    fn default() -> Self {
        Self {
            activation: None,
            lrn: true,
            overlapping_pools: true,
            dropout_place: None,
            without: Vec::new(),
            logits_relu: false,
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_true(value: &bool) -> bool {
    *value
}

/// The network whose dropout had another place in earlier versions: its runs say where it is.
pub(crate) const DROPOUT_MOVED: &str = "alexnet-bn1";

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Recipe {
    /// The recipe's network for so many classes and images of so many channels, with everything that the recipe changes of
    /// it: layers, initial weights, dropout, the input's size.
    ///
    /// ```
    /// let recipe = train::Recipe::named("small-cifar10")?;
    /// let network = recipe.architecture(10, 3)?;
    /// assert_eq!((network.name(), network.summary().parameters()), ("alexnet-small", 2_887_306));
    /// # Ok::<(), train::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such network, or it can't be changed so.
    pub fn architecture(&self, classes: usize, channels: usize) -> Result<Architecture> {
        let own = Architecture::new(&self.network, Some(classes), None)?;
        let [height, width, _] = own.input();
        let [height, width] = self.input_size.map_or([height, width], ImageSize::sides);
        let network = own.for_input([height, width, channels])?;
        let network = self.layers.apply(network)?;
        let network = match self.init {
            InitKind::Network => network,
            InitKind::Paper => network.with_paper_init(),
            InitKind::Truncated => network.with_truncated_init(),
            InitKind::Torch => network.with_torch_init(),
            InitKind::Identity => network.with_identity_init(),
        };
        Ok(match self.dropout {
            Some(share) => network.with_dropout(share)?,
            None => network,
        })
    }
}

impl LayersRecipe {
    /// Whether the network stays as it is.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The network with these changes. Dropout is moved before layers are left out, and the logits' ReLU comes last.
    pub(crate) fn apply(&self, mut network: Architecture) -> Result<Architecture> {
        if let Some(place) = self.dropout_place {
            network = network.with_dropout_place(place)?;
        }
        for pattern in &self.without {
            let names: Vec<String> = network
                .layers()
                .map(Layer::name)
                .filter(|name| is_match(pattern, name))
                .map(str::to_owned)
                .collect();
            if names.is_empty() {
                let all: Vec<_> = network.layers().map(Layer::name).collect();
                let expected = format!("names of layers among {}", all.join(", "));
                return Err(Error::setting("layers.without", expected, pattern));
            }
            for name in names {
                network = network.without_layer(&name)?;
            }
        }
        if !self.lrn {
            network = network.without_lrn()?;
        }
        if !self.overlapping_pools {
            network = network.with_plain_pools()?;
        }
        if let Some(kind) = self.activation {
            network = network.with_activation(kind)?;
        }
        if self.logits_relu {
            network = network.with_relu_on_logits()?;
        }
        Ok(network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_made_in_order_and_a_misspelt_layer_is_named() {
        let recipe = LayersRecipe {
            activation: Some(ActivationKind::Tanh),
            lrn: false,
            without: vec!["drop*".to_owned()],
            logits_relu: true,
            ..LayersRecipe::default()
        };
        let small = Architecture::new("alexnet-small", None, None).unwrap();
        let changed = recipe.apply(small.clone()).unwrap();
        let names: Vec<_> = changed.layers().map(Layer::name).collect();
        let expected = [
            "conv1",
            "conv1_act",
            "pool1",
            "conv2",
            "conv2_act",
            "pool2",
            "conv3",
            "conv3_act",
            "conv4",
            "conv4_act",
            "conv5",
            "conv5_act",
            "flatten",
            "fc6",
            "fc6_act",
            "fc7",
            "fc7_act",
            "fc8",
            "logits_act",
        ];
        assert_eq!(names, expected);
        assert_eq!(LayersRecipe::default().apply(small.clone()).unwrap(), small);
        let wrong = LayersRecipe {
            without: vec!["dorp7".to_owned()],
            ..LayersRecipe::default()
        };
        let message = wrong.apply(small).unwrap_err().to_string();
        assert!(
            message.contains("layers.without") && message.contains("dorp7"),
            "{message}"
        );
    }
}
