// Stochastic gradient descent with momentum (Sutskever 2013, PyTorch's form; Krizhevsky 2012, section 5, up to the place of the rate):
// d = g + weight_decay p;  v = momentum v + (1 - dampening) d, or d in the first step;  d = v, or d + momentum v with nesterov;  p = p - rate d
//
// p, g, v: [n], padded to whole vec4s. step: the step's scalars (shared/step.wgsl). Without has_momentum there is no v.
// One invocation computes four elements.

struct Params {
    n: u32,
    nesterov: u32,
    momentum: f32,
    dampening: f32,
    weight_decay: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read> g: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> p: array<vec4<f32>>;
{% if has_momentum %}
@group(0) @binding(4) var<storage, read_write> v: array<vec4<f32>>;
{% endif %}

{% include "shared/step.wgsl" %}
{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn sgd_update(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i >= (params.n + 3u) / 4u {
        return;
    }
    let rate = bitcast<f32>(step[LEARNING_RATE]);
    var d = g[i] + params.weight_decay * p[i];
    {% if has_momentum %}
    let velocity = select(params.momentum * v[i] + (1.0 - params.dampening) * d, d, step[STEP] == 0u);
    v[i] = velocity;
    d = select(velocity, d + params.momentum * velocity, params.nesterov != 0u);
    {% endif %}
    p[i] = p[i] - rate * d;
}
