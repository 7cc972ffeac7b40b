// Sums of all elements in a fixed order, and their gradients.
// reduce_sum: y[p] = factor times the sum of x[i] over i = p, p + parts, p + 2 parts ...; reduce_square_sum: the same of x[i]^2.
// The launch repeats reduce_sum on the parts until one is left. reduce_broadcast: y[i] = factor x[i % parts], i < n.
//
// sums: x: [n], y: [parts], one invocation computes one part. broadcast: x: [parts], y: [n], one invocation computes one element.
{# entry points: reduce_broadcast reduce_square_sum reduce_sum #}

struct Params {
    n: u32,
    parts: u32,
    factor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn {{ entry }}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = linear_index(id, groups);
    {% if entry == "reduce_broadcast" %}
    if at < params.n {
        y[at] = params.factor * x[at % params.parts];
    }
    {% else %}
    if at >= params.parts {
        return;
    }
    var sum = 0.0;
    for (var i = at; i < params.n; i += params.parts) {
        {% if entry == "reduce_sum" %}
        sum += x[i];
        {% else %}
        sum += x[i] * x[i];
        {% endif %}
    }
    y[at] = params.factor * sum;
    {% endif %}
}
