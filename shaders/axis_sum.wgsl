// Sums along one axis, and their gradient: y[o, i] = factor times the sum over l of x[o, l, i]; dx[o, l, i] = factor dy[o, i].
// The factor is 1, or for means 1 / axis.
//
// x, dx: [outer, axis, inner]; y, dy: [outer, inner]; n: how many elements are written. One invocation computes one of them; a
// sum is added up in the order of l, in 32 bits.
{# entry points: axis_sum_backward axis_sum_forward #}

struct Params {
    n: u32,
    axis: u32,
    inner: u32,
    factor: f32,
}

{% set forward = entry == "axis_sum_forward" %}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> {{ "x" if forward else "dy" }}: array<{{ dtype }}>;
@group(0) @binding(2) var<storage, read_write> {{ "y" if forward else "dx" }}: array<{{ dtype }}>;

{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn {{ entry }}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = linear_index(id, groups);
    if at >= params.n {
        return;
    }
    let inner = at % params.inner;
    {% if forward %}
    let first = at / params.inner * params.axis * params.inner + inner;
    var sum = 0.0;
    for (var l = 0u; l < params.axis; l++) {
        sum += f32(x[first + l * params.inner]);
    }
    y[at] = {{ dtype }}(params.factor * sum);
    {% else %}
    let outer = at / (params.axis * params.inner);
    dx[at] = {{ dtype }}(params.factor * f32(dy[outer * params.inner + inner]));
    {% endif %}
}
