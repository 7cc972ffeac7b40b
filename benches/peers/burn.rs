//! burn beside `alexnet bench --peers`: one source, built once for its CPU backend `flex` and once for wgpu.

mod protocol;

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{
    Dropout, DropoutConfig, Linear, LinearConfig, LocalResponseNorm, LocalResponseNormConfig,
    PaddingConfig2d,
};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, GradientsParams, SgdConfig};
use burn::prelude::*;
use burn::tensor::Distribution;
use burn::tensor::activation::relu;
use std::time::Instant;

#[cfg(feature = "flex")]
const VARIANTS: &str = r#"[{"name": "burn 0.22.1, flex", "device": "cpu", "args": []}]"#;
#[cfg(feature = "wgpu")]
const VARIANTS: &str = r#"[{"name": "burn 0.22.1, wgpu", "device": "gpu", "args": []}]"#;

fn device() -> Device {
    #[cfg(feature = "flex")]
    return Device::flex();
    #[cfg(feature = "wgpu")]
    return Device::wgpu(burn::tensor::DeviceKind::DefaultDevice);
}

#[derive(Module, Debug)]
struct Net {
    convs: Vec<Conv2d>,
    pool: MaxPool2d,
    /// After which convolutions, as bits.
    pools: usize,
    lrn: LocalResponseNorm,
    dense: Vec<Linear>,
    drop: Dropout,
}

impl Net {
    fn new(is_small: bool, device: &Device) -> Self {
        let pad = |n: usize| PaddingConfig2d::Explicit(n, n, n, n);
        let conv = |from, to, kernel, stride, padding| {
            Conv2dConfig::new([from, to], [kernel, kernel])
                .with_stride([stride, stride])
                .with_padding(pad(padding))
                .init(device)
        };
        let (convs, pools, sizes, pool_pad) = if is_small {
            let convs = vec![
                conv(3, 48, 7, 2, 3),
                conv(48, 128, 5, 1, 2),
                conv(128, 192, 3, 1, 1),
                conv(192, 192, 3, 1, 1),
                conv(192, 192, 3, 1, 1),
            ];
            (convs, 0b00011, [3072, 512, 512, 10], 1)
        } else {
            let convs = vec![
                conv(3, 96, 11, 4, 0),
                conv(96, 256, 5, 1, 2),
                conv(256, 384, 3, 1, 1),
                conv(384, 384, 3, 1, 1),
                conv(384, 256, 3, 1, 1),
            ];
            (convs, 0b10011, [9216, 4096, 4096, 10], 0)
        };
        let pool = MaxPool2dConfig::new([3, 3]).with_strides([2, 2]);
        // burn divides alpha by the window.
        let lrn = LocalResponseNormConfig::new(5)
            .with_alpha(5e-4)
            .with_beta(0.75)
            .with_k(2.0);
        Self {
            convs,
            pool: pool.with_padding(pad(pool_pad)).init(),
            pools,
            lrn: lrn.init(),
            dense: sizes
                .windows(2)
                .map(|pair| LinearConfig::new(pair[0], pair[1]).init(device))
                .collect(),
            drop: DropoutConfig::new(0.5).init(),
        }
    }

    fn forward(&self, mut x: Tensor<4>) -> Tensor<2> {
        for (i, conv) in self.convs.iter().enumerate() {
            x = relu(conv.forward(x));
            if i < 2 {
                x = self.lrn.forward(x);
            }
            if self.pools >> i & 1 == 1 {
                x = self.pool.forward(x);
            }
        }
        let mut y: Tensor<2> = x.flatten(1, 3);
        for (i, dense) in self.dense.iter().enumerate() {
            y = dense.forward(y);
            if i < 2 {
                y = self.drop.forward(relu(y));
            }
        }
        y
    }
}

fn main() {
    let args = protocol::Args::read(VARIANTS);
    let device = device().autodiff();
    device.seed(1);
    let mut net = Net::new(args.is_small, &device);
    let parameters = net.num_params();
    let shape = [args.batch_size, 3, args.side(), args.side()];
    let x: Tensor<4> = Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device);
    let labels: Vec<i32> = (0..10).cycle().take(args.batch_size).collect();
    let y: Tensor<1, Int> = Tensor::from_data(TensorData::from(labels.as_slice()), &device);
    let (mut optimizer, rate) = if args.is_small {
        (AdamConfig::new().with_epsilon(1e-8).init(), 1e-3)
    } else {
        let sgd = SgdConfig::new()
            .with_momentum(Some(MomentumConfig::new().with_dampening(0.0)))
            .with_weight_decay(Some(WeightDecayConfig::new(5e-4)));
        (sgd.init(), 1e-2)
    };
    device.sync().unwrap();
    let loss_of = CrossEntropyLossConfig::new().init(&device);
    let mut train = || {
        let loss = loss_of.forward(net.forward(x.clone()), y.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &net);
        net = optimizer.step(rate, net.clone(), gradients);
        let _: f32 = loss.into_scalar();
        device.sync().unwrap();
    };
    let start = Instant::now();
    train();
    let first_step_s = start.elapsed().as_secs_f64();
    let train_s = args.measure(train);
    let net = net.valid();
    let x = x.inner();
    let infer_s = args.measure(|| {
        let logits: Vec<f32> = net
            .forward(x.clone())
            .into_data()
            .convert::<f32>()
            .to_vec()
            .unwrap();
        assert!(
            logits.iter().all(|logit| logit.is_finite()),
            "burn infers numbers"
        );
    });
    protocol::report(parameters, first_step_s, &train_s, &infer_s);
}
