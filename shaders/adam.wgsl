// Adam (Kingma and Ba 2015, algorithm 1) and AdamW (Loshchilov and Hutter 2019, algorithm 2), epsilon outside the root as in PyTorch:
// Adam: g = g + weight_decay p; AdamW (decoupled): p = p - rate weight_decay p
// m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;  p = p - rate / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
//
// p, g, m, v: [n], padded to whole vec4s. step: the step's scalars (shared/step.wgsl). One invocation computes four elements.

struct Params {
    n: u32,
    decoupled: u32,
    beta1: f32,
    beta2: f32,
    rest1: f32, // 1 - beta1 and 1 - beta2, from the f64 values: in f32 1 - 0.999 is wrong in the fifth digit
    rest2: f32,
    epsilon: f32,
    weight_decay: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read> g: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> p: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> m: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> v: array<vec4<f32>>;

{% include "shared/step.wgsl" %}
{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn adam_update(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i >= (params.n + 3u) / 4u {
        return;
    }
    let rate = bitcast<f32>(step[LEARNING_RATE]);
    let correction_1 = bitcast<f32>(step[BIAS_CORRECTION_1]);
    let correction_2 = bitcast<f32>(step[BIAS_CORRECTION_2]);
    let decoupled = params.decoupled != 0u;
    let decay = select(0.0, rate * params.weight_decay, decoupled);
    let d = g[i] + select(params.weight_decay, 0.0, decoupled) * p[i];
    let first = m[i] + params.rest1 * (d - m[i]);
    let second = params.beta2 * v[i] + params.rest2 * d * d;
    m[i] = first;
    v[i] = second;
    p[i] = p[i] - decay * p[i] - rate / correction_1 * first / (sqrt(second) / sqrt(correction_2) + params.epsilon);
}
