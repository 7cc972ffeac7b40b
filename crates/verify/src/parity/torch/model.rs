//! Whole networks, trained for some steps on one batch.

use tensor::ops::batch_norm::{BatchNorm, Momentum};
use tensor::ops::conv2d::{Conv2dOptions, Padding, Window};
use tensor::ops::cross_entropy::CrossEntropy;
use tensor::ops::elementwise::full;
use tensor::ops::lrn::Lrn;
use tensor::{Activation, Device, Tensor};

use super::super::array::Array;
use super::super::attributes::Attributes;
use super::super::layout::{channels_last, filters, filters_back, transposed};
use super::super::recorded::Loaded;
use super::super::{Error, Result};
use super::normalization::lrn_of;
use super::update::Optimizer;
use super::{Outputs, outputs};

/// How a parameter is stored here and there.
#[derive(Clone, Copy, Debug)]
enum Layout {
    /// As it is.
    Vector,
    /// Filters.
    Filters,
    /// A dense layer's weights over features that were an image of `[c, h, w]` (a vector: `[c, 1, 1]`).
    Dense([usize; 3]),
}

impl Layout {
    fn ours(self, theirs: &Array) -> Result<Array> {
        match self {
            Self::Vector => Ok(theirs.clone()),
            Self::Filters => filters(theirs),
            Self::Dense([c, h, w]) => {
                let out = theirs.shape.first().copied().unwrap_or(0);
                let images = theirs.clone().reshaped([out, c, h, w])?;
                transposed(&channels_last(&images)?.reshaped([out, c * h * w])?)
            }
        }
    }

    fn theirs(self, ours: &Tensor) -> Result<Array> {
        let ours = Array::from_tensor(ours)?;
        match self {
            Self::Vector => Ok(ours),
            Self::Filters => filters_back(&ours),
            Self::Dense([c, h, w]) => {
                let out = ours.shape[1];
                let images = ours.reshaped([h, w, c, out])?.permuted(&[3, 2, 0, 1])?;
                images.reshaped([out, c * h * w])
            }
        }
    }
}

/// A parameter and its recorded name.
#[derive(Debug)]
struct Parameter {
    name: String,
    layout: Layout,
    tensor: Tensor,
}

/// A layer; parameters are indices in the network's list.
#[derive(Debug)]
enum Layer {
    Conv {
        weight: usize,
        bias: Option<usize>,
        window: Window,
        groups: usize,
    },
    Linear {
        weight: usize,
        bias: Option<usize>,
    },
    BatchNorm {
        spec: BatchNorm,
        affine: [usize; 2],
        /// Mean and variance.
        running: [Tensor; 2],
    },
    Lrn(Lrn),
    MaxPool(Window),
    Relu,
    Flatten,
}

#[derive(Debug, Default)]
struct Network {
    layers: Vec<Layer>,
    parameters: Vec<Parameter>,
}

/// Builds a network layer by layer, with the size of what goes in.
struct Builder<'a> {
    case: &'a Loaded<'a>,
    device: &'a Device,
    /// Channels, height, width.
    size: [usize; 3],
    network: Network,
}

impl Builder<'_> {
    fn parameter(&mut self, name: String, layout: Layout) -> Result<usize> {
        let tensor = match self.case.optional(&name) {
            Some(array) => layout.ours(array)?.to_tensor(self.device)?,
            // Batch normalisation's, which are not recorded.
            None => {
                let value = if name.ends_with("weight") { 1.0 } else { 0.0 };
                full(self.device, [self.size[0]], value)?
            }
        };
        self.network.parameters.push(Parameter {
            name,
            layout,
            tensor: tensor.into_parameter(),
        });
        Ok(self.network.parameters.len() - 1)
    }

    fn bias(&mut self, index: usize, layer: Attributes<'_>) -> Result<Option<usize>> {
        let has_bias = !layer.has("bias") || layer.flag("bias")?;
        has_bias
            .then(|| self.parameter(format!("{index}.bias"), Layout::Vector))
            .transpose()
    }

    fn window(&mut self, layer: Attributes<'_>) -> Result<Window> {
        let pad = if layer.has("pad") {
            layer.size("pad")?
        } else {
            0
        };
        let mut window = Window::new(
            layer.size("kernel")?,
            layer.size("stride")?,
            Padding::all(pad),
        );
        window.is_ceil = layer.has("ceil_mode") && layer.flag("ceil_mode")?;
        let placement = window.place("parity", [self.size[1], self.size[2]]);
        let [h, w] = placement.map_err(tensor::Error::from)?.out;
        self.size = [self.size[0], h, w];
        Ok(window)
    }

    fn add(&mut self, index: usize, layer: Attributes<'_>) -> Result<()> {
        let layer = match layer.text("layer")? {
            "conv" => {
                let window = self.window(layer)?;
                self.size[0] = layer.size("out")?;
                Layer::Conv {
                    weight: self.parameter(format!("{index}.weight"), Layout::Filters)?,
                    bias: self.bias(index, layer)?,
                    window,
                    groups: layer.size("groups")?,
                }
            }
            "linear" => {
                let layout = Layout::Dense(self.size);
                self.size = [layer.size("out")?, 1, 1];
                Layer::Linear {
                    weight: self.parameter(format!("{index}.weight"), layout)?,
                    bias: self.bias(index, layer)?,
                }
            }
            "batch_norm" => Layer::BatchNorm {
                spec: BatchNorm {
                    momentum: Momentum::OfNew(layer.float("momentum")?),
                    epsilon: layer.float("eps")?,
                    is_unbiased: true,
                },
                affine: [
                    self.parameter(format!("{index}.weight"), Layout::Vector)?,
                    self.parameter(format!("{index}.bias"), Layout::Vector)?,
                ],
                running: [
                    full(self.device, [self.size[0]], 0.0)?,
                    full(self.device, [self.size[0]], 1.0)?,
                ],
            },
            "lrn" => Layer::Lrn(lrn_of(layer)?),
            "max_pool" => Layer::MaxPool(self.window(layer)?),
            "relu" => Layer::Relu,
            "flatten" => Layer::Flatten,
            other => return Err(Error::Unknown(format!("unknown layer {other}"))),
        };
        self.network.layers.push(layer);
        Ok(())
    }
}

impl Network {
    fn forward(&self, x: &Tensor, is_training: bool) -> Result<Tensor> {
        let at = |index: &usize| &self.parameters[*index].tensor;
        let mut x = x.clone();
        for layer in &self.layers {
            x = match layer {
                Layer::Conv {
                    weight,
                    bias,
                    window,
                    groups,
                } => {
                    let options = Conv2dOptions::of(window).groups(*groups);
                    x.conv2d(at(weight), bias.as_ref().map(at), &options)?
                }
                Layer::Linear { weight, bias } => {
                    x.linear(at(weight), bias.as_ref().map(at), Activation::None)?
                }
                Layer::BatchNorm {
                    spec,
                    affine: [gamma, beta],
                    running: [mean, variance],
                } => {
                    let (affine, running) = ([at(gamma), at(beta)], [mean, variance]);
                    if is_training {
                        x.batch_norm(spec, affine, running)?
                    } else {
                        x.batch_norm_eval(spec, affine, running)?
                    }
                }
                Layer::Lrn(lrn) => x.lrn(lrn)?,
                Layer::MaxPool(window) => x.max_pool(window)?,
                Layer::Relu => x.relu()?,
                Layer::Flatten => {
                    let n = x.shape()[0];
                    let features = x.shape().elements() / n.max(1);
                    x.reshape([n, features])?
                }
            };
        }
        Ok(x)
    }

    fn tensors(&self) -> Vec<&Tensor> {
        self.parameters
            .iter()
            .map(|parameter| &parameter.tensor)
            .collect()
    }
}

pub(super) fn train_steps(case: &Loaded<'_>, device: &Device) -> Result<Outputs> {
    let attributes = case.attributes;
    let mut builder = Builder {
        case,
        device,
        size: attributes.array("input")?,
        network: Network::default(),
    };
    for (index, layer) in attributes.objects("layers")?.into_iter().enumerate() {
        builder.add(index, layer)?;
    }
    let network = builder.network;
    let x = channels_last(case.input("x")?)?.to_tensor(device)?;
    let labels = case.input("labels")?.to_words(device)?;
    let options = CrossEntropy {
        label_smoothing: attributes.float("label_smoothing")?,
        ..CrossEntropy::default()
    };
    let parameters = network.tensors();
    let mut optimizer = Optimizer::new(attributes.object("optimizer")?, &parameters, device)?;
    let mut losses = Vec::new();
    let mut all = Vec::new();
    for step in 0..attributes.size("steps")? {
        let logits = network.forward(&x, true)?;
        let loss = logits.cross_entropy(&labels, &options)?;
        losses.extend(Array::from_tensor(&loss)?.to_f64());
        let gradients = loss.backward()?;
        let missing = || Error::Unknown("a gradient is missing".to_owned());
        let gradients: Vec<&Tensor> = parameters
            .iter()
            .map(|parameter| gradients.get(parameter).ok_or_else(missing))
            .collect::<Result<_>>()?;
        if step == 0 {
            all = outputs([("logits", Array::from_tensor(&logits)?)]);
            let mut norms = Vec::new();
            for (parameter, gradient) in network.parameters.iter().zip(&gradients) {
                let gradient = parameter.layout.theirs(gradient)?;
                norms.push(gradient.to_f64().iter().map(|g| g * g).sum::<f64>().sqrt());
                all.push((format!("grad:{}", parameter.name), gradient));
            }
            all.push(("grad_norms".to_owned(), Array::real([norms.len()], norms)));
        }
        optimizer.step(&parameters, &gradients)?;
    }
    for parameter in &network.parameters {
        let after = parameter.layout.theirs(&parameter.tensor)?;
        all.push((format!("param_after:{}", parameter.name), after));
    }
    for (index, layer) in network.layers.iter().enumerate() {
        if let Layer::BatchNorm {
            running: [mean, variance],
            ..
        } = layer
        {
            all.push((format!("{index}.running_mean"), Array::from_tensor(mean)?));
            all.push((
                format!("{index}.running_var"),
                Array::from_tensor(variance)?,
            ));
        }
    }
    let logits = network.forward(&x, false)?;
    all.push(("eval_logits_after".to_owned(), Array::from_tensor(&logits)?));
    // Last of all, because batch normalisation moves its running statistics once more.
    let last = network
        .forward(&x, true)?
        .cross_entropy(&labels, &options)?;
    losses.extend(Array::from_tensor(&last)?.to_f64());
    all.push(("losses".to_owned(), Array::real([losses.len()], losses)));
    Ok(all)
}
