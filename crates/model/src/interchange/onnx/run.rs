//! Runs a file as ONNX defines its operators, to prove what was written: from the file's bytes alone, without knowing the
//! network. Tensors here are channels-last, so filters are turned back, and an image is turned before it is flattened.

use std::collections::BTreeMap;

use prost::Message as _;
use tensor::ops::batch_norm::{BatchNorm, Momentum};
use tensor::ops::conv2d::{Conv2dOptions, Padding, Window};
use tensor::ops::lrn::Lrn;
use tensor::{Activation, Device, Tensor, no_grad};

use super::proto::{Array, Model, Node};
use crate::interchange::layout::{filters_last, permuted};

/// What is wrong with a file.
type Result<T> = std::result::Result<T, Fault>;

/// Why a file could not be run.
#[derive(Debug)]
pub(in crate::interchange) enum Fault {
    /// The file is damaged, or has what no export here writes.
    File(String),
    /// The device failed, or shapes do not fit together.
    Tensor(tensor::Error),
}

impl From<tensor::Error> for Fault {
    fn from(error: tensor::Error) -> Self {
        Self::Tensor(error)
    }
}

fn fault(message: impl Into<String>) -> Fault {
    Fault::File(message.into())
}

/// The output of the graph in `bytes` for `images`, `[n, h, w, c]`: its elements.
pub(in crate::interchange) fn run(bytes: &[u8], images: &Tensor) -> Result<Vec<f32>> {
    let model = Model::decode(bytes).map_err(|error| fault(error.to_string()))?;
    let graph = model.graph.ok_or_else(|| fault("no graph"))?;
    let weights: BTreeMap<&str, &Array> = graph
        .initializer
        .iter()
        .map(|array| (array.name.as_deref().unwrap_or_default(), array))
        .collect();
    let [input] = &graph.input[..] else {
        return Err(fault(format!("{} inputs", graph.input.len())));
    };
    let mut values = BTreeMap::from([(input.name.clone().unwrap_or_default(), images.clone())]);
    no_grad(|| {
        for node in &graph.node {
            let y = Run {
                node,
                weights: &weights,
                values: &values,
                device: images.device(),
            }
            .output()?;
            let name = node
                .output
                .first()
                .ok_or_else(|| fault("an operator without output"))?;
            // The networks are chains: what has been used is not needed again.
            values = BTreeMap::from([(name.clone(), y)]);
        }
        let name = graph.output.first().and_then(|output| output.name.clone());
        let output = values.get(&name.unwrap_or_default());
        Ok(output.ok_or_else(|| fault("no output"))?.to_vec()?)
    })
}

struct Run<'a> {
    node: &'a Node,
    weights: &'a BTreeMap<&'a str, &'a Array>,
    values: &'a BTreeMap<String, Tensor>,
    device: &'a Device,
}

impl Run<'_> {
    fn output(&self) -> Result<Tensor> {
        let x = self
            .node
            .input
            .first()
            .and_then(|name| self.values.get(name));
        let x = x.ok_or_else(|| fault("an operator on what no one has made"))?;
        Ok(match self.node.op_type.as_deref().unwrap_or_default() {
            "Conv" => {
                let (shape, values) = self.weight(1)?;
                let (values, shape) = filters_last(&values, &shape);
                let w = Tensor::from_slice(self.device, &values, shape)?;
                let groups = self.ints("group")?.first().copied().unwrap_or(1);
                let options = Conv2dOptions::of(&self.window()?).groups(groups);
                x.conv2d(&w, self.optional(2)?.as_ref(), &options)?
            }
            "Gemm" => {
                let (weight, bias) = (self.tensor(1)?, self.optional(2)?);
                x.linear(&weight, bias.as_ref(), Activation::None)?
            }
            "BatchNormalization" => {
                let constants = BatchNorm {
                    momentum: Momentum::OfNew(0.0),
                    epsilon: self.float("epsilon")?,
                    is_unbiased: false,
                };
                let [scale, bias, mean, variance] = [1, 2, 3, 4].map(|at| self.tensor(at));
                x.batch_norm_eval(&constants, [&scale?, &bias?], [&mean?, &variance?])?
            }
            "LRN" => {
                let size = *self.ints("size")?.first().ok_or_else(|| fault("no size"))?;
                let terms = u16::try_from(size).map_err(|error| fault(error.to_string()))?;
                // The window of ONNX: (size - 1) / 2 before, the larger half after.
                x.lrn(&Lrn {
                    radius_before: (size - 1) / 2,
                    radius_after: size / 2,
                    bias: self.float("bias")?,
                    alpha: self.float("alpha")? / f32::from(terms),
                    beta: self.float("beta")?,
                })?
            }
            "Mul" => match self.weight(1)?.1[..] {
                [factor] => x.scale(factor)?,
                ref other => return Err(fault(format!("{} factors", other.len()))),
            },
            "Relu" => x.relu()?,
            "LeakyRelu" => x.leaky_relu(self.float("alpha")?)?,
            "Gelu" => x.gelu()?,
            "Sigmoid" => x.sigmoid()?,
            "Tanh" => x.tanh()?,
            "Softmax" => x.softmax()?,
            "MaxPool" => x.max_pool(&self.window()?)?,
            "AveragePool" => {
                let counts_padding = self.ints("count_include_pad")? == [1];
                x.avg_pool(&self.window()?, counts_padding)?
            }
            "GlobalAveragePool" => {
                let shape = x.shape();
                let window = Window {
                    size: [shape[1], shape[2]],
                    ..Window::new(1, 1, Padding::Valid)
                };
                x.avg_pool(&window, false)?
            }
            "Flatten" => {
                let shape = x.shape().to_vec();
                let turned = permuted(&x.to_vec()?, &shape, &[0, 3, 1, 2]);
                let flat = [shape[0], shape[1] * shape[2] * shape[3]];
                Tensor::from_slice(self.device, &turned, flat)?
            }
            other => return Err(fault(format!("operator {other}"))),
        })
    }

    /// A parameter's shape and elements.
    fn weight(&self, at: usize) -> Result<(Vec<usize>, Vec<f32>)> {
        let name = self.node.input.get(at).map_or("", String::as_str);
        let array = self.weights.get(name);
        let array = array.ok_or_else(|| fault(format!("no array '{name}'")))?;
        let sizes = array.dims.iter().map(|&size| usize::try_from(size));
        let shape: Vec<usize> = sizes
            .collect::<std::result::Result<_, _>>()
            .map_err(|error| fault(error.to_string()))?;
        let (words, _) = array
            .raw_data
            .as_deref()
            .unwrap_or_default()
            .as_chunks::<4>();
        let values: Vec<f32> = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
        if shape.iter().product::<usize>() != values.len() {
            return Err(fault(format!(
                "{} elements in '{name}' of {shape:?}",
                values.len()
            )));
        }
        Ok((shape, values))
    }

    fn tensor(&self, at: usize) -> Result<Tensor> {
        let (shape, values) = self.weight(at)?;
        Ok(Tensor::from_slice(self.device, &values, shape)?)
    }

    /// A parameter that an operator may do without.
    fn optional(&self, at: usize) -> Result<Option<Tensor>> {
        let is_there = at < self.node.input.len();
        is_there.then(|| self.tensor(at)).transpose()
    }

    /// An attribute's numbers; none if it is absent.
    fn ints(&self, name: &str) -> Result<Vec<usize>> {
        let Some(found) = self.attribute(name) else {
            return Ok(Vec::new());
        };
        let all = found
            .i
            .iter()
            .chain(&found.ints)
            .map(|&value| usize::try_from(value));
        all.collect::<std::result::Result<_, _>>()
            .map_err(|error| fault(error.to_string()))
    }

    fn float(&self, name: &str) -> Result<f32> {
        let value = self.attribute(name).and_then(|attribute| attribute.f);
        value.ok_or_else(|| fault(format!("no attribute {name}")))
    }

    fn attribute(&self, name: &str) -> Option<&super::Attribute> {
        let mut all = self.node.attribute.iter();
        all.find(|attribute| attribute.name.as_deref() == Some(name))
    }

    fn window(&self) -> Result<Window> {
        let pair = |name| -> Result<[usize; 2]> {
            match self.ints(name)?[..] {
                [] => Ok([1; 2]),
                [h, w] => Ok([h, w]),
                _ => Err(fault(format!("{name} of another rank"))),
            }
        };
        let padding = match self.ints("pads")?[..] {
            [] => Padding::Valid,
            [top, left, bottom, right] => Padding::Explicit {
                top,
                left,
                bottom,
                right,
            },
            _ => return Err(fault("pads of another rank")),
        };
        Ok(Window {
            size: pair("kernel_shape")?,
            stride: pair("strides")?,
            dilation: pair("dilations")?,
            padding,
            is_ceil: false,
        })
    }
}
