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
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> step: array<u32>;
{% if scaled %}
@group(0) @binding(3) var<storage, read> scale: array<f32>;
{% endif %}
@group(0) @binding({{ 3 + scaled }}) var<storage, read_write> parameter: array<vec4<f32>>;
@group(0) @binding({{ 4 + scaled }}) var<storage, read_write> mean: array<vec4<f32>>;
@group(0) @binding({{ 5 + scaled }}) var<storage, read_write> variance: array<vec4<f32>>;

{% include "shared/step.wgsl" %}
{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn adam(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i >= (params.n + 3u) / 4u {
        return;
    }
    {% if scaled %}
    // A step whose gradients overflowed: see loss_scale.wgsl.
    if scale[0] < 0.0 {
        return;
    }
    {% endif %}
    let rate = bitcast<f32>(step[LEARNING_RATE]);
    let correction1 = bitcast<f32>(step[BIAS_CORRECTION_1]);
    let correction2 = bitcast<f32>(step[BIAS_CORRECTION_2]);
    var p = parameter[i];
    {% if scaled %}
    var g = scale[0] * gradient[i];
    {% else %}
    var g = gradient[i];
    {% endif %}
    if params.decoupled != 0u {
        p = p - (rate * params.weight_decay) * p;
    } else {
        g = g + params.weight_decay * p;
    }
    let m = params.beta1 * mean[i] + params.rest1 * g;
    let v = params.beta2 * variance[i] + params.rest2 * g * g;
    mean[i] = m;
    variance[i] = v;
    parameter[i] = p - (rate / correction1) * m / (sqrt(v) / correction2 + params.epsilon);
}
