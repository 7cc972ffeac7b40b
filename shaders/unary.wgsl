// Functions of one number, element by element, and their gradients.
//
// exp: y = e^x, dx = y dy. ln: y = ln x, dx = dy / x. sqrt: y = sqrt x, dx = dy / (2 y). sigmoid: y = 1 / (1 + e^-x),
// dx = y (1 - y) dy. tanh: y = (e^x - e^-x) / (e^x + e^-x), dx = (1 - y^2) dy. leaky_relu (Maas et al. 2013): y = slope x
// where x <= 0, else x; dx the same of dy where y <= 0.
//
// x, y, kept, dx, dy: [n], any shape flattened, padded to whole vec4s. kept is x for ln, else y. One invocation computes four
// elements in 32 bits; the tail of the last vec4 is padding and may hold anything.
{# entry points: exp_backward exp_forward leaky_relu_backward leaky_relu_forward ln_backward ln_forward
    sigmoid_backward sigmoid_forward sqrt_backward sqrt_forward tanh_backward tanh_forward #}

struct Params {
    n: u32,
    slope: f32,
}

{% set is_backward = "_backward" in entry %}
@group(0) @binding(0) var<uniform> params: Params;
{% if is_backward %}
@group(0) @binding(1) var<storage, read> dy: array<vec4<{{ dtype }}>>;
@group(0) @binding(2) var<storage, read> kept: array<vec4<{{ dtype }}>>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<{{ dtype }}>>;
{% else %}
@group(0) @binding(1) var<storage, read> x: array<vec4<{{ dtype }}>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<{{ dtype }}>>;
{% endif %}

{% include "shared/linear_index.wgsl" %}
{% include "shared/by_bits.wgsl" %}

{% if is_backward %}
// The slope of the function, from what was kept.
fn slope(kept: vec4<f32>) -> vec4<f32> {
    {% if "exp" in entry %}
    return kept;
    {% elif "ln" in entry %}
    return 1.0 / kept;
    {% elif "sqrt" in entry %}
    return 0.5 / kept;
    {% elif "sigmoid" in entry %}
    return kept * (1.0 - kept);
    {% elif "tanh" in entry %}
    return 1.0 - kept * kept;
    {% else %}
    return select(vec4<f32>(1.0), vec4<f32>(params.slope), kept <= vec4<f32>(0.0));
    {% endif %}
}
{% else %}
fn value(x: vec4<f32>) -> vec4<f32> {
    {% if "exp" in entry %}
    return exp(x);
    {% elif "ln" in entry %}
    return log(x);
    {% elif "sqrt" in entry %}
    return sqrt(x);
    {% elif "sigmoid" in entry %}
    // Bounded, so that the power is finite; a NaN passes.
    let power = exp(select(-x, vec4<f32>(88.0), x < vec4<f32>(-88.0)));
    return select(1.0 / (1.0 + power), x, are_nan(x));
    {% elif "tanh" in entry %}
    // Near 0 by a polynomial (Cephes' tanhf), where the difference of powers would cancel; WGSL's own promises 1e-5 alone.
    let t = select(abs(x), vec4<f32>(10.0), abs(x) > vec4<f32>(10.0));
    let z = t * t;
    let p = (((-5.70498872745e-3 * z + 2.06390887954e-2) * z - 5.37397155531e-2) * z + 1.33314422036e-1) * z - 3.33332819422e-1;
    let far = 1.0 - 2.0 / (exp(2.0 * t) + 1.0);
    return select(sign(x) * select(far, t + t * z * p, t < vec4<f32>(0.625)), x, are_nan(x));
    {% else %}
    return select(x, params.slope * x, x <= vec4<f32>(0.0));
    {% endif %}
}
{% endif %}

@compute @workgroup_size(64)
fn {{ entry }}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i < (params.n + 3u) / 4u {
        {% if is_backward %}
        dx[i] = vec4<{{ dtype }}>(vec4<f32>(dy[i]) * slope(vec4<f32>(kept[i])));
        {% else %}
        y[i] = vec4<{{ dtype }}>(value(vec4<f32>(x[i])));
        {% endif %}
    }
}
