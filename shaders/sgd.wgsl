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
    rate_factor: f32,
}

{% include "shared/update.wgsl" %}

{% if momentum %}
@group(0) @binding({{ 4 + scaled }}) var<storage, read_write> velocity: array<vec4<f32>>;

{% endif %}
fn updated(i: u32, p: vec4<f32>, grad: vec4<f32>, rate: f32) -> vec4<f32> {
    var g = grad + params.weight_decay * p;
    {% if momentum %}
    // A first velocity may be uninitialised memory, so it is not read into the sum: NaN times 0 is NaN.
    var v = g;
    if step[STEP] > 1u {
        v = params.momentum * velocity[i] + (1.0 - params.dampening) * g;
    }
    velocity[i] = v;
    g = select(v, g + params.momentum * v, params.nesterov != 0u);
    {% endif %}
    return p - rate * g;
}
