//! The networks, each on one screen. Sizes in comments are those of the network's own input.

mod quick;

use crate::init::Init;
use crate::layers::{
    AvgPool, AvgPoolTo, BatchNorm, Conv2d, Dense, Dropout, Flatten, Layer, Lrn, MaxPool,
    Module as _, Relu, Sigmoid,
};

/// A network's name, what it is, what it is for by default, and its layers for a number of classes.
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) input_size: usize,
    pub(crate) classes: usize,
    pub(crate) layers: fn(usize) -> Vec<Layer>,
}

/// All networks.
pub(crate) const NETWORKS: &[Definition] = &[
    Definition {
        name: "alexnet-small",
        about: "for 32x32: 7x7 stride 2, LRN, overlapping pools, two hidden layers of 512",
        input_size: 32,
        classes: 10,
        layers: alexnet_small,
    },
    Definition {
        name: "alexnet",
        about: "Krizhevsky 2012: two towers as groups of 2, LRN, overlapping pools",
        input_size: 227,
        classes: 1000,
        layers: |classes| alexnet(classes, 2),
    },
    Definition {
        name: "alexnet-ungrouped",
        about: "the same in one tower, without groups: what other frameworks are compared on",
        input_size: 227,
        classes: 10,
        layers: |classes| alexnet(classes, 1),
    },
    Definition {
        name: "alexnet-torchvision",
        about: "Krizhevsky 2014, as torchvision has it: one tower of 64, 192, 384, 256, 256, no LRN",
        input_size: 224,
        classes: 1000,
        layers: alexnet_torchvision,
    },
    Definition {
        name: "alexnet-keras",
        about: "the paper's widths without groups, LRN after four layers with TensorFlow's defaults",
        input_size: 227,
        classes: 10,
        layers: alexnet_keras,
    },
    Definition {
        name: "alexnet-bn1",
        about: "the paper's widths without groups, batch norm after the first layer, no LRN",
        input_size: 227,
        classes: 100,
        layers: alexnet_bn1,
    },
    Definition {
        name: "alexnet-bn",
        about: "the paper's widths without groups, batch norm after every convolution, no LRN",
        input_size: 227,
        classes: 5,
        layers: alexnet_bn,
    },
    Definition {
        name: "alexnet-flowers",
        about: "the Keras port for flower photos: the paper's widths, batch norm behind each ReLU of a convolution",
        input_size: 227,
        classes: 5,
        layers: alexnet_flowers,
    },
    Definition {
        name: "lenet",
        about: "LeCun 1998, as AlexNet is often compared with: two convolutions, average pools, sigmoids",
        input_size: 28,
        classes: 10,
        layers: lenet,
    },
    Definition {
        name: "alexnet-cifar",
        about: "for 32x32: five 3x3 convolutions with batch norm, overlapping pools, one hidden layer",
        input_size: 32,
        classes: 10,
        layers: alexnet_cifar,
    },
    Definition {
        name: "alexnet-quick",
        about: "for 32x32: whitening 2x2 filters, then six 3x3 convolutions with batch norm and GELU, scaled logits",
        input_size: 32,
        classes: 10,
        layers: quick::alexnet_quick,
    },
];

/// 2,887,306 parameters at ten classes.
fn alexnet_small(classes: usize) -> Vec<Layer> {
    let (he, one) = (Init::HeNormal, Init::Constant(1.0));
    let conv = |filters, window| Conv2d::new(filters, window).same().relu().init(he, one);
    let dense = |units| Dense::new(units).init(he, one);
    vec![
        conv(48, 7).stride(2).named("conv1"), // 16x16x48
        Lrn::PAPER.named("lrn1"),
        MaxPool::new(3, 2).same().named("pool1"), // 8x8x48
        conv(128, 5).named("conv2"),
        Lrn::PAPER.named("lrn2"),
        MaxPool::new(3, 2).same().named("pool2"), // 4x4x128
        conv(192, 3).named("conv3"),
        conv(192, 3).named("conv4"),
        conv(192, 3).named("conv5"),
        Flatten::new().named("flatten"), // 3072
        dense(512).relu().named("fc6"),
        Dropout::new(0.5).named("drop6"),
        dense(512).relu().named("fc7"),
        Dropout::new(0.5).named("drop7"),
        dense(classes).named("fc8"),
    ]
}

/// Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional neural networks. 2012, sections 3.5
/// and 5, with as many groups as it has towers. 60,965,224 parameters with two and 1000 classes, 58,322,314 with one and ten.
fn alexnet(classes: usize, groups: usize) -> Vec<Layer> {
    let normal = Init::Normal(0.01);
    let [zero, one] = [0.0, 1.0].map(Init::Constant);
    vec![
        Conv2d::new(96, 11)
            .stride(4)
            .relu()
            .init(normal, zero)
            .named("conv1"), // 55x55x96
        Lrn::PAPER.named("lrn1"),
        MaxPool::new(3, 2).named("pool1"), // 27x27x96
        Conv2d::new(256, 5)
            .pad(2)
            .groups(groups)
            .relu()
            .init(normal, one)
            .named("conv2"),
        Lrn::PAPER.named("lrn2"),
        MaxPool::new(3, 2).named("pool2"), // 13x13x256
        Conv2d::new(384, 3)
            .pad(1)
            .relu()
            .init(normal, zero)
            .named("conv3"),
        Conv2d::new(384, 3)
            .pad(1)
            .groups(groups)
            .relu()
            .init(normal, one)
            .named("conv4"),
        Conv2d::new(256, 3)
            .pad(1)
            .groups(groups)
            .relu()
            .init(normal, one)
            .named("conv5"),
        MaxPool::new(3, 2).named("pool5"), // 6x6x256
        Flatten::new().named("flatten"),   // 9216
        Dense::new(4096).relu().init(normal, one).named("fc6"),
        Dropout::new(0.5).named("drop6"),
        Dense::new(4096).relu().init(normal, one).named("fc7"),
        Dropout::new(0.5).named("drop7"),
        Dense::new(classes).init(normal, zero).named("fc8"),
    ]
}

/// Krizhevsky: One weird trick for parallelizing convolutional neural networks. 2014; sizes and initial weights are those
/// of torchvision's `alexnet`. 61,100,840 parameters at 1000 classes.
fn alexnet_torchvision(classes: usize) -> Vec<Layer> {
    let init = Init::FanInUniform;
    let conv = |filters, window| Conv2d::new(filters, window).relu().init(init, init);
    let mut layers = vec![
        conv(64, 11).stride(4).pad(2).named("conv1"), // 55x55x64
        MaxPool::new(3, 2).named("pool1"),            // 27x27x64
        conv(192, 5).pad(2).named("conv2"),
        MaxPool::new(3, 2).named("pool2"), // 13x13x192
        conv(384, 3).pad(1).named("conv3"),
        conv(256, 3).pad(1).named("conv4"),
        conv(256, 3).pad(1).named("conv5"),
        MaxPool::new(3, 2).named("pool5"), // 6x6x256
        AvgPoolTo::new(6).named("avgpool"),
    ];
    layers.extend(port_head(classes));
    layers
}

/// The Keras walk-through of AlexNet on CIFAR-10, resized to 227. 58,322,826 parameters at ten classes.
fn alexnet_keras(classes: usize) -> Vec<Layer> {
    let (glorot, zero) = (Init::GlorotUniform, Init::Constant(0.0));
    let conv = |filters, window| Conv2d::new(filters, window).relu().init(glorot, zero);
    let dense = |units| Dense::new(units).init(glorot, zero);
    // TensorFlow's defaults, with a window of eleven channels.
    let lrn = Lrn {
        radius: 5,
        bias: 1.0,
        alpha: 1.0,
        beta: 0.5,
    };
    vec![
        conv(96, 11).stride(4).named("conv1"), // 55x55x96
        lrn.named("lrn1"),
        MaxPool::new(3, 2).named("pool1"), // 27x27x96
        conv(256, 5).same().named("conv2"),
        lrn.named("lrn2"),
        MaxPool::new(3, 2).named("pool2"), // 13x13x256
        conv(384, 3).same().named("conv3"),
        lrn.named("lrn3"),
        conv(384, 3).same().named("conv4"),
        lrn.named("lrn4"),
        conv(256, 3).same().named("conv5"),
        BatchNorm::keras().named("bn5"),
        MaxPool::new(3, 2).named("pool5"), // 6x6x256
        Flatten::new().named("flatten"),   // 9216
        dense(4096).relu().named("fc6"),
        Dropout::new(0.5).named("drop6"),
        dense(4096).relu().named("fc7"),
        Dropout::new(0.5).named("drop7"),
        dense(classes).named("fc8"),
    ]
}

/// PyTorch's usual port of the paper's widths, with batch norm after conv1 and dropout after the hidden layers. 58,691,236 parameters at 100 classes.
fn alexnet_bn1(classes: usize) -> Vec<Layer> {
    let conv =
        |filters, window| Conv2d::new(filters, window).init(Init::FanInUniform, Init::FanInUniform);
    let mut layers = vec![
        conv(96, 11).stride(4).named("conv1"), // 55x55x96
        BatchNorm::new().named("bn1"),
        Relu::new().named("relu1"),
        MaxPool::new(3, 2).named("pool1"), // 27x27x96
        conv(256, 5).pad(2).relu().named("conv2"),
        MaxPool::new(3, 2).named("pool2"), // 13x13x256
        conv(384, 3).pad(1).relu().named("conv3"),
        conv(384, 3).pad(1).relu().named("conv4"),
        conv(256, 3).pad(1).relu().named("conv5"),
        MaxPool::new(3, 2).named("pool5"), // 6x6x256
    ];
    layers.extend(dense_head(classes, Init::FanInUniform, Init::FanInUniform));
    layers
}

/// The Keras walk-through of AlexNet on flower photos: batch norm behind the ReLU, with Keras' constants and initial weights.
/// 58,304,581 parameters at five classes, and 2,752 running statistics.
fn alexnet_flowers(classes: usize) -> Vec<Layer> {
    let (glorot, zero) = (Init::GlorotUniform, Init::Constant(0.0));
    let conv = |filters, window| Conv2d::new(filters, window).relu().init(glorot, zero);
    let norm = |name: &str| BatchNorm::keras().named(name);
    let mut layers = vec![
        conv(96, 11).stride(4).named("conv1"), // 55x55x96
        norm("bn1"),
        MaxPool::new(3, 2).named("pool1"), // 27x27x96
        conv(256, 5).same().named("conv2"),
        norm("bn2"),
        MaxPool::new(3, 2).named("pool2"), // 13x13x256
        conv(384, 3).same().named("conv3"),
        norm("bn3"),
        conv(384, 3).same().named("conv4"),
        norm("bn4"),
        conv(256, 3).same().named("conv5"),
        norm("bn5"),
        MaxPool::new(3, 2).named("pool5"), // 6x6x256
    ];
    layers.extend(dense_head(classes, glorot, zero));
    layers
}

/// The dense layers of ports that follow the paper in this: dropout after each hidden one (section 4.2).
fn dense_head(classes: usize, weight: Init, bias: Init) -> Vec<Layer> {
    let dense = |units| Dense::new(units).init(weight, bias);
    vec![
        Flatten::new().named("flatten"), // 9216
        dense(4096).relu().named("fc6"),
        Dropout::new(0.5).named("drop6"),
        dense(4096).relu().named("fc7"),
        Dropout::new(0.5).named("drop7"),
        dense(classes).named("fc8"),
    ]
}

/// `LeCun` et al.: Gradient-based learning applied to document recognition. 1998, in the form that it is compared with AlexNet
/// in: padded by 2 for 28x28, sigmoids (`layers.activation = "tanh"` has the original's kind), plain average pools without
/// weights, a dense layer for the logits. Glorot's weights, as sigmoids learn little from others. 61,706 parameters at one
/// channel and ten classes, 62,006 at three channels.
fn lenet(classes: usize) -> Vec<Layer> {
    let (glorot, zero) = (Init::GlorotUniform, Init::Constant(0.0));
    let act = |name: &str| Sigmoid::new().named(name);
    let dense = |units| Dense::new(units).init(glorot, zero);
    vec![
        Conv2d::new(6, 5).pad(2).init(glorot, zero).named("conv1"), // 28x28x6
        act("act1"),
        AvgPool::new(2, 2).named("pool1"), // 14x14x6
        Conv2d::new(16, 5).init(glorot, zero).named("conv2"), // 10x10x16
        act("act2"),
        AvgPool::new(2, 2).named("pool2"), // 5x5x16
        Flatten::new().named("flatten"),   // 400
        dense(120).named("fc3"),
        act("act3"),
        dense(84).named("fc4"),
        act("act4"),
        dense(classes).named("fc5"),
    ]
}

/// PyTorch's port with batch norm after every convolution. 58,304,581 parameters at five classes.
fn alexnet_bn(classes: usize) -> Vec<Layer> {
    let conv =
        |filters, window| Conv2d::new(filters, window).init(Init::FanInUniform, Init::FanInUniform);
    let norm = |name: &str| BatchNorm::new().named(name);
    let mut layers = vec![
        conv(96, 11).stride(4).named("conv1"), // 55x55x96
        norm("bn1"),
        Relu::new().named("relu1"),
        MaxPool::new(3, 2).named("pool1"), // 27x27x96
        conv(256, 5).pad(2).named("conv2"),
        norm("bn2"),
        Relu::new().named("relu2"),
        MaxPool::new(3, 2).named("pool2"), // 13x13x256
        conv(384, 3).pad(1).named("conv3"),
        norm("bn3"),
        Relu::new().named("relu3"),
        conv(384, 3).pad(1).named("conv4"),
        norm("bn4"),
        Relu::new().named("relu4"),
        conv(256, 3).pad(1).named("conv5"),
        norm("bn5"),
        Relu::new().named("relu5"),
        MaxPool::new(3, 2).named("pool5"), // 6x6x256
    ];
    layers.extend(port_head(classes));
    layers
}

/// The dense layers of torchvision's network and of a PyTorch port: dropout before each hidden one.
fn port_head(classes: usize) -> Vec<Layer> {
    let dense = |units| Dense::new(units).init(Init::FanInUniform, Init::FanInUniform);
    vec![
        Flatten::new().named("flatten"), // 9216
        Dropout::new(0.5).named("drop6"),
        dense(4096).relu().named("fc6"),
        Dropout::new(0.5).named("drop7"),
        dense(4096).relu().named("fc7"),
        dense(classes).named("fc8"),
    ]
}

/// This project's own for 32x32: AlexNet's five convolutions and overlapping pools, with 3x3 windows throughout, batch
/// norm in place of LRN, after the one hidden dense layer too. There, it let the network learn several times faster than
/// dropout before that layer did. 3,656,714 parameters at ten classes.
fn alexnet_cifar(classes: usize) -> Vec<Layer> {
    let conv = |filters| Conv2d::new(filters, 3).same();
    let norm = |name: &str| BatchNorm::new().named(name);
    vec![
        conv(64).named("conv1"), // 32x32x64
        norm("bn1"),
        Relu::new().named("relu1"),
        MaxPool::new(3, 2).same().named("pool1"), // 16x16x64
        conv(128).named("conv2"),
        norm("bn2"),
        Relu::new().named("relu2"),
        MaxPool::new(3, 2).same().named("pool2"), // 8x8x128
        conv(256).named("conv3"),
        norm("bn3"),
        Relu::new().named("relu3"),
        conv(256).named("conv4"),
        norm("bn4"),
        Relu::new().named("relu4"),
        conv(256).named("conv5"),
        norm("bn5"),
        Relu::new().named("relu5"),
        MaxPool::new(3, 2).same().named("pool5"), // 4x4x256
        Flatten::new().named("flatten"),          // 4096
        Dense::new(512).named("fc6"),
        norm("bn6"),
        Relu::new().named("relu6"),
        Dropout::new(0.3).named("drop7"),
        Dense::new(classes).named("fc8"),
    ]
}
