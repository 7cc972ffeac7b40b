//! Networks: an architecture with weights on a device, and the way forward through it.

use std::path::Path;

use tensor::update::StepBuffer;
use tensor::{Device, Element, Tensor};

use crate::architecture::Architecture;
use crate::error::{Error, Result};
use crate::layers::{Context, compute_the_same};
use crate::preparation::{IMAGES_KEY, Preparation};
use crate::weights::{TensorFile, file_bytes};

/// The key of a weight file's metadata under which the network is named.
const NETWORK_KEY: &str = "network";
/// The key of a weight file's metadata for the classes' names: a JSON array of strings, in the order of the logits.
const CLASSES_KEY: &str = "classes";
/// The key of a weight file's metadata for the layers of a network that its name does not tell.
const LAYERS_KEY: &str = "layers";

/// A network with its weights.
#[derive(Clone, Debug)]
pub struct Network {
    architecture: Architecture,
    /// In the order of the architecture's parameters.
    parameters: Vec<(String, Tensor)>,
    class_names: Option<Vec<String>>,
    preparation: Option<Preparation>,
    device: Device,
}

/// What a forward pass is for.
#[derive(Clone, Copy, Debug)]
pub enum Mode<'a> {
    /// Training: dropout is on and draws from the step's random numbers, each layer from the stream of its own number.
    Train {
        /// What changes from step to step: seed, number, learning rate.
        step: &'a StepBuffer,
    },
    /// Evaluation: nothing is random.
    Eval,
}

impl Network {
    /// A network with initial weights, which `seed` fixes: the same bits on every device.
    ///
    /// # Errors
    /// If the device has no room.
    pub fn new(architecture: Architecture, seed: u64, device: &Device) -> Result<Self> {
        let mut parameters = Vec::new();
        for ((name, spec), index) in architecture.parameters().zip(0_u32..) {
            let place = (seed, index);
            let tensor = spec
                .init
                .tensor(device, spec.shape.clone(), spec.fans, place)?;
            parameters.push((name, variable_if(spec.is_trained, tensor)));
        }
        Ok(Self {
            architecture,
            parameters,
            class_names: None,
            preparation: None,
            device: device.clone(),
        })
    }

    /// The network with names for its classes, which its weight files keep from then on.
    ///
    /// # Errors
    /// [`Error::Argument`] unless there is a name for each class.
    pub fn with_class_names(mut self, names: &[String]) -> Result<Self> {
        let classes = self.architecture.classes();
        if names.len() != classes {
            return Err(Error::Argument {
                network: self.architecture.name().to_owned(),
                argument: "class names",
                expected: format!("{classes} names"),
                got: names.len().to_string(),
            });
        }
        self.class_names = Some(names.to_vec());
        Ok(self)
    }

    /// The classes' names in the order of the logits, if they are known.
    #[must_use]
    pub fn class_names(&self) -> Option<&[String]> {
        self.class_names.as_deref()
    }

    /// The network with the way its images are prepared, which its weight files keep from then on.
    #[must_use]
    pub fn with_preparation(mut self, preparation: Preparation) -> Self {
        self.preparation = Some(preparation);
        self
    }

    /// How its images are prepared, if that is known.
    #[must_use]
    pub fn preparation(&self) -> Option<&Preparation> {
        self.preparation.as_ref()
    }

    /// The network with the same weights, for images of another side.
    ///
    /// # Errors
    /// [`Error::LayerInput`] if a layer can't take that size; [`Error::Argument`] if the weights have other shapes there.
    pub fn for_input_size(mut self, input_size: usize) -> Result<Self> {
        let own = &self.architecture;
        let other = own.for_input_size(input_size)?;
        if shapes(&other) != shapes(own) {
            return Err(Error::Argument {
                network: own.name().to_owned(),
                argument: "input size",
                expected: format!("{}, which its weights are for", own.input_size()),
                got: input_size.to_string(),
            });
        }
        if let Some(preparation) = &mut self.preparation {
            preparation.input_size = input_size;
        }
        self.architecture = other;
        Ok(self)
    }

    /// The network in a weight file, with its weights.
    ///
    /// # Errors
    /// If the file can't be read, is damaged, names no network, or has other tensors than that network.
    pub fn open(path: &Path, device: &Device) -> Result<Self> {
        let file = TensorFile::open(path)?;
        let architecture = architecture_of(&file)?;
        let names = class_names_of(&file)?;
        let preparation = Preparation::in_file(path)?;
        let values = read_finite(file, &shapes(&architecture))?;
        let mut network = Self::with_values(architecture, values, device)?;
        network.preparation = preparation;
        match names {
            Some(names) => network.with_class_names(&names),
            None => Ok(network),
        }
    }

    /// The network with these weights, in the order of its parameters and as long as those.
    pub(crate) fn with_values(
        architecture: Architecture,
        values: Vec<Vec<f32>>,
        device: &Device,
    ) -> Result<Self> {
        let mut parameters = Vec::new();
        for ((name, spec), data) in architecture.parameters().zip(values) {
            let tensor = Tensor::from_slice(device, &data, spec.shape.clone())?;
            parameters.push((name, variable_if(spec.is_trained, tensor)));
        }
        Ok(Self {
            architecture,
            parameters,
            class_names: None,
            preparation: None,
            device: device.clone(),
        })
    }

    /// A network with the same weights in memory of its own.
    ///
    /// # Errors
    /// If the device fails or has no room.
    pub fn duplicate(&self) -> Result<Self> {
        let mut parameters = Vec::new();
        for (name, tensor) in &self.parameters {
            let data = tensor.to_vec::<f32>()?;
            let copy = Tensor::from_slice(&self.device, &data, tensor.shape().clone())?;
            parameters.push((name.clone(), variable_if(tensor.needs_gradient(), copy)));
        }
        Ok(Self {
            parameters,
            ..self.clone()
        })
    }

    /// Makes the parameters whose names `is_frozen` tells constant: no gradient flows to them, and none is computed that
    /// leads to nothing else. Running statistics go on in training.
    pub fn freeze(&mut self, is_frozen: impl Fn(&str) -> bool) {
        for (name, tensor) in &mut self.parameters {
            if is_frozen(name) {
                *tensor = tensor.detach();
            }
        }
    }

    /// Overwrites the weights with those in a file.
    ///
    /// # Errors
    /// As [`Network::open`]; [`Error::OtherNetwork`] if the file holds another network.
    pub fn load(&self, path: &Path) -> Result<()> {
        let file = TensorFile::open(path)?;
        let found = file.metadata(NETWORK_KEY).unwrap_or("an unnamed network");
        let expected = self.architecture.to_string();
        if found != expected {
            return Err(Error::OtherNetwork {
                path: path.to_owned(),
                expected,
                found: found.to_owned(),
            });
        }
        let layers = (file.metadata(LAYERS_KEY), self.architecture.layers_json());
        if let (Some(found), Some(own)) = layers
            && !compute_the_same(found, &own)
        {
            return Err(Error::OtherNetwork {
                path: path.to_owned(),
                expected,
                found: "a network of that name with other layers".to_owned(),
            });
        }
        let values = read_finite(file, &shapes(&self.architecture))?;
        for ((_, tensor), data) in self.parameters.iter().zip(values) {
            tensor.write(&data)?;
        }
        Ok(())
    }

    /// The weights as a safetensors file: `NAME.weight` and `NAME.bias` of each layer in f32, convolutions as
    /// `[kh, kw, c_in / groups, c_out]`, dense layers as `[in, out]`; metadata `network` is
    /// `alexnet-small classes=10 input_size=32`, `classes`, if they are known, the classes' names as a JSON array, `images`,
    /// if it is known, a [`Preparation`] as JSON, and `layers`, of a network that is none of [`crate::networks`], what it is made
    /// of. The same weights always give the same bytes.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a weight is no finite number; if the device fails.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut tensors = Vec::new();
        for (name, tensor) in &self.parameters {
            let values: Vec<f32> = tensor.to_vec()?;
            if let Some(found) = not_finite(&values) {
                let tensor = name.clone();
                return Err(Error::NotFinite { tensor, found });
            }
            tensors.push((name.clone(), tensor.shape().to_vec(), values));
        }
        let name = self.architecture.to_string();
        let about = self.about();
        let about = about.iter().map(|(key, json)| (*key, json.as_str()));
        let metadata: Vec<_> = [(NETWORK_KEY, name.as_str())]
            .into_iter()
            .chain(about)
            .collect();
        file_bytes(tensors, &metadata)
    }

    /// What is known beside the weights, by the keys of a file's metadata, as JSON.
    pub(crate) fn about(&self) -> Vec<(&'static str, String)> {
        let classes = self.classes_json().map(|json| (CLASSES_KEY, json));
        let images = self.preparation.as_ref().map(Preparation::to_json);
        let images = images.map(|json| (IMAGES_KEY, json));
        let layers = self.architecture.layers_json();
        let layers = layers.map(|json| (LAYERS_KEY, json));
        classes.into_iter().chain(images).chain(layers).collect()
    }

    /// The classes' names as a JSON array.
    fn classes_json(&self) -> Option<String> {
        let names = self.class_names.as_ref()?;
        Some(serde_json::Value::from(names.clone()).to_string())
    }

    /// The layers and shapes.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The parameters with their names, such as `conv1.weight`, first layer first; running statistics of batch
    /// normalisation, which are no variables, included.
    #[must_use]
    pub fn parameters(&self) -> &[(String, Tensor)] {
        &self.parameters
    }

    /// Where the weights are.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The logits `[n, classes]` of normalised images `[n, height, width, channels]`.
    ///
    /// Of images in [`tensor::Element::F16`], activations and their gradients are in 16-bit floats too (mixed precision,
    /// Micikevicius 2018): products take a copy of the weights rounded to them and add up in 32 bits; weights, their gradients
    /// and the logits stay in 32.
    ///
    /// # Errors
    /// If the images have another size, or the device fails.
    pub fn forward(&self, images: &Tensor, mode: Mode<'_>) -> tensor::Result<Tensor> {
        self.run(images, mode, self.architecture.stages().len())
    }

    /// What layer number `layer` makes of normalised images of the input's size: `[n, h, w, c]` or `[n, units]`, in
    /// evaluation. A number past the last layer means the logits.
    ///
    /// # Errors
    /// As [`Network::forward`].
    pub fn activations(&self, images: &Tensor, layer: usize) -> tensor::Result<Tensor> {
        self.run(images, Mode::Eval, layer.saturating_add(1))
    }

    /// Runs the first `n_layers` layers.
    fn run(&self, images: &Tensor, mode: Mode<'_>, n_layers: usize) -> tensor::Result<Tensor> {
        let input = self.architecture.input();
        if images.shape().len() != 4 || images.shape()[1..] != input {
            let [height, width, channels] = input;
            let name = self.architecture.name();
            let expected = format!("[n, {height}, {width}, {channels}] for {name}");
            return Err(tensor::Error::shape(
                "network",
                "images",
                expected,
                images.shape(),
            ));
        }
        let mut rest = self.parameters.as_slice();
        let mut x = images.clone();
        let stages = self.architecture.stages().iter().take(n_layers);
        for (stage, stream) in stages.zip(0_u32..) {
            let (own, others) = rest.split_at(stage.parameters.len());
            rest = others;
            let context = Context {
                layer: &stage.layer.name,
                parameters: own,
                rng: match mode {
                    Mode::Train { step } => Some(step.rng(stream)),
                    Mode::Eval => None,
                },
            };
            x = stage.layer.module.forward(&x, &context)?;
        }
        x.cast(Element::F32)
    }
}

/// Running statistics are no variables: the forward pass changes them, and the optimizer leaves them alone.
fn variable_if(is_trained: bool, tensor: Tensor) -> Tensor {
    if is_trained {
        tensor.into_variable()
    } else {
        tensor
    }
}

/// The architecture that a weight file names.
pub(crate) fn architecture_of(file: &TensorFile) -> Result<Architecture> {
    let wrong = |found: &str| {
        let expected = "weights of a network of this program";
        Error::format(file.path(), expected, found)
    };
    let name = file
        .metadata(NETWORK_KEY)
        .ok_or_else(|| wrong("no network's name in its metadata"))?;
    match Architecture::parse(name, file.metadata(LAYERS_KEY)) {
        Some(Ok(architecture)) => Ok(architecture),
        Some(Err(error)) => Err(wrong(&error.to_string())),
        None => Err(wrong(&format!("the network '{name}'"))),
    }
}

/// The classes' names that a weight file has, if it has any.
pub(crate) fn class_names_of(file: &TensorFile) -> Result<Option<Vec<String>>> {
    let parse = |json: &str| {
        serde_json::from_str(json).map_err(|error| {
            let found = format!("metadata {CLASSES_KEY} that is none: {error}");
            Error::format(file.path(), "a JSON array of class names", found)
        })
    };
    file.metadata(CLASSES_KEY).map(parse).transpose()
}

/// The weights in a file, which must be finite: a network with a NaN answers with nothing else.
fn read_finite(file: TensorFile, expected: &[(String, Vec<usize>)]) -> Result<Vec<Vec<f32>>> {
    let path = file.path().to_owned();
    let tensors = file.read(expected)?;
    for (values, (name, _)) in tensors.iter().zip(expected) {
        if let Some(found) = not_finite(values) {
            return Err(Error::Tensor {
                path,
                tensor: name.clone(),
                expected: "finite numbers".to_owned(),
                found,
            });
        }
    }
    Ok(tensors)
}

/// What and where the first value is that is NaN or infinite, if there is one.
pub(crate) fn not_finite(values: &[f32]) -> Option<String> {
    let at = values.iter().position(|value| !value.is_finite())?;
    Some(format!("{} at element {at}", values[at]))
}

pub(crate) fn shapes(architecture: &Architecture) -> Vec<(String, Vec<usize>)> {
    let parameters = architecture.parameters();
    parameters
        .map(|(name, spec)| (name, spec.shape.to_vec()))
        .collect()
}
