// Adam (Kingma and Ba 2015, algorithm 1) and, with decoupled weight decay, AdamW (Loshchilov and Hutter 2019,
// algorithm 2), as PyTorch writes them:
//   g = scale * gradient;  AdamW: p = p - rate * weight_decay * p;  Adam: g = g + weight_decay * p
//   m = beta1 * m + (1 - beta1) * g;  v = beta2 * v + (1 - beta2) * g^2;  both are 0 before the first step
//   p = p - (rate / correction1) * m / (sqrt(v) / correction2 + epsilon)
// with correction1 = 1 - beta1^t and correction2 = sqrt(1 - beta2^t), which come with the step's scalars because f32
// powers of a large t are too coarse.
//
// gradient, parameter, mean, variance: [n], padded to whole vec4s; step: the step's scalars (kernels/src/step.rs);
// scale: [1], the factor of gradient clipping, or -1 to skip the step. One invocation updates four elements.

struct Params {
    n: u32,
    beta1: f32,
    beta2: f32,
    // 1 - beta1 and 1 - beta2, rounded once: in f32 their difference would lose half of the digits.
    rest1: f32,
    rest2: f32,
    epsilon: f32,
    weight_decay: f32,
    decoupled: u32,
    rate_factor: f32,
}

{% include "shared/update.wgsl" %}

@group(0) @binding({{ 4 + scaled }}) var<storage, read_write> mean: array<vec4<f32>>;
@group(0) @binding({{ 5 + scaled }}) var<storage, read_write> variance: array<vec4<f32>>;

fn updated(i: u32, old: vec4<f32>, grad: vec4<f32>, rate: f32) -> vec4<f32> {
    let correction1 = bitcast<f32>(step[BIAS_CORRECTION_1]);
    let correction2 = bitcast<f32>(step[BIAS_CORRECTION_2]);
    var p = old;
    var g = grad;
    if params.decoupled != 0u {
        p = p - (rate * params.weight_decay) * p;
    } else {
        g = g + params.weight_decay * p;
    }
    let m = params.beta1 * mean[i] + params.rest1 * g;
    let v = params.beta2 * variance[i] + params.rest2 * g * g;
    mean[i] = m;
    variance[i] = v;
    return p - (rate / correction1) * m / (sqrt(v) / correction2 + params.epsilon);
}
