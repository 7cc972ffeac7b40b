//! Networks of one's own: of this program's layers, and of a layer of another crate.

use model::layers::{
    AvgPool, AvgPoolTo, BatchNorm, Conv2d, Dense, Flatten, Gelu, GlobalAvgPool, LeakyRelu, MaxPool,
    Module, Scale, Sigmoid, Tanh,
};
use model::{Architecture, Context, Format, Layer, Mode, Network, Parameter};
use tensor::ops::conv2d::{Conv2dOptions, Padding};
use tensor::ops::cross_entropy::CrossEntropy;
use tensor::update::{StepBuffer, StepScalars};
use tensor::{Activation, Device, Shape, Tensor};

#[path = "../../examples/06_inference_only.rs"]
#[expect(dead_code, reason = "its main")]
mod inference;

/// `y = max(x + conv(conv(x)), 0)` (He et al. 2016, figure 2), as somebody else would write it.
#[derive(Debug)]
struct Residual {
    first: Conv2d,
    second: Conv2d,
}

impl Residual {
    fn new(channels: usize) -> Self {
        Self {
            first: Conv2d::new(channels, 3).same().relu(),
            second: Conv2d::new(channels, 3).same(),
        }
    }
}

impl Module for Residual {
    fn kind(&self) -> &'static str {
        "residual"
    }

    fn output(&self, input: &Shape) -> Result<Shape, String> {
        self.second.output(&self.first.output(input)?)
    }

    fn parameters(&self, input: &Shape) -> Vec<Parameter> {
        let of = |part: &str, conv: &Conv2d| {
            let parameters = conv.parameters(input).into_iter();
            parameters.map(|own| own.within(part)).collect::<Vec<_>>()
        };
        [of("first", &self.first), of("second", &self.second)].concat()
    }

    fn forward(&self, x: &Tensor, context: &Context<'_>) -> tensor::Result<Tensor> {
        let inner = self.first.forward(x, &context.part(0, 2))?;
        let inner = self.second.forward(&inner, &context.part(2, 2))?;
        x.add(&inner)?.relu()
    }
}

/// Images of 8x8 and one channel, through a convolution, `block` and a dense layer.
fn network(block: Layer) -> Network {
    let layers = vec![
        Conv2d::new(4, 3).same().relu().named("conv1"),
        block,
        AvgPoolTo::global().into(),
        Flatten::new().into(),
        Dense::new(3).named("logits"),
    ];
    let architecture = Architecture::from_layers("mine", [8, 8, 1], layers).unwrap();
    Network::new(architecture, 1, &Device::cpu()).unwrap()
}

fn images(network: &Network) -> Tensor {
    let pixels: Vec<f32> = (0_u8..128).map(|i| f32::from(i % 11) / 11.0).collect();
    Tensor::from_slice(network.device(), &pixels, [2, 8, 8, 1]).unwrap()
}

#[test]
fn a_layer_of_another_crate_computes_and_trains() {
    let network = network(Residual::new(4).named("block"));
    let names: Vec<_> = network
        .parameters()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let expected = [
        "conv1.weight",
        "conv1.bias",
        "block.first.weight",
        "block.first.bias",
        "block.second.weight",
        "block.second.bias",
        "logits.weight",
        "logits.bias",
    ];
    assert_eq!(names, expected);
    // What the block makes, by hand from what it is given.
    let before = network.activations(&images(&network), 0).unwrap();
    let [w1, b1, w2, b2] = [2, 3, 4, 5].map(|idx| &network.parameters()[idx].1);
    let plain = Conv2dOptions::padded(Padding::Same);
    let with_relu = plain.activation(Activation::Relu);
    let inner = before.conv2d(w1, Some(b1), &with_relu).unwrap();
    let inner = inner.conv2d(w2, Some(b2), &plain).unwrap();
    let by_hand: Vec<f32> = before
        .add(&inner)
        .unwrap()
        .relu()
        .unwrap()
        .to_vec()
        .unwrap();
    let block: Vec<f32> = network
        .activations(&images(&network), 1)
        .unwrap()
        .to_vec()
        .unwrap();
    assert_eq!(block, by_hand);
    // Every parameter has a gradient.
    let step = StepBuffer::new(network.device(), &StepScalars::new(1, 1, 0.1)).unwrap();
    let mode = Mode::Train { step: &step };
    let logits = network.forward(&images(&network), mode).unwrap();
    let labels = Tensor::from_slice(network.device(), &[0_u32, 2], [2]).unwrap();
    let loss = logits
        .cross_entropy(&labels, &CrossEntropy::default())
        .unwrap();
    let gradients = loss.backward().unwrap();
    for (name, parameter) in network.parameters() {
        let gradient: Vec<f32> = gradients.get(parameter).unwrap().to_vec().unwrap();
        assert!(gradient.iter().any(|x| *x != 0.0), "{name}");
    }
}

#[test]
fn a_layer_of_another_crate_is_saved_and_no_file_says_what_it_is() {
    let network = network(Residual::new(4).named("block"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.safetensors");
    network.export(Format::Safetensors, None, &path).unwrap();
    let again = self::network(Residual::new(4).named("block"));
    again.parameters()[0].1.write(&[0.0_f32; 36]).unwrap();
    again.load(&path).unwrap();
    assert_eq!(again.to_bytes().unwrap(), network.to_bytes().unwrap());
    let message = Network::open(&path, &Device::cpu())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("mine.safetensors") && message.contains("mine"),
        "{message}"
    );
    let onnx = network.export(Format::Onnx, None, &folder.path().join("mine.onnx"));
    let message = onnx.unwrap_err().to_string();
    assert!(
        message.contains("block") && message.contains("ONNX"),
        "{message}"
    );
    let row = &network.architecture().summary().rows()[1].clone();
    assert_eq!((row.kind, row.parameters), ("residual", 2 * (9 * 16 + 4)));
}

#[test]
fn a_network_of_ones_own_is_opened_from_its_file() {
    let network = network(MaxPool::new(2, 2).named("pool1"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.safetensors");
    network.export(Format::Safetensors, None, &path).unwrap();
    assert_eq!(
        &Architecture::in_file(&path).unwrap(),
        network.architecture()
    );
    let again = Network::open(&path, &Device::cpu()).unwrap();
    assert_eq!(again.to_bytes().unwrap(), network.to_bytes().unwrap());
    // Another network with the same parameters is not taken for it.
    let other = self::network(MaxPool::new(2, 2).pad(1).named("pool1"));
    let message = other.load(&path).unwrap_err().to_string();
    assert!(message.contains("layers"), "{message}");
}

/// Each in a network of one colour channel and an image that is not square.
fn activations_and_averages() -> Architecture {
    let layers = vec![
        Conv2d::new(4, 3).same().into(),
        Gelu::new().into(),
        AvgPool::new(3, 2).same().into(),
        LeakyRelu::new(0.1).into(),
        AvgPool::new(3, 1).pad(1).counts_padding().into(),
        Sigmoid::new().into(),
        AvgPool::new(2, 1).into(),
        Tanh::new().into(),
        GlobalAvgPool::new().into(),
        Dense::new(3).named("logits"),
    ];
    Architecture::from_layers("averages", [8, 6, 1], layers).unwrap()
}

#[test]
fn activations_and_averages_compute_what_their_operators_do() {
    let network = Network::new(activations_and_averages(), 1, &Device::cpu()).unwrap();
    let pixels: Vec<f32> = (0_u8..96).map(|i| f32::from(i % 11) / 5.0 - 1.0).collect();
    let images = Tensor::from_slice(network.device(), &pixels, [2, 8, 6, 1]).unwrap();
    let layer = |idx| network.activations(&images, idx).unwrap();
    let values = |x: &Tensor| x.to_vec::<f32>().unwrap();
    assert_eq!(values(&layer(1)), values(&layer(0).gelu().unwrap()));
    assert_eq!(layer(2).shape()[..], [2, 4, 3, 4], "half the side, SAME");
    assert_eq!(
        values(&layer(3)),
        values(&layer(2).leaky_relu(0.1).unwrap())
    );
    assert_eq!(layer(4).shape()[..], [2, 4, 3, 4], "as padded");
    // In a corner four of nine taps lie inside, and the others count.
    let (before, after) = (values(&layer(3)), values(&layer(4)));
    let corner = [0, 4, 12, 16].map(|at| before[at]).iter().sum::<f32>() / 9.0;
    assert!((after[0] - corner).abs() < 1e-6, "{} {corner}", after[0]);
    assert_eq!(values(&layer(5)), values(&layer(4).sigmoid().unwrap()));
    assert_eq!(layer(6).shape()[..], [2, 3, 2, 4]);
    assert_eq!(values(&layer(7)), values(&layer(6).tanh().unwrap()));
    assert_eq!(layer(8).shape()[..], [2, 4], "a vector");
    let (before, after) = (values(&layer(7)), values(&layer(8)));
    let mean = before.iter().step_by(4).take(6).sum::<f32>() / 6.0;
    assert!((after[0] - mean).abs() < 1e-6, "{} {mean}", after[0]);
    assert_eq!(network.activations(&images, 9).unwrap().shape()[..], [2, 3]);
}

#[test]
fn activations_and_averages_are_saved_and_exported() {
    let network = Network::new(activations_and_averages(), 1, &Device::cpu()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("averages.safetensors");
    network.export(Format::Safetensors, None, &path).unwrap();
    let again = Network::open(&path, &Device::cpu()).unwrap();
    assert_eq!(again.architecture(), network.architecture());
    // What is written is run as ONNX defines it, and compared with the network's own logits.
    let path = folder.path().join("averages.onnx");
    network.export(Format::Onnx, None, &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for op in ["Gelu", "AveragePool", "LeakyRelu", "Sigmoid", "Tanh"] {
        let found = bytes.windows(op.len()).any(|part| part == op.as_bytes());
        assert!(found, "{op} is in the file");
    }
    let steep = vec![
        LeakyRelu::new(2.0).into(),
        GlobalAvgPool::new().into(),
        Dense::new(2).into(),
    ];
    let message = Architecture::from_layers("steep", [8, 6, 1], steep).unwrap_err();
    assert!(message.to_string().contains("slope"), "{message}");
}

/// Layers without a part of what they have otherwise.
fn bare() -> Architecture {
    let layers = vec![
        Conv2d::new(4, 3).same().without_bias().named("conv1"),
        BatchNorm::new().without_scale().named("bn1"),
        Flatten::new().into(),
        Dense::new(3).without_bias().named("logits"),
        Scale::new(0.25).named("scale"),
    ];
    Architecture::from_layers("bare", [6, 5, 1], layers).unwrap()
}

#[test]
fn layers_do_without_a_bias_or_a_learnt_scale() {
    let network = Network::new(bare(), 1, &Device::cpu()).unwrap();
    let parameters = network.parameters().iter();
    let names: Vec<_> = parameters
        .map(|(name, tensor)| (name.as_str(), tensor.requires_grad()))
        .collect();
    let expected = [
        ("conv1.weight", true),
        ("bn1.weight", false),
        ("bn1.bias", true),
        ("bn1.running_mean", false),
        ("bn1.running_var", false),
        ("logits.weight", true),
    ];
    assert_eq!(names, expected);
    let summary = network.architecture().summary();
    assert_eq!(summary.parameters(), 9 * 4 + 4 + 120 * 3);
    let pixels: Vec<f32> = (0_u8..60).map(|i| f32::from(i % 11) / 5.0 - 1.0).collect();
    let images = Tensor::from_slice(network.device(), &pixels, [2, 6, 5, 1]).unwrap();
    let layer = |idx| network.activations(&images, idx).unwrap();
    let values = |x: &Tensor| x.to_vec::<f32>().unwrap();
    let conv = images
        .conv2d(
            &network.parameters()[0].1,
            None,
            &Conv2dOptions::padded(Padding::Same),
        )
        .unwrap();
    assert_eq!(values(&layer(0)), values(&conv));
    let product = layer(2).matmul(&network.parameters()[5].1).unwrap();
    assert_eq!(values(&layer(3)), values(&product));
    let quarter: Vec<f32> = values(&product).iter().map(|x| 0.25 * x).collect();
    assert_eq!(values(&layer(4)), quarter);
    // In a step of training all that is trained has a gradient, and the rest none.
    let step = StepBuffer::new(network.device(), &StepScalars::new(1, 1, 0.1)).unwrap();
    let logits = network
        .forward(&images, Mode::Train { step: &step })
        .unwrap();
    let labels = Tensor::from_slice(network.device(), &[0_u32, 2], [2]).unwrap();
    let loss = logits.cross_entropy(&labels, &CrossEntropy::default());
    let gradients = loss.unwrap().backward().unwrap();
    for (name, parameter) in network.parameters() {
        let gradient = gradients.get(parameter);
        assert_eq!(gradient.is_some(), parameter.requires_grad(), "{name}");
    }
}

#[test]
fn layers_without_a_part_are_saved_and_exported() {
    let network = Network::new(bare(), 1, &Device::cpu()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bare.safetensors");
    network.export(Format::Safetensors, None, &path).unwrap();
    let again = Network::open(&path, &Device::cpu()).unwrap();
    assert_eq!(again.architecture(), network.architecture());
    assert_eq!(again.to_bytes().unwrap(), network.to_bytes().unwrap());
    // Files of before name no such part: all layers have them.
    let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
    for part in ["biased", "scaled", "factor"] {
        assert!(text.contains(part), "{part}");
    }
    for (format, end) in [(Format::Onnx, "onnx"), (Format::Keras, "weights.h5")] {
        let path = folder.path().join(format!("bare.{end}"));
        network.export(format, None, &path).unwrap();
    }
    for (layers, part) in [
        (vec![Scale::new(0.0).into()], "factor of 0"),
        (vec![Scale::new(f32::NAN).into()], "factor of NaN"),
    ] {
        let message = Architecture::from_layers("flat", [3, 3, 1], layers).unwrap_err();
        assert!(message.to_string().contains(part), "{message}");
    }
}

#[test]
fn the_quick_network_begins_as_a_partial_identity() {
    let architecture = Architecture::new("alexnet-quick", None, None).unwrap();
    let summary = architecture.summary();
    assert_eq!(summary.parameters(), 1_971_640);
    let network = Network::new(architecture, 1, &Device::cpu()).unwrap();
    let pixels: Vec<f32> = (0_u16..3072)
        .map(|i| f32::from(i % 13) / 6.0 - 1.0)
        .collect();
    let images = Tensor::from_slice(network.device(), &pixels, [1, 32, 32, 3]).unwrap();
    let place = |name: &str| {
        let mut names = network.architecture().layers();
        names.position(|layer| layer.name() == name).unwrap()
    };
    for (before, conv) in [("gelu1", "conv2"), ("gelu2", "conv3"), ("gelu3", "conv4")] {
        let [x, y] = [before, conv].map(|name| network.activations(&images, place(name)).unwrap());
        let (_, inputs) = x.shape().rows_and_columns();
        let (_, outputs) = y.shape().rows_and_columns();
        let [x, y] = [x, y].map(|x| x.to_vec::<f32>().unwrap());
        for (x, y) in x.chunks(inputs).zip(y.chunks(outputs)) {
            for (x, y) in x.iter().zip(y) {
                assert!((x - y).abs() <= 1e-6 * x.abs(), "{conv}: {x} became {y}");
            }
        }
    }
}

#[test]
fn the_example_of_inference_names_every_class() {
    let layers = vec![Flatten::new().into(), Dense::new(2).named("logits")];
    let architecture = Architecture::from_layers("mine", [2, 2, 3], layers).unwrap();
    let network = Network::new(architecture, 1, &Device::cpu()).unwrap();
    // The logit of the second class is the first byte over 255, less a half, times four.
    let mut weight = [0.0_f32; 24];
    weight[1] = 1.0;
    network.parameters()[0].1.write(&weight).unwrap();
    let names = ["dark", "bright"].map(str::to_owned);
    let network = network.with_class_names(&names).unwrap();
    let mut rgb = [0_u8; 12];
    rgb[0] = 255;
    let answer = inference::classify(&network, &rgb).unwrap();
    assert_eq!(answer[0].0, "bright");
    // 1 / (1 + exp(-2)).
    assert!((answer[0].1 - 0.880_797).abs() < 1e-5, "{answer:?}");
}
