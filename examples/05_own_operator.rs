//! An operator of your own, Swish `y = x sigmoid(beta x)`: WGSL, its native twin and its gradient rule, checked on a device:
//!
//!     cargo run --release -p tensor --example 05_own_operator -- [DEVICE]
#![expect(
    clippy::disallowed_methods,
    reason = "the same last place on every platform is not asked for"
)]
#![expect(clippy::print_stdout, reason = "a program")]

use tensor::custom::Custom;
use tensor::gradcheck::{Finding, Options, gradcheck};
use tensor::{CpuArgs, CustomParams, Device, Result, Tensor};

const WGSL: &str = "
struct Params { n: u32, beta: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + exp(-params.beta * x)); }

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = id.y * groups.x * 64u + id.x;
    if i < params.n { y[i] = x[i] * sigmoid(x[i]); }
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = id.y * groups.x * 64u + id.x;
    if i < params.n {
        let s = sigmoid(x[i]);
        dx[i] = dy[i] * (s + params.beta * x[i] * s * (1.0 - s));
    }
}";

const FORWARD: Custom = Custom::new(
    "forward",
    WGSL,
    |params: &CustomParams, args: CpuArgs<'_>| {
        let ([x], [y]) = args.split();
        let s = sigmoid(f32::from_bits(params[1]));
        y.iter_mut().zip(x).for_each(|(y, &x)| *y = x * s(x));
    },
);

const BACKWARD: Custom = Custom::new(
    "backward",
    WGSL,
    |params: &CustomParams, args: CpuArgs<'_>| {
        let beta = f32::from_bits(params[1]);
        let ([x, dy], [dx]) = args.split();
        for ((dx, &x), dy) in dx.iter_mut().zip(x).zip(dy) {
            let s = sigmoid(beta)(x);
            *dx = dy * (s + beta * x * s * (1.0 - s));
        }
    },
);

fn sigmoid(beta: f32) -> impl Fn(f32) -> f32 {
    move |x| 1.0 / (1.0 + (-beta * x).exp())
}

/// `x sigmoid(beta x)`, element by element.
pub(crate) fn swish(x: &Tensor, beta: f32) -> Result<Tensor> {
    let n = u32::try_from(x.shape().elements()).expect("a small tensor");
    let (params, kept) = ([n, beta.to_bits()], x.detach());
    let y = FORWARD.run(&params, &[x], x.shape().clone())?;
    y.with_rule("swish", &[x], move |dy| {
        let dx = BACKWARD.run(&params, &[&kept, dy], kept.shape().clone())?;
        Ok(vec![Some(dx)])
    })
}

/// What the check of the gradient finds.
pub(crate) fn check(device: &Device) -> Result<Vec<Finding>> {
    let x = Tensor::from_slice(device, &[-2.0_f32, -0.5, 0.1, 1.0, 3.0, 4.0], [2, 3])?;
    gradcheck(&[x], |inputs| swish(&inputs[0], 1.5), &Options::default())
}

fn main() -> Result<()> {
    let name = std::env::args().nth(1);
    let device = Device::open(name.as_deref().unwrap_or("auto"))?;
    println!("{}: {:?}", device.name(), check(&device)?);
    Ok(())
}
