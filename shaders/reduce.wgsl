// Sums of all elements in a fixed order. reduce_sum: y[p] = sum of x[i] over i = p, p + parts, p + 2 parts ...;
// reduce_square_sum: the same of x[i]^2. The launch repeats reduce_sum on the parts until one is left.
//
// x: [n]; y: [parts] from `offset` on, so that several tensors can leave their sums side by side. One invocation computes one part.

struct Params {
    n: u32,
    parts: u32,
    offset: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn {{ entry }}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let part = linear_index(id, groups);
    if part >= params.parts {
        return;
    }
    var sum = 0.0;
    for (var i = part; i < params.n; i += params.parts) {
        {% if entry == "reduce_sum" %}
        sum += x[i];
        {% else %}
        sum += x[i] * x[i];
        {% endif %}
    }
    y[params.offset + part] = sum;
}
