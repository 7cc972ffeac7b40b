//! candle on the CPU beside `alexnet bench --peers`. It has no LRN, and its max pool's backward refuses overlapping windows:
//! here are no LRN and pools of 2x2, which is less work than what the others do.

mod protocol;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::{
    AdamW, Conv2d, Conv2dConfig, Linear, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap, loss,
};
use std::time::Instant;

const VARIANTS: &str =
    r#"[{"name": "candle 0.11.1, without LRN, 2x2 pools", "device": "cpu", "args": []}]"#;

struct Net {
    convs: Vec<Conv2d>,
    /// After which convolutions a pool comes, as bits.
    pools: usize,
    dense: Vec<Linear>,
}

impl Net {
    fn new(is_small: bool, variables: &VarBuilder) -> Result<Self> {
        let conv = |i: usize, from, to, kernel, stride, padding| {
            let config = Conv2dConfig {
                stride,
                padding,
                ..Default::default()
            };
            candle_nn::conv2d(from, to, kernel, config, variables.pp(format!("conv{i}")))
        };
        let (convs, pools, sizes) = if is_small {
            let convs = vec![
                conv(1, 3, 48, 7, 2, 3)?,
                conv(2, 48, 128, 5, 1, 2)?,
                conv(3, 128, 192, 3, 1, 1)?,
                conv(4, 192, 192, 3, 1, 1)?,
                conv(5, 192, 192, 3, 1, 1)?,
            ];
            (convs, 0b00011, [3072, 512, 512, 10])
        } else {
            let convs = vec![
                conv(1, 3, 96, 11, 4, 0)?,
                conv(2, 96, 256, 5, 1, 2)?,
                conv(3, 256, 384, 3, 1, 1)?,
                conv(4, 384, 384, 3, 1, 1)?,
                conv(5, 384, 256, 3, 1, 1)?,
            ];
            (convs, 0b10011, [9216, 4096, 4096, 10])
        };
        let dense = sizes.windows(2).enumerate();
        let dense = dense.map(|(i, pair)| {
            candle_nn::linear(pair[0], pair[1], variables.pp(format!("dense{i}")))
        });
        Ok(Self {
            convs,
            pools,
            dense: dense.collect::<Result<_>>()?,
        })
    }

    fn forward(&self, x: &Tensor, is_training: bool) -> Result<Tensor> {
        let mut x = x.clone();
        for (i, conv) in self.convs.iter().enumerate() {
            x = conv.forward(&x)?.relu()?;
            if self.pools >> i & 1 == 1 {
                let (_, _, h, w) = x.dims4()?;
                if h % 2 == 1 {
                    x = x.narrow(2, 0, h - 1)?.narrow(3, 0, w - 1)?.contiguous()?;
                }
                x = x.max_pool2d(2)?;
            }
        }
        let mut y = x.flatten_from(1)?;
        for (i, dense) in self.dense.iter().enumerate() {
            y = dense.forward(&y)?;
            if i < 2 {
                y = y.relu()?;
                if is_training {
                    y = candle_nn::ops::dropout(&y, 0.5)?;
                }
            }
        }
        Ok(y)
    }
}

/// candle-nn's SGD has neither momentum nor weight decay: this is what its tensors make of them.
struct Sgd {
    variables: Vec<Var>,
    velocities: Vec<Option<Tensor>>,
}

impl Sgd {
    fn step(&mut self, gradients: &GradStore) -> Result<()> {
        for (variable, velocity) in self.variables.iter().zip(&mut self.velocities) {
            let Some(gradient) = gradients.get(variable) else {
                continue;
            };
            let value = variable.as_tensor().detach();
            let gradient = (gradient + (&value * 5e-4)?)?;
            let next = match velocity.take() {
                Some(old) => ((old * 0.9)? + gradient)?,
                None => gradient,
            };
            variable.set(&value.sub(&(&next * 1e-2)?)?)?;
            *velocity = Some(next.detach());
        }
        Ok(())
    }
}

fn main() -> Result<()> {
    let args = protocol::Args::read(VARIANTS);
    let variables = VarMap::new();
    let net = Net::new(
        args.is_small,
        &VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu),
    )?;
    let side = args.side();
    let x = Tensor::randn(0f32, 1f32, (args.batch_size, 3, side, side), &Device::Cpu)?;
    let labels: Vec<u32> = (0..10).cycle().take(args.batch_size).collect();
    let y = Tensor::from_vec(labels, args.batch_size, &Device::Cpu)?;
    let all = variables.all_vars();
    let parameters = all.iter().map(|variable| variable.elem_count()).sum();
    let mut adam = AdamW::new(
        all.clone(),
        ParamsAdamW {
            lr: 1e-3,
            weight_decay: 0.0,
            ..Default::default()
        },
    )?;
    let mut sgd = Sgd {
        velocities: vec![None; all.len()],
        variables: all,
    };
    let mut train = || -> Result<f32> {
        let loss = loss::cross_entropy(&net.forward(&x, true)?, &y)?;
        let gradients = loss.backward()?;
        if args.is_small {
            adam.step(&gradients)?
        } else {
            sgd.step(&gradients)?
        }
        loss.to_scalar()
    };
    let start = Instant::now();
    train()?;
    let first_step_s = start.elapsed().as_secs_f64();
    let train_s = args.measure(|| drop(train().expect("candle trains")));
    let infer_s = args.measure(|| {
        let sum = net
            .forward(&x, false)
            .and_then(|y| y.sum_all()?.to_scalar::<f32>());
        assert!(
            sum.expect("candle infers").is_finite(),
            "candle infers numbers"
        );
    });
    protocol::report(parameters, first_step_s, &train_s, &infer_s);
    Ok(())
}
