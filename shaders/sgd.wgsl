// Stochastic gradient descent with momentum (Krizhevsky 2012, section 5; Sutskever 2013 for Nesterov's form), as PyTorch
// writes it, at step t = 1, 2, ...:
//   g = scale * gradient + weight_decay * p
//   v = g at t = 1, else momentum * v + (1 - dampening) * g
//   p = p - rate * (g + momentum * v if nesterov, else v)
// Without momentum there is no v: p = p - rate * g.
//
// gradient, parameter, velocity: [n], padded to whole vec4s; step: the step's scalars (kernels/src/step.rs); scale: [1],
// the factor of gradient clipping, or -1 to skip the step. One invocation updates four elements; the tail of the last vec4 may hold anything.

struct Params {
    n: u32,
    momentum: f32,
    dampening: f32,
    weight_decay: f32,
    nesterov: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> step: array<u32>;
{% if scaled %}
@group(0) @binding(3) var<storage, read> scale: array<f32>;
{% endif %}
@group(0) @binding({{ 3 + scaled }}) var<storage, read_write> parameter: array<vec4<f32>>;
{% if momentum %}
@group(0) @binding({{ 4 + scaled }}) var<storage, read_write> velocity: array<vec4<f32>>;
{% endif %}

{% include "shared/step.wgsl" %}
{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn sgd(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
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
    let p = parameter[i];
    {% if scaled %}
    var g = scale[0] * gradient[i] + params.weight_decay * p;
    {% else %}
    var g = gradient[i] + params.weight_decay * p;
    {% endif %}
    {% if momentum %}
    // A first velocity may be uninitialised memory, so it is not read into the sum: NaN times 0 is NaN.
    var v = g;
    if step[STEP] > 1u {
        v = params.momentum * velocity[i] + (1.0 - params.dampening) * g;
    }
    velocity[i] = v;
    g = select(v, g + params.momentum * v, params.nesterov != 0u);
    {% endif %}
    parameter[i] = p - rate * g;
}
