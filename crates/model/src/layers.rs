//! The layers that networks are lists of: what each is, the shape it makes, the parameters it has, how it runs.

use tensor::ops::batch_norm::BatchNorm;
use tensor::ops::conv2d::{Padding, Window};
use tensor::ops::lrn::Lrn as LrnOptions;
use tensor::{Shape, Tensor};

use crate::init::{Fans, Init};

/// A named layer of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name, unique in the network: the first part of its parameters' names.
    pub name: &'static str,
    /// What it does.
    pub kind: Kind,
}

/// What a layer does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// Convolution with a bias, and a ReLU where it says so.
    Conv2d(Conv2d),
    /// Dense layer with a bias, and a ReLU where it says so.
    Dense(Dense),
    /// Local response normalisation across channels.
    Lrn(Lrn),
    /// Batch normalisation of each channel, with its running statistics.
    BatchNorm(BatchNorm),
    /// `max(x, 0)`, where it is not part of the layer before.
    Relu,
    /// Max-pooling.
    MaxPool(Window),
    /// Average-pooling to this many rows and columns, whose windows must come out even: PyTorch's adaptive pooling.
    AvgPoolTo(usize),
    /// Dropout of this share of the units, in training only; the others are scaled up.
    Dropout(f32),
    /// `[n, h, w, c]` to `[n, h w c]`.
    Flatten,
}

/// A convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv2d {
    filters: usize,
    window: Window,
    groups: usize,
    relu: bool,
    weight: Init,
    bias: Init,
}

/// A dense layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    units: usize,
    relu: bool,
    weight: Init,
    bias: Init,
}

/// `y = x (bias + alpha sum x^2)^-beta`, the sum over `2 radius + 1` neighbouring channels (Krizhevsky et al. 2012,
/// section 3.3). Alpha is on the raw sum, as in the paper and TensorFlow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lrn {
    /// Channels to either side.
    pub radius: usize,
    /// The constant under the power (`k` in the paper).
    pub bias: f32,
    /// The factor of the sum of squares.
    pub alpha: f32,
    /// The power.
    pub beta: f32,
}

/// A parameter that a layer has.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) suffix: &'static str,
    pub(crate) shape: Shape,
    pub(crate) init: Init,
    pub(crate) fans: Fans,
    /// Whether the optimizer changes it; running statistics are changed by the forward pass.
    pub(crate) is_trained: bool,
}

impl Conv2d {
    /// `filters` square filters of side `size`, stride 1, no padding, one group, no ReLU, He-normal, biases zero.
    pub(crate) const fn new(filters: usize, size: usize) -> Self {
        Self {
            filters,
            window: Window::new(size, 1, Padding::Valid),
            groups: 1,
            relu: false,
            weight: Init::HeNormal,
            bias: Init::Constant(0.0),
        }
    }

    pub(crate) const fn stride(mut self, stride: usize) -> Self {
        self.window.stride = [stride; 2];
        self
    }

    pub(crate) const fn pad(mut self, pixels: usize) -> Self {
        self.window.padding = Padding::all(pixels);
        self
    }

    pub(crate) const fn same(mut self) -> Self {
        self.window.padding = Padding::Same;
        self
    }

    pub(crate) const fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    pub(crate) const fn relu(mut self) -> Self {
        self.relu = true;
        self
    }

    pub(crate) const fn init(mut self, weight: Init, bias: Init) -> Self {
        self.weight = weight;
        self.bias = bias;
        self
    }

    pub(crate) const fn named(self, name: &'static str) -> Layer {
        Layer {
            name,
            kind: Kind::Conv2d(self),
        }
    }

    pub(crate) const fn window(&self) -> &Window {
        &self.window
    }

    pub(crate) const fn groups_of_channels(&self) -> usize {
        self.groups
    }

    pub(crate) const fn has_relu(&self) -> bool {
        self.relu
    }
}

impl Dense {
    /// `units` units without ReLU, He-normal, biases zero.
    pub(crate) const fn new(units: usize) -> Self {
        Self {
            units,
            relu: false,
            weight: Init::HeNormal,
            bias: Init::Constant(0.0),
        }
    }

    pub(crate) const fn relu(mut self) -> Self {
        self.relu = true;
        self
    }

    pub(crate) const fn init(mut self, weight: Init, bias: Init) -> Self {
        self.weight = weight;
        self.bias = bias;
        self
    }

    pub(crate) const fn named(self, name: &'static str) -> Layer {
        Layer {
            name,
            kind: Kind::Dense(self),
        }
    }

    pub(crate) const fn has_relu(&self) -> bool {
        self.relu
    }
}

impl Lrn {
    pub(crate) const fn named(self, name: &'static str) -> Layer {
        Layer {
            name,
            kind: Kind::Lrn(self),
        }
    }
}

/// Max-pooling with a square window, without padding.
pub(crate) const fn max_pool(name: &'static str, size: usize, stride: usize) -> Layer {
    max_pool_padded(name, size, stride, Padding::Valid)
}

/// Max-pooling with a square window and TensorFlow's SAME padding.
pub(crate) const fn max_pool_same(name: &'static str, size: usize, stride: usize) -> Layer {
    max_pool_padded(name, size, stride, Padding::Same)
}

const fn max_pool_padded(
    name: &'static str,
    size: usize,
    stride: usize,
    padding: Padding,
) -> Layer {
    Layer {
        name,
        kind: Kind::MaxPool(Window::new(size, stride, padding)),
    }
}

pub(crate) const fn dropout(name: &'static str, rate: f32) -> Layer {
    Layer {
        name,
        kind: Kind::Dropout(rate),
    }
}

pub(crate) const fn batch_norm(name: &'static str, constants: BatchNorm) -> Layer {
    Layer {
        name,
        kind: Kind::BatchNorm(constants),
    }
}

pub(crate) const fn relu(name: &'static str) -> Layer {
    Layer {
        name,
        kind: Kind::Relu,
    }
}

pub(crate) const fn avg_pool_to(name: &'static str, size: usize) -> Layer {
    Layer {
        name,
        kind: Kind::AvgPoolTo(size),
    }
}

pub(crate) const fn flatten(name: &'static str) -> Layer {
    Layer {
        name,
        kind: Kind::Flatten,
    }
}

/// How many windows fit on an image, or what is in the way.
fn windows(window: &Window, image: [usize; 2]) -> Result<[usize; 2], String> {
    let placement = window.place("window", image);
    placement.map(|p| p.out).map_err(|error| error.to_string())
}

/// The window of an average-pooling to `size` rows and columns.
fn even_window([height, width]: [usize; 2], size: usize) -> Result<Window, String> {
    if height != width || height == 0 || !height.is_multiple_of(size) {
        return Err(format!(
            "it averages to {size}x{size} and needs a multiple of that"
        ));
    }
    Ok(Window::new(height / size, height / size, Padding::Valid))
}

impl Layer {
    /// The shape of one image's output, from that of one image's input; or why there is none.
    pub(crate) fn output(&self, input: &Shape) -> Result<Shape, String> {
        let image = || match **input {
            [h, w, c] => Ok([h, w, c]),
            _ => Err("it needs [height, width, channels]".to_owned()),
        };
        Ok(match &self.kind {
            Kind::Conv2d(conv) => {
                let [h, w, c] = image()?;
                if c % conv.groups != 0 || conv.filters % conv.groups != 0 {
                    return Err(format!(
                        "its {} groups do not divide the channels",
                        conv.groups
                    ));
                }
                let [h, w] = windows(&conv.window, [h, w])?;
                Shape::from([h, w, conv.filters])
            }
            Kind::MaxPool(window) => {
                let [h, w, c] = image()?;
                let [h, w] = windows(window, [h, w])?;
                Shape::from([h, w, c])
            }
            Kind::Flatten => Shape::from([input.elements()]),
            Kind::Dense(dense) => match **input {
                [_] => Shape::from([dense.units]),
                _ => return Err("it needs a flat input".to_owned()),
            },
            Kind::AvgPoolTo(size) => {
                let [h, w, c] = image()?;
                even_window([h, w], *size)?;
                Shape::from([*size, *size, c])
            }
            Kind::Lrn(_) | Kind::Dropout(_) | Kind::BatchNorm(_) | Kind::Relu => input.clone(),
        })
    }

    /// The layer's parameters for inputs of this shape, in the order in which [`Layer::forward`] takes them.
    pub(crate) fn parameters(&self, input: &Shape) -> Vec<Parameter> {
        let (_, channels) = input.rows_and_columns();
        match &self.kind {
            Kind::Conv2d(conv) => {
                let inputs = channels / conv.groups;
                let [height, width] = conv.window.size;
                let area = height * width;
                let fans = Fans {
                    fan_in: area * inputs,
                    fan_out: area * conv.filters / conv.groups,
                };
                let shape = Shape::from([height, width, inputs, conv.filters]);
                weight_and_bias(shape, conv.filters, fans, [conv.weight, conv.bias])
            }
            Kind::Dense(dense) => {
                let (fan_in, fan_out) = (input.elements(), dense.units);
                let shape = Shape::from([fan_in, fan_out]);
                let fans = Fans { fan_in, fan_out };
                weight_and_bias(shape, fan_out, fans, [dense.weight, dense.bias])
            }
            Kind::BatchNorm(_) => [
                ("weight", 1.0, true),
                ("bias", 0.0, true),
                ("running_mean", 0.0, false),
                ("running_var", 1.0, false),
            ]
            .map(|(suffix, value, is_trained)| Parameter {
                suffix,
                shape: Shape::from([channels]),
                init: Init::Constant(value),
                fans: Fans {
                    fan_in: 1,
                    fan_out: 1,
                },
                is_trained,
            })
            .into(),
            _ => Vec::new(),
        }
    }

    /// The same layer with other initial weights and biases, where it has any: normalisations keep theirs.
    pub(crate) fn with_init(mut self, weight: Init, bias: Init) -> Self {
        match &mut self.kind {
            Kind::Conv2d(conv) => (conv.weight, conv.bias) = (weight, bias),
            Kind::Dense(dense) => (dense.weight, dense.bias) = (weight, bias),
            _ => {}
        }
        self
    }

    /// How many parameters the layer has.
    pub(crate) fn n_parameters(&self) -> usize {
        match self.kind {
            Kind::Conv2d(_) | Kind::Dense(_) => 2,
            Kind::BatchNorm(_) => 4,
            _ => 0,
        }
    }

    /// Runs the layer on a batch. `stream` keeps its random numbers apart from other layers'; `step` is given in training.
    /// Products take the weights as the floats that the batch is of.
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        parameters: &[&Tensor],
        stream: u32,
        step: Option<&Tensor>,
    ) -> tensor::Result<Tensor> {
        match (&self.kind, parameters) {
            (Kind::Conv2d(conv), [weight, bias]) => {
                let weight = weight.cast(x.element())?;
                x.conv2d(&weight, Some(bias), &conv.window, conv.groups, conv.relu)
            }
            (Kind::Dense(dense), [weight, bias]) => {
                let weight = weight.cast(x.element())?;
                x.linear(&weight, Some(bias), dense.relu)
            }
            (Kind::BatchNorm(constants), &[weight, bias, mean, variance]) => match step {
                // Its mean is the value itself, so that nothing is left but beta.
                Some(_) if x.shape().rows_and_columns().0 == 1 => Err(tensor::Error::shape(
                    self.name,
                    "images",
                    "more than one value per channel, as batch normalisation in training needs: a larger batch, or \
                     drop_last = true if it is the last of an epoch",
                    x.shape(),
                )),
                Some(_) => x.batch_norm(constants, [weight, bias], [mean, variance]),
                None => x.batch_norm_eval(constants, [weight, bias], [mean, variance]),
            },
            (Kind::Conv2d(_) | Kind::Dense(_) | Kind::BatchNorm(_), _) => {
                unreachable!("the network passes the parameters that the layer asked for")
            }
            (Kind::Lrn(lrn), _) => x.lrn(&LrnOptions {
                radius_before: lrn.radius,
                radius_after: lrn.radius,
                bias: lrn.bias,
                alpha: lrn.alpha,
                beta: lrn.beta,
            }),
            (Kind::MaxPool(window), _) => x.max_pool(window),
            (Kind::Relu, _) => x.relu(),
            (Kind::AvgPoolTo(size), _) => {
                // The architecture has checked that the windows come out even.
                let side = x.shape()[1] / size;
                x.avg_pool(&Window::new(side, side, Padding::Valid), false)
            }
            (Kind::Dropout(rate), _) => match step {
                Some(step) if *rate > 0.0 => x.dropout(*rate, stream, step),
                _ => Ok(x.clone()),
            },
            (Kind::Flatten, _) => {
                let n = x.shape()[0];
                x.reshape([n, x.shape().elements() / n])
            }
        }
    }
}

fn weight_and_bias(
    shape: Shape,
    outputs: usize,
    fans: Fans,
    [weight, bias]: [Init; 2],
) -> Vec<Parameter> {
    let parameter = |suffix, shape, init| Parameter {
        suffix,
        shape,
        init,
        fans,
        is_trained: true,
    };
    vec![
        parameter("weight", shape, weight),
        parameter("bias", Shape::from([outputs]), bias),
    ]
}
