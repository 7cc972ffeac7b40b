//! Networks: an architecture with weights on a device, and the way forward through it.

use std::path::Path;

use tensor::{Device, Tensor};

use crate::architecture::Architecture;
use crate::error::{Error, Result};
use crate::weights::{TensorFile, tensor_file_bytes};

/// The key of a weight file's metadata under which the network is named.
const NETWORK_KEY: &str = "network";

/// A network with its weights.
#[derive(Clone, Debug)]
pub struct Network {
    architecture: Architecture,
    /// In the order of the architecture's parameters.
    parameters: Vec<(String, Tensor)>,
    device: Device,
}

/// What a forward pass is for.
#[derive(Clone, Copy, Debug)]
pub enum Mode<'a> {
    /// Training: dropout is on and draws from the step's words.
    Train {
        /// The words that change from step to step: seed, number, learning rate.
        step: &'a Tensor,
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
            let tensor = spec.init.tensor(device, spec.shape, spec.fans, place)?;
            parameters.push((name, variable_if(spec.is_trained, tensor)));
        }
        Ok(Self {
            architecture,
            parameters,
            device: device.clone(),
        })
    }

    /// The network in a weight file, with its weights.
    ///
    /// # Errors
    /// If the file can't be read, is damaged, names no network, or has other tensors than that network.
    pub fn open(path: &Path, device: &Device) -> Result<Self> {
        let file = TensorFile::open(path)?;
        let architecture = architecture_of(&file)?;
        let mut parameters = Vec::new();
        let mut values = file.read(&shapes(&architecture))?.into_iter();
        for ((name, spec), data) in architecture.parameters().zip(&mut values) {
            let tensor = Tensor::from_slice(device, &data, spec.shape)?;
            parameters.push((name, variable_if(spec.is_trained, tensor)));
        }
        Ok(Self {
            architecture,
            parameters,
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
        let values = file.read(&shapes(&self.architecture))?;
        for ((_, tensor), data) in self.parameters.iter().zip(values) {
            tensor.write(&data)?;
        }
        Ok(())
    }

    /// The weights as a safetensors file: `NAME.weight` and `NAME.bias` of each layer in f32, convolutions as
    /// `[kh, kw, c_in / groups, c_out]`, dense layers as `[in, out]`; metadata `network` is
    /// `alexnet-small classes=10 input_size=32`. The same weights always give the same bytes.
    ///
    /// # Errors
    /// If the device fails.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut tensors = Vec::new();
        for (name, tensor) in &self.parameters {
            tensors.push((name.clone(), tensor.shape().to_vec(), tensor.to_vec()?));
        }
        tensor_file_bytes(tensors, (NETWORK_KEY, &self.architecture.to_string()))
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

    /// The logits `[n, classes]` of normalised images `[n, size, size, 3]`.
    ///
    /// # Errors
    /// If the images have another size, or the device fails.
    pub fn forward(&self, images: &Tensor, mode: Mode<'_>) -> tensor::Result<Tensor> {
        let size = self.architecture.input_size();
        if images.shape().len() != 4 || images.shape()[1..] != [size, size, 3] {
            let expected = format!("[n, {size}, {size}, 3]");
            return Err(tensor::Error::shape(
                self.architecture.name(),
                "images",
                expected,
                images.shape(),
            ));
        }
        let step = match mode {
            Mode::Train { step } => Some(step),
            Mode::Eval => None,
        };
        let mut rest = self.parameters.as_slice();
        let mut x = images.clone();
        for (layer, stream) in self.architecture.layers().iter().zip(0_u32..) {
            let (own, others) = rest.split_at(layer.n_parameters());
            rest = others;
            let own: Vec<_> = own.iter().map(|(_, tensor)| tensor).collect();
            x = layer.forward(&x, &own, stream, step)?;
        }
        Ok(x)
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
fn architecture_of(file: &TensorFile) -> Result<Architecture> {
    let wrong = |found: &str| {
        let expected = "weights of a network of this program";
        Error::format(file.path(), expected, found)
    };
    let name = file
        .metadata(NETWORK_KEY)
        .ok_or_else(|| wrong("no network's name in its metadata"))?;
    match Architecture::parse(name) {
        Some(Ok(architecture)) => Ok(architecture),
        Some(Err(error)) => Err(wrong(&error.to_string())),
        None => Err(wrong(&format!("the network '{name}'"))),
    }
}

fn shapes(architecture: &Architecture) -> Vec<(String, Vec<usize>)> {
    let parameters = architecture.parameters();
    parameters
        .map(|(name, spec)| (name, spec.shape.to_vec()))
        .collect()
}
