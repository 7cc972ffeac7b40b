//! ONNX export: the network for inference, from normalised images `input` `[N, 3, size, size]` to `logits`
//! `[N, classes]`, in opset 17, or a later one if a layer's operator came later.
//!
//! Channels come first there: filters are turned, and so are the rows of the first dense layer, which sees the last image
//! flattened. ONNX divides LRN's alpha by the window, this project does not. Dropout is left out. The metadata has
//! `network`, `classes` (a JSON array), `images` (a JSON object, a [`crate::Preparation`]), what most need of it by itself:
//! `resize` (the shorter side), `crop` (`[height, width]`), and `mean` and `std` (JSON arrays), with which pixels in 0 to 1
//! become input.

mod proto;
mod run;

use prost::Message as _;
use tensor::Shape;

use super::Pixels;
use super::layout::{filters_first, permuted, rows_channels_first};
use crate::error::{Error, Result};
use crate::layers::{OnnxLayout, OnnxNode, OnnxValue};
use crate::network::Network;
use proto::{Array, Attribute, Dimension, Entry, Graph, Model, Node, OperatorSet};
use proto::{TensorShape, TensorType, Type, ValueInfo};

pub(super) use run::{Fault, run};

/// The first opset whose operators are as here is older; 17 is what runtimes since 2022 read.
const OPSET: u32 = 17;
/// The file version that belongs to it.
const IR_VERSION: i64 = 8;
/// The file version that belongs to opsets 20 and 21, which runtimes since 2024 read.
const LATER_IR_VERSION: i64 = 9;

const INPUT: &str = "input";
const OUTPUT: &str = "logits";
/// The output after a softmax.
const PROBABILITIES: &str = "probabilities";

/// The file's bytes; with a softmax at its end, if it is to have one.
pub(super) fn bytes(
    network: &Network,
    pixels: Option<&Pixels>,
    has_softmax: bool,
) -> Result<Vec<u8>> {
    let architecture = network.architecture();
    let [height, width, channels] = architecture.input();
    let mut builder = Builder::default();
    let mut parameters = network.parameters().iter();
    for stage in architecture.stages() {
        let (layer, n) = (&stage.layer, stage.parameters.len());
        let nodes = layer.module().onnx(&stage.input, &stage.output);
        let nodes = nodes.map_err(|reason| {
            let found = format!("layer {}: {reason}", layer.name());
            Error::format("network", "layers that ONNX has", found)
        })?;
        let mut own = Vec::new();
        for (name, tensor) in parameters.by_ref().take(n) {
            own.push((name.as_str(), tensor.shape().to_vec(), tensor.to_vec()?));
        }
        let mut own = own.into_iter();
        for (node, idx) in nodes.into_iter().zip(0..) {
            let name = match idx {
                0 => layer.name().to_owned(),
                _ => format!("{}.{}", layer.name(), node.op.to_lowercase()),
            };
            builder.add(node, name, &stage.input, &mut own);
        }
    }
    if let Some(last) = builder.graph.node.last_mut() {
        last.output = vec![OUTPUT.to_owned()];
    }
    let output = if has_softmax {
        builder.graph.node.push(softmax());
        PROBABILITIES
    } else {
        OUTPUT
    };
    let opset = builder.opset.max(OPSET);
    let mut graph = builder.graph;
    graph.name = Some(architecture.name().to_owned());
    graph.input = vec![value(INPUT, &[channels, height, width])];
    graph.output = vec![value(output, &[architecture.classes()])];
    let kind = match channels {
        3 => "RGB ",
        1 => "grey ",
        4 => "RGBA ",
        _ => "",
    };
    let model = Model {
        ir_version: Some(if opset < 20 {
            IR_VERSION
        } else {
            LATER_IR_VERSION
        }),
        producer_name: Some("alexnet".to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        doc_string: Some(format!(
            "{architecture}: normalised {kind}images, channels first, to {output}"
        )),
        graph: Some(graph),
        opset_import: vec![OperatorSet {
            domain: Some(String::new()),
            version: Some(i64::from(opset)),
        }],
        metadata_props: metadata(network, pixels),
    };
    Ok(model.encode_to_vec())
}

/// What a program needs to use the network.
fn metadata(network: &Network, pixels: Option<&Pixels>) -> Vec<Entry> {
    let mut metadata = vec![entry("network", network.architecture().to_string())];
    let about = network.about().into_iter();
    metadata.extend(about.map(|(key, json)| entry(key, json)));
    let preparation = network.preparation();
    if let Some(own) = preparation {
        let crop = own.input_size.sides();
        // Without a resize of its own, the image is brought to the source's size, and all of that to the input's.
        let resize = own.resize.unwrap_or(crop[0].min(crop[1]));
        metadata.push(entry("resize", resize.to_string()));
        metadata.push(entry("crop", format!("{crop:?}")));
    }
    let own = preparation.map(|own| Pixels {
        mean: own.mean.clone(),
        std: own.std.clone(),
    });
    if let Some(pixels) = pixels.cloned().or(own) {
        metadata.push(entry("mean", format!("{:?}", pixels.mean)));
        metadata.push(entry("std", format!("{:?}", pixels.std)));
    }
    metadata
}

fn softmax() -> Node {
    Node {
        input: vec![OUTPUT.to_owned()],
        output: vec![PROBABILITIES.to_owned()],
        name: Some("softmax".to_owned()),
        op_type: Some("Softmax".to_owned()),
        attribute: vec![attribute("axis", OnnxValue::Int(1))],
    }
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

fn attribute(name: &str, value: OnnxValue) -> Attribute {
    let mut attribute = Attribute {
        name: Some(name.to_owned()),
        ..Attribute::default()
    };
    attribute.kind = Some(match value {
        OnnxValue::Float(value) => {
            attribute.f = Some(value);
            proto::ATTRIBUTE_FLOAT
        }
        OnnxValue::Int(value) => {
            attribute.i = Some(int(value));
            proto::ATTRIBUTE_INT
        }
        OnnxValue::Ints(values) => {
            attribute.ints = values.into_iter().map(int).collect();
            proto::ATTRIBUTE_INTS
        }
    });
    attribute
}

/// A parameter: name, shape, elements.
type Parameter<'a> = (&'a str, Vec<usize>, Vec<f32>);

#[derive(Default)]
struct Builder {
    graph: Graph,
    /// What the last image was before it was flattened, while no dense layer has seen it.
    flattened: Option<[usize; 3]>,
    /// The latest operator set that an operator needs.
    opset: u32,
}

impl Builder {
    /// Adds an operator on the last one's output, with its share of the layer's parameters. Its own output has its name.
    fn add<'a>(
        &mut self,
        node: OnnxNode,
        name: String,
        input: &Shape,
        parameters: &mut impl Iterator<Item = Parameter<'a>>,
    ) {
        let last = self.graph.node.last();
        let is_of_one_pixel =
            last.is_some_and(|node| node.op_type.as_deref() == Some("GlobalAveragePool"));
        let last = last.and_then(|node| node.output.first());
        let mut inputs = vec![last.map_or_else(|| INPUT.to_owned(), Clone::clone)];
        for (layout, (name, shape, values)) in node.parameters.iter().zip(parameters) {
            let (values, shape) = self.laid_out(*layout, values, shape);
            self.initializer(name, &shape, &values);
            inputs.push(name.to_owned());
        }
        for (idx, constant) in node.constants.iter().enumerate() {
            let input = format!("{name}.constant{idx}");
            self.initializer(&input, &[], &[*constant]);
            inputs.push(input);
        }
        if node.parameters.contains(&OnnxLayout::Rows) {
            self.flattened = None;
        }
        if node.op == "Flatten" && !is_of_one_pixel {
            self.flattened = <[usize; 3]>::try_from(&**input).ok();
        }
        self.opset = self.opset.max(node.opset);
        self.graph.node.push(Node {
            input: inputs,
            output: vec![name.clone()],
            name: Some(name),
            op_type: Some(node.op.to_owned()),
            attribute: node
                .attributes
                .into_iter()
                .map(|(name, value)| attribute(name, value))
                .collect(),
        });
    }

    /// A parameter's elements and shape as ONNX has them.
    fn laid_out(
        &self,
        layout: OnnxLayout,
        values: Vec<f32>,
        shape: Vec<usize>,
    ) -> (Vec<f32>, Vec<usize>) {
        match (layout, &shape[..], self.flattened) {
            (OnnxLayout::Filters, [_, _, _, _], _) => filters_first(&values, &shape),
            (OnnxLayout::Rows, &[_, out], Some(image)) => {
                (rows_channels_first(&values, image, out), shape)
            }
            (OnnxLayout::Features, [_], Some(image)) => {
                (permuted(&values, &image, &[2, 0, 1]), shape)
            }
            _ => (values, shape),
        }
    }

    fn initializer(&mut self, name: &str, shape: &[usize], values: &[f32]) {
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
    }
}
