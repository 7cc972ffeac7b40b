// Softmax and log-softmax along rows, with the row's maximum taken off first (Goodfellow 2016, section 4.1):
// softmax      y_j = exp(x_j - max) / sum of exp(x_k - max)         dx_j = y_j (dy_j - sum of dy_k y_k)
// log-softmax  y_j = x_j - max - log sum of exp(x_k - max)          dx_j = dy_j - exp(y_j) sum of dy_k
//
// x, y, dy, dx: [rows, classes]. One invocation, or with lanes > 1 one workgroup, computes one row.

struct Params {
    rows: u32,
    classes: u32,
}

{% set forward = entry in ["softmax_forward", "log_softmax_forward"] %}
{% set logarithm = entry in ["log_softmax_forward", "log_softmax_backward"] %}
@group(0) @binding(0) var<uniform> params: Params;
{% if forward %}
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
{% else %}
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
{% endif %}

{% include "shared/rows.wgsl" %}

@compute @workgroup_size({{ 64 if lanes == 1 else lanes }})
fn {{ entry }}(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = row_of(id, group, groups);
    if row >= params.rows {
        return;
    }
    let lane = local % LANES;
    let first = row * params.classes;
    {% if forward %}
    var largest = x[first];
    for (var j = lane; j < params.classes; j += LANES) {
        largest = max(largest, x[first + j]);
    }
    largest = row_max(largest, lane);
    var sum = 0.0;
    for (var j = lane; j < params.classes; j += LANES) {
        sum += exp(x[first + j] - largest);
    }
    sum = row_sum(sum, lane);
    {% if logarithm %}
    sum = log(sum);
    {% endif %}
    for (var j = lane; j < params.classes; j += LANES) {
        y[first + j] = {{ "x[first + j] - largest - sum" if logarithm else "exp(x[first + j] - largest) / sum" }};
    }
    {% else %}
    var sum = 0.0;
    for (var j = lane; j < params.classes; j += LANES) {
        sum += dy[first + j]{{ "" if logarithm else " * y[first + j]" }};
    }
    sum = row_sum(sum, lane);
    for (var j = lane; j < params.classes; j += LANES) {
        dx[first + j] = {{ "dy[first + j] - exp(y[first + j]) * sum" if logarithm else "y[first + j] * (dy[first + j] - sum)" }};
    }
    {% endif %}
}
