// Gaussian error linear unit (Hendrycks and Gimpel 2016): y = x P(X <= x) for a standard normal X, that is
// y = x (1 + erf(x / sqrt 2)) / 2, the exact form and not the one with tanh; dx = dy (P(X <= x) + x e^(-x^2 / 2) / sqrt(2 pi)).
//
// WGSL has no erf, so for t = |x| the tail P(X > t) is e^(-t p(t)) / 2 with p a polynomial fitted on [0, 6], to 6e-8 of 1 / t;
// beyond 6, where it is under 1e-9, it is 0. The twin, cpu/gelu.rs, has the same numbers.
//
// x, y, dx, dy: [n], any shape flattened, padded to whole vec4s. One invocation computes four elements in 32 bits; the tail of
// the last vec4 is padding and may hold anything.
{# entry points: gelu_backward gelu_forward #}

struct Params {
    n: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
{% if entry == "gelu_forward" %}
@group(0) @binding(1) var<storage, read> x: array<vec4<{{ dtype }}>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<{{ dtype }}>>;
{% else %}
@group(0) @binding(1) var<storage, read> dy: array<vec4<{{ dtype }}>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<{{ dtype }}>>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<{{ dtype }}>>;
{% endif %}

{% include "shared/linear_index.wgsl" %}

// P(X <= x).
fn normal_cdf(x: vec4<f32>) -> vec4<f32> {
    let t = abs(x);
    var p = vec4<f32>(1.31293785e-8);
    {% for factor in ["-4.22095439e-7", "5.78845493e-6", "-4.28219537e-5", "1.60852389e-4", "6.21900617e-5",
                      "-4.88012983e-3", "3.63828316e-2", "3.18301201e-1", "7.97884822e-1"] %}
    p = p * t + {{ factor }};
    {% endfor %}
    let tail = select(0.5 * exp(-t * p), vec4<f32>(0.0), t > vec4<f32>(6.0));
    return select(tail, 1.0 - tail, x > vec4<f32>(0.0));
}

@compute @workgroup_size(64)
fn {{ entry }}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i < (params.n + 3u) / 4u {
        let at = vec4<f32>(x[i]);
        {% if entry == "gelu_forward" %}
        y[i] = vec4<{{ dtype }}>(at * normal_cdf(at));
        {% else %}
        let density = 0.3989422804 * exp(-0.5 * at * at);
        dx[i] = vec4<{{ dtype }}>(vec4<f32>(dy[i]) * (normal_cdf(at) + at * density));
        {% endif %}
    }
}
