//! Variants of a network: the same layers with another activation, with other pools, without some of them, with dropout
//! elsewhere. What a section of Krizhevsky 2012 argues for can so be switched off, and what a port does otherwise be done so.

use serde::{Deserialize, Serialize};

use super::{Architecture, argument};
use crate::error::Result;
use crate::layers::{
    Conv2d, Dense, Dropout, Gelu, Layer, Lrn, MaxPool, Module as _, Relu, Sigmoid, Tanh,
    compute_the_same, to_json,
};

/// The activation behind convolutions and hidden dense layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ActivationKind {
    /// `max(x, 0)` (Krizhevsky 2012, section 3.1).
    Relu,
    /// The hyperbolic tangent, which that section compares with.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x P(X <= x)` for a standard normal `X` (Hendrycks and Gimpel 2016).
    Gelu,
}

/// Where dropout is in the dense layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DropoutPlace {
    /// Before each hidden dense layer, as in torchvision's network.
    Before,
    /// After each hidden dense layer and its activation, as in Krizhevsky 2012, section 4.2.
    After,
}

impl ActivationKind {
    fn layer(self, name: &str) -> Layer {
        match self {
            Self::Relu => Relu::new().named(name),
            Self::Tanh => Tanh::new().named(name),
            Self::Sigmoid => Sigmoid::new().named(name),
            Self::Gelu => Gelu::new().named(name),
        }
    }
}

impl Architecture {
    /// The same layers with another activation in place of each ReLU, tanh, sigmoid and GELU. One that is part of a layer
    /// becomes a layer of its own behind it, `conv1_act`.
    ///
    /// ```
    /// use model::{ActivationKind, Architecture};
    ///
    /// let small = Architecture::new("alexnet-small", None, None)?.with_activation(ActivationKind::Tanh)?;
    /// let names: Vec<_> = small.layers().map(|layer| layer.name()).take(3).collect();
    /// assert_eq!(names, ["conv1", "conv1_act", "lrn1"]);
    /// # Ok::<(), model::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::Argument`] if a layer of the new one's name is there.
    pub fn with_activation(&self, kind: ActivationKind) -> Result<Self> {
        let mut layers = Vec::new();
        for layer in self.layers() {
            let own = [
                layer.is::<Relu>(),
                layer.is::<Tanh>(),
                layer.is::<Sigmoid>(),
                layer.is::<Gelu>(),
            ];
            let conv = layer.downcast::<Conv2d>().filter(|conv| conv.has_relu());
            let dense = layer.downcast::<Dense>().filter(|dense| dense.has_relu());
            let bare = match (conv, dense) {
                _ if kind == ActivationKind::Relu => None,
                (Some(conv), _) => Some(layer.with(conv.clone().without_relu())),
                (_, Some(dense)) => Some(layer.with(dense.clone().without_relu())),
                _ => None,
            };
            match bare {
                Some(bare) => {
                    layers.push(bare);
                    layers.push(kind.layer(&format!("{}_act", layer.name())));
                }
                None if own.contains(&true) => layers.push(kind.layer(layer.name())),
                None => layers.push(layer.clone()),
            }
        }
        Self::of(&self.name, self.input, layers)
    }

    /// The same layers with dropout before or after each hidden dense layer.
    ///
    /// # Errors
    /// [`crate::Error::Argument`] unless there is a dropout for each hidden dense layer.
    pub fn with_dropout_place(&self, place: DropoutPlace) -> Result<Self> {
        let is_dense = |layer: &&Layer| layer.is::<Dense>();
        let is_dropout = |layer: &&Layer| layer.is::<Dropout>();
        let hidden = self.layers().filter(is_dense).count().saturating_sub(1);
        let dropouts: Vec<Layer> = self.layers().filter(is_dropout).cloned().collect();
        if dropouts.len() != hidden {
            let expected =
                format!("a network with {hidden} dropouts, one for each hidden dense layer");
            let got = dropouts.len().to_string();
            return Err(argument(&self.name, "dropout place", &expected, &got));
        }
        let mut left = dropouts.into_iter();
        let (mut layers, mut seen) = (Vec::new(), 0);
        for layer in self.layers().filter(|layer| !layer.is::<Dropout>()) {
            if layer.is::<Dense>() {
                let is_due = match place {
                    DropoutPlace::Before => seen < hidden,
                    // What is behind a hidden layer ends where the next dense one begins.
                    DropoutPlace::After => seen > 0,
                };
                if is_due {
                    layers.extend(left.next());
                }
                seen += 1;
            }
            layers.push(layer.clone());
        }
        Self::of(&self.name, self.input, layers)
    }

    /// The same layers without local response normalisation (Krizhevsky 2012, section 3.3).
    ///
    /// # Errors
    /// If a layer can't take what then reaches it.
    pub fn without_lrn(&self) -> Result<Self> {
        let layers = self.layers().filter(|layer| !layer.is::<Lrn>());
        Self::of(&self.name, self.input, layers.cloned().collect())
    }

    /// The network without the layer of this name.
    ///
    /// ```
    /// let small = model::Architecture::new("alexnet-small", None, None)?;
    /// assert_eq!(small.without_layer("drop7")?.layers().len(), small.layers().len() - 1);
    /// # Ok::<(), model::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::Argument`] if there is none; if a layer can't take what then reaches it.
    pub fn without_layer(&self, name: &str) -> Result<Self> {
        let layers: Vec<Layer> = self
            .layers()
            .filter(|it| it.name() != name)
            .cloned()
            .collect();
        if layers.len() == self.layers().len() {
            let all: Vec<_> = self.layers().map(Layer::name).collect();
            let expected = format!("one of {}", all.join(", "));
            return Err(argument(&self.name, "layer", &expected, name));
        }
        Self::of(&self.name, self.input, layers)
    }

    /// The same layers with max-pools whose windows do not overlap: as large as their stride (Krizhevsky 2012, section 3.4,
    /// says what overlapping ones bring).
    ///
    /// # Errors
    /// If a layer can't take what then reaches it.
    pub fn with_plain_pools(&self) -> Result<Self> {
        let layers = self
            .layers()
            .map(|layer| match layer.downcast::<MaxPool>() {
                Some(pool) => layer.with(pool.plain()),
                None => layer.clone(),
            });
        Self::of(&self.name, self.input, layers.collect())
    }

    /// The network with a ReLU behind its logits, as some ports have: a logit that it sets to zero gets no gradient.
    ///
    /// # Errors
    /// If the network has a layer of the new one's name.
    pub fn with_relu_on_logits(&self) -> Result<Self> {
        let mut layers: Vec<Layer> = self.layers().cloned().collect();
        layers.push(Relu::new().named("logits_act"));
        Self::of(&self.name, self.input, layers)
    }

    /// The same layers with normal initial weights of which values beyond two standard deviations are drawn again, as
    /// TensorFlow draws them.
    #[must_use]
    pub fn with_truncated_init(self) -> Self {
        self.with_inits(crate::Init::truncated)
    }

    /// The same layers with PyTorch's default initial weights and biases: uniform in `+-1 / sqrt(fan_in)`.
    #[must_use]
    pub fn with_torch_init(self) -> Self {
        self.with_inits(|_| crate::Init::FanInUniform)
    }

    /// The same layers with PyTorch's default initial weights and zero biases, but for the first filters of a convolution: each
    /// passes one channel on ([`crate::Init::PartialIdentity`]).
    #[must_use]
    pub fn with_identity_init(self) -> Self {
        self.with_layers(|_, layer| {
            let zero = crate::Init::Constant(0.0);
            let conv = layer.downcast::<Conv2d>();
            let conv =
                conv.map(|conv| layer.with(conv.clone().init(crate::Init::PartialIdentity, zero)));
            let dense = layer.downcast::<Dense>();
            let dense =
                dense.map(|dense| layer.with(dense.clone().init(crate::Init::FanInUniform, zero)));
            conv.or(dense)
        })
    }

    /// The same layers with what `change` makes of the initial weights and biases of convolutions and dense layers.
    fn with_inits(self, change: impl Fn(crate::Init) -> crate::Init) -> Self {
        self.with_layers(|_, layer| {
            let conv = layer.downcast::<Conv2d>().map(|conv| {
                let [weight, bias] = conv.inits().map(&change);
                layer.with(conv.clone().init(weight, bias))
            });
            let dense = || {
                let dense = layer.downcast::<Dense>()?;
                let [weight, bias] = dense.inits().map(&change);
                Some(layer.with(dense.clone().init(weight, bias)))
            };
            conv.or_else(dense)
        })
    }

    /// The layers for a weight file; none of a network that its name says everything of, or if a layer is another crate's.
    pub(crate) fn layers_json(&self) -> Option<String> {
        let layers: Vec<Layer> = self.layers().cloned().collect();
        let own = to_json(&layers)?;
        let defined = self.definition_json();
        let is_named = defined.is_some_and(|defined| compute_the_same(&own, &defined));
        (!is_named).then_some(own)
    }

    /// The shape and the initial values under `seed` of one parameter, by its full name: what [`crate::Network::new`] gives it.
    ///
    /// ```
    /// let network = model::Architecture::new("alexnet-small", None, None)?;
    /// let (shape, values) = network.initial_values(42, "conv1.weight").expect("it has one");
    /// assert_eq!((shape, values.len()), (vec![7, 7, 3, 48], 7 * 7 * 3 * 48));
    /// # Ok::<(), model::Error>(())
    /// ```
    #[must_use]
    pub fn initial_values(&self, seed: u64, name: &str) -> Option<(Vec<usize>, Vec<f32>)> {
        let mut numbered = self.parameters().zip(0_u32..);
        let ((_, own), index) = numbered.find(|((known, _), _)| known == name)?;
        let (device, shape) = (tensor::Device::cpu(), own.shape.clone());
        let tensor = own
            .init
            .tensor(&device, shape, own.fans, seed, index)
            .ok()?;
        Some((own.shape.to_vec(), tensor.to_vec().ok()?))
    }

    /// The layers of the network of this one's name as a weight file would list them; none if it is one of the caller's own.
    pub(crate) fn definition_json(&self) -> Option<String> {
        let own = Self::new(&self.name, Some(self.classes), None).ok()?;
        let layers: Vec<Layer> = own.layers().cloned().collect();
        to_json(&layers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Architecture {
        Architecture::new(name, None, None).unwrap()
    }

    fn names(architecture: &Architecture) -> Vec<&str> {
        architecture.layers().map(Layer::name).collect()
    }

    #[test]
    fn dropout_moves_before_and_after_the_dense_layers() {
        let before = ["flatten", "drop6", "fc6", "drop7", "fc7", "fc8"];
        let after = ["flatten", "fc6", "drop6", "fc7", "drop7", "fc8"];
        for name in [
            "alexnet",
            "alexnet-torchvision",
            "alexnet-bn1",
            "alexnet-keras",
        ] {
            for (place, expected) in [(DropoutPlace::Before, before), (DropoutPlace::After, after)]
            {
                let moved = of(name).with_dropout_place(place).unwrap();
                let names = names(&moved);
                assert_eq!(names[names.len() - 6..], expected, "{name} {place:?}");
            }
        }
        // One hidden layer with a norm behind it: dropout is behind its ReLU.
        let cifar = of("alexnet-cifar");
        assert_eq!(
            cifar.with_dropout_place(DropoutPlace::After).unwrap(),
            cifar
        );
        let small = of("alexnet-small").without_layer("drop7").unwrap();
        let message = small.with_dropout_place(DropoutPlace::Before).unwrap_err();
        assert!(message.to_string().contains("2 dropouts"), "{message}");
    }

    #[test]
    fn activations_pools_and_norms_are_replaced_by_name_and_in_order() {
        let tanh = of("alexnet-bn1")
            .with_activation(ActivationKind::Tanh)
            .unwrap();
        assert_eq!(
            names(&tanh)[..5],
            ["conv1", "bn1", "relu1", "pool1", "conv2"]
        );
        assert_eq!(tanh.layers().filter(|layer| layer.is::<Tanh>()).count(), 7);
        assert!(
            !tanh.summary().to_string().contains("ReLU"),
            "{}",
            tanh.summary()
        );
        let small = of("alexnet-small");
        assert_eq!(small.with_activation(ActivationKind::Relu).unwrap(), small);
        let quick = of("alexnet-quick");
        assert_eq!(quick.with_activation(ActivationKind::Gelu).unwrap(), quick);
        let relu = quick.with_activation(ActivationKind::Relu).unwrap();
        assert_eq!(relu.layers().filter(|layer| layer.is::<Relu>()).count(), 7);
        let bare = small.without_lrn().unwrap().with_plain_pools().unwrap();
        assert_eq!(names(&bare)[..4], ["conv1", "pool1", "conv2", "pool2"]);
        let window = bare.summary().rows()[1].settings.clone();
        assert!(window.iter().all(|(_, value)| *value <= 2.0), "{window:?}");
        let logits = small.with_relu_on_logits().unwrap();
        assert_eq!(
            (logits.classes(), names(&logits).last()),
            (10, Some(&"logits_act"))
        );
        assert!(small.without_layer("drop8").is_err());
    }

    #[test]
    fn a_weight_file_lists_the_layers_of_a_variant_and_of_no_other() {
        let small = of("alexnet-small");
        assert_eq!(small.layers_json(), None);
        // What is not computed with when weights are used is no difference.
        assert_eq!(small.clone().with_truncated_init().layers_json(), None);
        assert_eq!(small.clone().with_dropout(0.1).unwrap().layers_json(), None);
        assert_eq!(small.without_layer("drop7").unwrap().layers_json(), None);
        let tanh = small.with_activation(ActivationKind::Tanh).unwrap();
        let layers = tanh.layers_json().unwrap();
        let again = Architecture::parse(&tanh.to_string(), Some(&layers));
        assert_eq!(again.unwrap().unwrap(), tanh);
    }
}
