//! ONNX export: the network for inference, from normalised images `input` `[N, 3, size, size]` to `logits`
//! `[N, classes]`, in opset 17.
//!
//! Channels come first there: filters are turned, and so are the rows of the first dense layer, which sees the last image
//! flattened. ONNX divides LRN's alpha by the window, this project does not. Dropout is left out. The metadata has
//! `network`, `classes` (a JSON array), `images` (a JSON object, a [`crate::Preparation`]), and `mean` and `deviation` (JSON
//! arrays), with which pixels in 0 to 1 become input.

mod proto;
mod run;

use prost::Message as _;
use tensor::Shape;
use tensor::ops::conv2d::Window;

use super::Pixels;
use super::layout::{filters_first, rows_channels_first};
use crate::error::{Error, Result};
use crate::layers::{Kind, Layer, Lrn};
use crate::network::Network;
use proto::{Array, Attribute, Dimension, Entry, Graph, Model, Node, OperatorSet};
use proto::{TensorShape, TensorType, Type, ValueInfo};

pub(super) use run::{Fault, run};

/// The first opset whose operators are as here is older; 17 is what runtimes since 2022 read.
const OPSET: i64 = 17;
/// The file version that belongs to it.
const IR_VERSION: i64 = 8;

const INPUT: &str = "input";
const OUTPUT: &str = "logits";

/// The file's bytes.
pub(super) fn bytes(network: &Network, pixels: Option<&Pixels>) -> Result<Vec<u8>> {
    let architecture = network.architecture();
    let size = architecture.input_size();
    let mut builder = Builder::default();
    let mut parameters = network.parameters().iter();
    for (layer, input, output) in architecture.stages() {
        let mut own = Vec::new();
        for (name, tensor) in parameters.by_ref().take(layer.n_parameters()) {
            own.push((name.as_str(), tensor.shape().to_vec(), tensor.to_vec()?));
        }
        builder.layer(layer, input, output, own)?;
    }
    if let Some(last) = builder.graph.node.last_mut() {
        last.output = vec![OUTPUT.to_owned()];
    }
    let mut graph = builder.graph;
    graph.name = Some(architecture.name().to_owned());
    graph.input = vec![value(INPUT, &[3, size, size])];
    graph.output = vec![value(OUTPUT, &[architecture.classes()])];
    let mut metadata = vec![entry("network", architecture.to_string())];
    let about = network.about().into_iter();
    metadata.extend(about.map(|(key, json)| entry(key, json)));
    let own = network.preparation().map(|own| Pixels {
        mean: own.mean,
        deviation: own.std,
    });
    if let Some(pixels) = pixels.copied().or(own) {
        metadata.push(entry("mean", format!("{:?}", pixels.mean)));
        metadata.push(entry("deviation", format!("{:?}", pixels.deviation)));
    }
    let model = Model {
        ir_version: Some(IR_VERSION),
        producer_name: Some("alexnet".to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        doc_string: Some(format!(
            "{architecture}: normalised RGB images, channels first, to logits"
        )),
        graph: Some(graph),
        opset_import: vec![OperatorSet {
            domain: Some(String::new()),
            version: Some(OPSET),
        }],
        metadata_props: metadata,
    };
    Ok(model.encode_to_vec())
}

fn entry(key: &str, value: String) -> Entry {
    Entry {
        key: Some(key.to_owned()),
        value: Some(value),
    }
}

/// A float tensor whose first dimension is the batch.
fn value(name: &str, sizes: &[usize]) -> ValueInfo {
    let batch = Dimension {
        dim_param: Some("N".to_owned()),
        dim_value: None,
    };
    let fixed = sizes.iter().map(|&size| Dimension {
        dim_value: Some(int(size)),
        dim_param: None,
    });
    ValueInfo {
        name: Some(name.to_owned()),
        kind: Some(Type {
            tensor_type: Some(TensorType {
                elem_type: Some(proto::ELEMENT_FLOAT),
                shape: Some(TensorShape {
                    dim: std::iter::once(batch).chain(fixed).collect(),
                }),
            }),
        }),
    }
}

/// Sizes of networks are at most 65,536, and products of them that occur far below this.
fn int(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn number(name: &str, value: f32) -> Attribute {
    Attribute {
        name: Some(name.to_owned()),
        f: Some(value),
        kind: Some(proto::ATTRIBUTE_FLOAT),
        ..Attribute::default()
    }
}

fn integer(name: &str, value: usize) -> Attribute {
    Attribute {
        name: Some(name.to_owned()),
        i: Some(int(value)),
        kind: Some(proto::ATTRIBUTE_INT),
        ..Attribute::default()
    }
}

fn integers(name: &str, values: &[usize]) -> Attribute {
    Attribute {
        name: Some(name.to_owned()),
        ints: values.iter().map(|&value| int(value)).collect(),
        kind: Some(proto::ATTRIBUTE_INTS),
        ..Attribute::default()
    }
}

/// A parameter: name, shape, elements.
type Parameter<'a> = (&'a str, Vec<usize>, Vec<f32>);

#[derive(Default)]
struct Builder {
    graph: Graph,
    /// What the last image was before it was flattened, while no dense layer has seen it.
    flattened: Option<[usize; 3]>,
}

impl Builder {
    fn layer(
        &mut self,
        layer: &Layer,
        input: &Shape,
        output: &Shape,
        parameters: Vec<Parameter<'_>>,
    ) -> Result<()> {
        match &layer.kind {
            Kind::Conv2d(conv) => {
                let inputs = self.parameters(parameters, |shape, values| match shape[..] {
                    [_, _, _, _] => filters_first(&values, shape),
                    _ => (values, shape.to_vec()),
                });
                let mut attributes = window(layer.name, conv.window(), input)?;
                attributes.push(integer("group", conv.groups_of_channels()));
                self.node("Conv", layer.name, inputs, attributes);
                self.relu_if(conv.has_relu(), layer.name);
            }
            Kind::Dense(dense) => {
                let image = self.flattened.take();
                let inputs = self.parameters(parameters, |shape, values| match (shape, image) {
                    (&[_, out], Some(image)) => {
                        (rows_channels_first(&values, image, out), shape.to_vec())
                    }
                    _ => (values, shape.to_vec()),
                });
                self.node("Gemm", layer.name, inputs, Vec::new());
                self.relu_if(dense.has_relu(), layer.name);
            }
            Kind::BatchNorm(constants) => {
                let inputs = self.parameters(parameters, |shape, values| (values, shape.to_vec()));
                let attributes = vec![number("epsilon", constants.epsilon)];
                self.node("BatchNormalization", layer.name, inputs, attributes);
            }
            Kind::Lrn(lrn) => self.node("LRN", layer.name, Vec::new(), lrn_attributes(lrn)),
            Kind::Relu => self.node("Relu", layer.name, Vec::new(), Vec::new()),
            Kind::MaxPool(shape) => {
                let attributes = window(layer.name, shape, input)?;
                self.node("MaxPool", layer.name, Vec::new(), attributes);
            }
            Kind::AvgPoolTo(_) => {
                let side = [input[0] / output[0], input[1] / output[1]];
                let attributes = vec![integers("kernel_shape", &side), integers("strides", &side)];
                self.node("AveragePool", layer.name, Vec::new(), attributes);
            }
            Kind::Flatten => {
                self.flattened = <[usize; 3]>::try_from(&**input).ok();
                self.node("Flatten", layer.name, Vec::new(), vec![integer("axis", 1)]);
            }
            Kind::Dropout(_) => {}
        }
        Ok(())
    }

    /// Puts parameters into the file as `convert` gives them; their names.
    fn parameters(
        &mut self,
        parameters: Vec<Parameter<'_>>,
        convert: impl Fn(&[usize], Vec<f32>) -> (Vec<f32>, Vec<usize>),
    ) -> Vec<String> {
        let mut names = Vec::new();
        for (name, shape, values) in parameters {
            let (values, shape) = convert(&shape, values);
            self.graph.initializer.push(Array {
                dims: shape.iter().map(|&size| int(size)).collect(),
                data_type: Some(proto::ELEMENT_FLOAT),
                name: Some(name.to_owned()),
                raw_data: Some(
                    values
                        .iter()
                        .flat_map(|value| value.to_le_bytes())
                        .collect(),
                ),
            });
            names.push(name.to_owned());
        }
        names
    }

    /// Adds an operator on the last one's output. Its own output has its name.
    fn node(&mut self, op: &str, name: &str, parameters: Vec<String>, attribute: Vec<Attribute>) {
        let last = self.graph.node.last().and_then(|node| node.output.first());
        let x = last.map_or_else(|| INPUT.to_owned(), Clone::clone);
        self.graph.node.push(Node {
            input: std::iter::once(x).chain(parameters).collect(),
            output: vec![name.to_owned()],
            name: Some(name.to_owned()),
            op_type: Some(op.to_owned()),
            attribute,
        });
    }

    fn relu_if(&mut self, has_relu: bool, layer: &str) {
        if has_relu {
            self.node("Relu", &format!("{layer}.relu"), Vec::new(), Vec::new());
        }
    }
}

/// The attributes of a convolution's or pool's window; SAME becomes the padding that it means at this size.
fn window(layer: &str, window: &Window, input: &Shape) -> Result<Vec<Attribute>> {
    let image = [input[0], input[1]];
    let placement = window.place("window", image).map_err(tensor::Error::from)?;
    let ([top, left], [bottom, right]) = (placement.before, placement.after);
    if window.is_ceil {
        let found = format!("{layer} with windows that reach beyond the image");
        return Err(Error::format("network", "layers that ONNX has", found));
    }
    Ok(vec![
        integers("kernel_shape", &window.size),
        integers("strides", &window.stride),
        integers("dilations", &window.dilation),
        integers("pads", &[top, left, bottom, right]),
    ])
}

fn lrn_attributes(lrn: &Lrn) -> Vec<Attribute> {
    let size = 2 * lrn.radius + 1;
    let terms = f32::from(u16::try_from(size).unwrap_or(u16::MAX));
    vec![
        integer("size", size),
        number("alpha", lrn.alpha * terms),
        number("beta", lrn.beta),
        number("bias", lrn.bias),
    ]
}
