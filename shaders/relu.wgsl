// Rectified linear unit: y = 0 where x <= 0, else x; dx = 0 where y <= 0, else dy (Krizhevsky 2012, section 3.1).
// A NaN passes through and is noticed, as in PyTorch; max(NaN, 0) may be either.
//
// x, y, dx, dy: [n], any shape flattened, padded to whole vec4s. The backward pass reads y and not x, so that x need not
// be kept. One invocation computes four elements; the tail of the last vec4 is padding and may hold anything.
{# entry points: relu_backward relu_forward #}

struct Params {
    n: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
{% if entry == "relu_forward" %}
@group(0) @binding(1) var<storage, read> x: array<vec4<{{ dtype }}>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<{{ dtype }}>>;
{% else %}
@group(0) @binding(1) var<storage, read> dy: array<vec4<{{ dtype }}>>;
@group(0) @binding(2) var<storage, read> y: array<vec4<{{ dtype }}>>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<{{ dtype }}>>;
{% endif %}

{% include "shared/linear_index.wgsl" %}
{% include "shared/by_bits.wgsl" %}

{% if entry == "relu_forward" %}
@compute @workgroup_size(64)
fn relu_forward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i < (params.n + 3u) / 4u {
        y[i] = select(x[i], vec4<{{ dtype }}>(0.0), are_at_most_zero(vec4<f32>(x[i])));
    }
}
{% else %}
@compute @workgroup_size(64)
fn relu_backward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i < (params.n + 3u) / 4u {
        dx[i] = select(dy[i], vec4<{{ dtype }}>(0.0), are_at_most_zero(vec4<f32>(y[i])));
    }
}
{% endif %}
