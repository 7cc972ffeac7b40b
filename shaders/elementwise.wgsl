// Element-wise arithmetic over any shape: fill y = value; add y = a + b; sub y = a - b; mul y = a b; div y = a / b;
// scale y = value x; axpy y = y + value x.
//
// a, b, x, y: [n], padded to whole vec4s. One invocation computes four elements; the tail of the last vec4 is padding
// and may hold anything.
{# entry points: elementwise_add elementwise_axpy elementwise_div elementwise_fill elementwise_mul elementwise_scale
    elementwise_sub #}

struct Params {
    n: u32,
    value: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
{% if entry == "elementwise_fill" %}
@group(0) @binding(1) var<storage, read_write> y: array<vec4<{{ dtype }}>>;
{% elif entry in ["elementwise_add", "elementwise_sub", "elementwise_mul", "elementwise_div"] %}
@group(0) @binding(1) var<storage, read> a: array<vec4<{{ dtype }}>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<{{ dtype }}>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<{{ dtype }}>>;
{% else %}
@group(0) @binding(1) var<storage, read> x: array<vec4<{{ dtype }}>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<{{ dtype }}>>;
{% endif %}

{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn {{ entry }}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i < (params.n + 3u) / 4u {
        {% if entry == "elementwise_fill" %}
        y[i] = vec4<{{ dtype }}>(vec4<f32>(params.value));
        {% elif entry == "elementwise_add" %}
        y[i] = a[i] + b[i];
        {% elif entry == "elementwise_sub" %}
        y[i] = a[i] - b[i];
        {% elif entry == "elementwise_mul" %}
        y[i] = a[i] * b[i];
        {% elif entry == "elementwise_div" %}
        y[i] = vec4<{{ dtype }}>(vec4<f32>(a[i]) / vec4<f32>(b[i]));
        {% elif entry == "elementwise_scale" %}
        y[i] = vec4<{{ dtype }}>(params.value * vec4<f32>(x[i]));
        {% else %}
        y[i] = vec4<{{ dtype }}>(vec4<f32>(y[i]) + params.value * vec4<f32>(x[i]));
        {% endif %}
    }
}
