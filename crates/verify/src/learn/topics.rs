//! The topics: words, equations, and what each is made of.

use super::{Topic, ablation, pictures};

/// The text of an operator's cases and reference.
macro_rules! cases {
    ($stem:literal) => {
        include_str!(concat!("../operators/", $stem, ".rs"))
    };
}

const REFERENCE: &str = "fn reference(";

pub(super) const TOPICS: &[Topic] = &[
    Topic {
        name: "conv2d",
        title: "Convolution",
        about: "A filter is laid over every place of the image; each number of the result says how much of the filter's pattern is \
                there. The same few weights are used at all places.",
        equation: "y[oy, ox, o] = b[o] + \u{3a3} x[oy\u{b7}s \u{2212} p + ky, ox\u{b7}s \u{2212} p + kx, i] \u{b7} w[ky, kx, i, o]\n\
                   \u{3a3} over ky, kx (the filter's rows and columns) and i (channels of its group)\n\
                   s: stride, p: padding, o: filter",
        section: "section 3.5",
        shown: "Filters made by hand, 3 by 3 pixels each. Training finds its own; first layers mostly find edges and colours.",
        without: "\"Removing any of the middle layers results in a loss of about 2 %\" of top-1 accuracy (section 7), though each \
                  convolution has no more than 1 % of the weights.",
        reference: &[
            (cases!("conv2d"), "pub(super) fn pixel("),
            (cases!("conv2d"), "fn output_pixel("),
            (cases!("conv2d"), REFERENCE),
        ],
        draw: pictures::conv2d,
        ablation: Some(ablation::CONVOLUTION),
    },
    Topic {
        name: "relu",
        title: "Rectified linear unit (ReLU)",
        about: "What is below zero becomes zero. Without something that bends between them, two layers in a row are no more than one.",
        equation: "y = max(x, 0)\ndx = dy where y > 0, else 0",
        section: "section 3.1",
        shown: "A filter's answer, and what is left of it: one side of each edge.",
        without: "Networks with tanh in its place learn \"several times\" more slowly: six times on CIFAR-10, to a training error of \
                  25 % (figure 1). The ablation here is that comparison in small.",
        reference: &[(cases!("relu"), REFERENCE)],
        draw: pictures::relu,
        ablation: Some(ablation::RELU),
    },
    Topic {
        name: "lrn",
        title: "Local response normalisation (LRN)",
        about: "At each place, a channel that answers strongly damps its neighbours among the channels, and itself.",
        equation: "y[i] = x[i] / (k + \u{3b1} \u{3a3} x[j]\u{b2})^\u{3b2}\n\
                   \u{3a3} over the channels j from i \u{2212} 2 to i + 2\n\
                   k = 2, \u{3b1} = 10\u{207b}\u{2074}, \u{3b2} = 0.75",
        section: "section 3.3",
        shown: "Eight filters for edges are the channels. Strong edges come down, so that weak ones show: the largest number falls \
                further than the others.",
        without: "The paper's errors are 1.4 % (top-1) and 1.2 % (top-5) higher; on CIFAR-10 13 % in place of 11 %. Later networks \
                  dropped it, for batch normalisation or nothing, so small differences in a short run are no surprise.",
        reference: &[(cases!("lrn"), REFERENCE)],
        draw: pictures::lrn,
        ablation: Some(ablation::LRN),
    },
    Topic {
        name: "max_pool",
        title: "Overlapping max-pooling",
        about: "Of each window only the largest number goes on, so that the image gets smaller and a pattern may move a little. \
                Windows of 3 every 2 pixels overlap.",
        equation: "y[oy, ox, c] = max x[2\u{b7}oy + ky, 2\u{b7}ox + kx, c]\nmax over ky and kx from 0 to 2",
        section: "section 3.4",
        shown: "Light pixels win: dark lines get thin, light ones wide.",
        without: "Windows that do not overlap (2 every 2) cost .4 % of top-1 and .3 % of top-5 accuracy. The ablation here takes the \
                  mean in place of the largest.",
        reference: &[
            (include_str!("../operators/pool.rs"), "pub(crate) fn taps("),
            (cases!("max_pool"), REFERENCE),
        ],
        draw: pictures::max_pool,
        ablation: Some(ablation::MAX_POOL),
    },
    Topic {
        name: "gemm",
        title: "Dense layer (a matrix product)",
        about: "Every number of the result is a sum of all inputs, each with a weight of its own. AlexNet's three dense layers hold 96 % \
                of its weights.",
        equation: "y[n, j] = b[j] + \u{3a3} x[n, i] \u{b7} W[i, j]\n\u{3a3} over the inputs i; n: image of the batch, j: unit",
        section: "section 3.5",
        shown: "Each row of pixels is taken for an image of a batch, so that one product moves them all.",
        without: "The paper does not try. Later networks do without the hidden ones: the mean of each last map goes to one dense layer.",
        reference: &[(cases!("gemm"), REFERENCE)],
        draw: pictures::gemm,
        ablation: Some(ablation::DENSE),
    },
    Topic {
        name: "dropout",
        title: "Dropout",
        about: "In training, half of the units are silent, others in every step, so that none can rely on another. In evaluation all \
                speak. Here those that speak are scaled up in training; the paper halves all outputs in evaluation instead.",
        equation: "y[i] = 0 with probability p, else x[i] / (1 \u{2212} p)\np = 0.5",
        section: "section 4.2",
        shown: "Pixels in place of units. The random numbers are Philox's: the same seed and step give the same picture on every device.",
        without: "\"Without dropout, our network exhibits substantial overfitting\"; with it, training takes about twice as many steps. \
                  A run of a few epochs shows the second before the first: it may well be better without.",
        reference: &[(cases!("dropout"), REFERENCE)],
        draw: pictures::dropout,
        ablation: Some(ablation::DROPOUT),
    },
    Topic {
        name: "softmax",
        title: "Softmax",
        about: "The last layer's numbers, the logits, become probabilities: none is below 0, and they add up to 1.",
        equation: "p[c] = exp(x[c] \u{2212} m) / \u{3a3} exp(x[j] \u{2212} m)\n\
                   \u{3a3} over the classes j; m: the largest x, so that nothing overflows",
        section: "section 3.5",
        shown: "Red, green and blue of each pixel are taken for the logits of three classes. The larger logits are, the surer the answer.",
        without: "There is no training without it: the loss (`alexnet learn cross_entropy`) is the logarithm of its probabilities. The \
                  class that is named is the same without, as the largest logit has the largest probability.",
        reference: &[(cases!("softmax"), REFERENCE)],
        draw: pictures::softmax,
        ablation: None,
    },
    Topic {
        name: "cross_entropy",
        title: "Cross-entropy, the loss",
        about: "How far the probabilities are from the truth: minus the logarithm of the one that the right class got. 0 is perfect; \
                a guess among ten classes costs 2.3.",
        equation: "loss = log \u{3a3} exp(x[j]) \u{2212} x[t]\n\u{3a3} over the classes j; t: the right one\ndx[c] = p[c] \u{2212} (1 if c = t, else 0)",
        section: "section 3.5",
        shown: "Each pixel has three logits, its colours, and one right answer for all: where that colour is strongest, the loss is small.",
        without: "Nothing says which way is better, so nothing is learnt.",
        reference: &[
            (cases!("cross_entropy"), "fn row("),
            (cases!("cross_entropy"), REFERENCE),
        ],
        draw: pictures::cross_entropy,
        ablation: None,
    },
    Topic {
        name: "sgd",
        title: "Stochastic gradient descent with momentum",
        about: "Weights move against the slope of the loss, and keep some of the speed that they had. Weight decay pulls them \
                towards 0. The paper has the learning rate inside the speed: that is the same until the rate changes.",
        equation: "v \u{2190} 0.9 v + g + 0.0005 w\nw \u{2190} w \u{2212} \u{3b5} v\ng: the gradient's mean over the batch, \u{3b5}: the learning rate",
        section: "section 5",
        shown: "The weights are the pixels of a picture, and the loss is half their squared distance from the wanted one. With momentum \
                they arrive earlier, and shoot over.",
        without: "The paper calls the decay \"important for the model to learn\"; of momentum it gives no comparison. The ablation here \
                  leaves momentum out at the same learning rate, which makes steps about ten times shorter.",
        reference: &[(cases!("sgd"), REFERENCE)],
        draw: pictures::sgd,
        ablation: Some(ablation::MOMENTUM),
    },
];
