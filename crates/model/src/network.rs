//! Networks: an architecture with weights on a device, and its forward pass.

mod file;

use tensor::update::StepBuffer;
use tensor::{DType, Device, Tensor};

use crate::architecture::Architecture;
use crate::error::{Error, Result};
use crate::image_size::ImageSize;
use crate::layers::Context;
use crate::preparation::Preparation;

pub(crate) use file::{architecture_of, class_names_of, not_finite};

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
    /// ```
    /// use model::layers::{Dense, Flatten};
    /// use model::{Architecture, Network};
    /// use tensor::Device;
    ///
    /// let layers = vec![Flatten::new().into(), Dense::new(10).into()];
    /// let architecture = Architecture::from_layers("linear", [8, 8, 1], layers)?;
    /// let network = Network::new(architecture, 42, &Device::cpu())?;
    /// let (name, weight) = &network.parameters()[0];
    /// assert_eq!((name.as_str(), &weight.shape()[..]), ("dense_1.weight", &[64, 10][..]));
    /// # Ok::<(), model::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the device has no room.
    pub fn new(architecture: Architecture, seed: u64, device: &Device) -> Result<Self> {
        let mut parameters = Vec::new();
        for ((name, spec), index) in architecture.parameters().zip(0_u32..) {
            let shape = spec.shape.clone();
            let tensor = spec.init.tensor(device, shape, spec.fans, seed, index)?;
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

    /// The network with the same weights, for images of another size: a side, or `[height, width]`.
    ///
    /// # Errors
    /// [`Error::LayerInput`] if a layer can't take that size; [`Error::Argument`] if the weights have other shapes there.
    pub fn for_input_size(mut self, input_size: impl Into<ImageSize>) -> Result<Self> {
        let (input_size, own) = (input_size.into(), &self.architecture);
        let [height, width, channels] = own.input();
        let [rows, columns] = input_size.sides();
        let other = own.for_input([rows, columns, channels])?;
        if shapes(&other) != shapes(own) {
            return Err(Error::Argument {
                network: own.name().to_owned(),
                argument: "input size",
                expected: format!(
                    "{}, which its weights are for",
                    ImageSize::from([height, width])
                ),
                got: input_size.to_string(),
            });
        }
        if let Some(preparation) = &mut self.preparation {
            preparation.input_size = input_size;
        }
        self.architecture = other;
        Ok(self)
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
            parameters.push((name.clone(), variable_if(tensor.requires_grad(), copy)));
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

    /// The layers and shapes.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The parameters with their names, such as `conv1.weight`, first layer first; running statistics of batch
    /// normalisation, which the optimizer leaves alone, included.
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
    /// Of images in [`tensor::DType::F16`], activations and their gradients are in f16 too (mixed precision,
    /// Micikevicius 2018): products take a copy of the weights rounded to them and add up in 32 bits; weights, their gradients
    /// and the logits stay in 32.
    ///
    /// ```
    /// use model::layers::{Dense, Flatten};
    /// use model::{Architecture, Mode, Network};
    /// use tensor::{Device, Tensor, no_grad};
    ///
    /// let device = Device::cpu();
    /// let layers = vec![Flatten::new().into(), Dense::new(10).into()];
    /// let architecture = Architecture::from_layers("linear", [8, 8, 1], layers)?;
    /// let network = Network::new(architecture, 42, &device)?;
    /// let images = Tensor::from_slice(&device, &[0.5_f32; 3 * 8 * 8], [3, 8, 8, 1])?;
    /// let logits = no_grad(|| network.forward(&images, Mode::Eval))?;
    /// assert_eq!(logits.shape()[..], [3, 10]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the images have another size, or the device fails.
    pub fn forward(&self, images: &Tensor, mode: Mode<'_>) -> tensor::Result<Tensor> {
        self.run(images, mode, self.architecture.stages().len())
    }

    /// The activations of layer number `layer` for normalised images of the input's size: `[n, h, w, c]` or `[n, units]`, in
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
        x.cast(DType::F32)
    }
}

/// Running statistics require no gradient: the forward pass changes them, the optimizer does not.
fn variable_if(is_trained: bool, tensor: Tensor) -> Tensor {
    if is_trained {
        tensor.into_parameter()
    } else {
        tensor
    }
}

pub(crate) fn shapes(architecture: &Architecture) -> Vec<(String, Vec<usize>)> {
    let parameters = architecture.parameters();
    parameters
        .map(|(name, spec)| (name, spec.shape.to_vec()))
        .collect()
}
