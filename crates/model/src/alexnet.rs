//! The networks, each on one screen. Sizes in comments are those of the network's own input.

use crate::init::Init;
use crate::layers::{Conv2d, Dense, Layer, Lrn, dropout, flatten, max_pool, max_pool_same};

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
        layers: alexnet,
    },
];

/// The paper's constants, section 3.3: k = 2, n = 5, alpha = 1e-4, beta = .75.
const LRN: Lrn = Lrn {
    radius: 2,
    bias: 2.0,
    alpha: 1e-4,
    beta: 0.75,
};

/// 2,887,306 parameters at ten classes.
fn alexnet_small(classes: usize) -> Vec<Layer> {
    let (he, one) = (Init::HeNormal, Init::Constant(1.0));
    let conv = |filters, window| Conv2d::new(filters, window).same().relu().init(he, one);
    let dense = |units| Dense::new(units).init(he, one);
    vec![
        conv(48, 7).stride(2).named("conv1"), // 16x16x48
        LRN.named("lrn1"),
        max_pool_same("pool1", 3, 2), // 8x8x48
        conv(128, 5).named("conv2"),
        LRN.named("lrn2"),
        max_pool_same("pool2", 3, 2), // 4x4x128
        conv(192, 3).named("conv3"),
        conv(192, 3).named("conv4"),
        conv(192, 3).named("conv5"),
        flatten("flatten"), // 3072
        dense(512).relu().named("fc6"),
        dropout("drop6", 0.5),
        dense(512).relu().named("fc7"),
        dropout("drop7", 0.5),
        dense(classes).named("fc8"),
    ]
}

/// Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional neural networks. 2012, sections 3.5
/// and 5. 60,965,224 parameters at 1000 classes.
fn alexnet(classes: usize) -> Vec<Layer> {
    let normal = Init::Normal(0.01);
    let [zero, one] = [0.0, 1.0].map(Init::Constant);
    vec![
        Conv2d::new(96, 11)
            .stride(4)
            .relu()
            .init(normal, zero)
            .named("conv1"), // 55x55x96
        LRN.named("lrn1"),
        max_pool("pool1", 3, 2), // 27x27x96
        Conv2d::new(256, 5)
            .pad(2)
            .groups(2)
            .relu()
            .init(normal, one)
            .named("conv2"),
        LRN.named("lrn2"),
        max_pool("pool2", 3, 2), // 13x13x256
        Conv2d::new(384, 3)
            .pad(1)
            .relu()
            .init(normal, zero)
            .named("conv3"),
        Conv2d::new(384, 3)
            .pad(1)
            .groups(2)
            .relu()
            .init(normal, one)
            .named("conv4"),
        Conv2d::new(256, 3)
            .pad(1)
            .groups(2)
            .relu()
            .init(normal, one)
            .named("conv5"),
        max_pool("pool5", 3, 2), // 6x6x256
        flatten("flatten"),      // 9216
        Dense::new(4096).relu().init(normal, one).named("fc6"),
        dropout("drop6", 0.5),
        Dense::new(4096).relu().init(normal, one).named("fc7"),
        dropout("drop7", 0.5),
        Dense::new(classes).init(normal, zero).named("fc8"),
    ]
}
