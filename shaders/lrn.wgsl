// Local response normalisation across channels (Krizhevsky 2012, section 3.3), alpha on the raw sum of squares:
// s_i = bias + alpha sum of x_j^2 for j in i - before ..= i + after, clipped to the channels;   y_i = x_i s_i^-beta
// dx_i = dy_i s_i^-beta - 2 alpha beta x_i sum of dy_j x_j s_j^(-beta - 1) for j in i - after ..= i + before
//
// x, y, dy, dx: [rows, channels]. One invocation computes four neighbouring channels of one row, so that it reads each
// neighbour once for all four. Sums run from low to high channels.

struct Params {
    rows: u32,
    channels: u32,
    before: u32,
    after: u32,
    bias: f32,
    alpha: f32,
    beta: f32,
}

{% set forward = entry == "lrn_forward" %}
@group(0) @binding(0) var<uniform> params: Params;
{% if forward %}
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
{% else %}
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
{% endif %}

{% include "shared/linear_index.wgsl" %}

// s^-beta. Roots are faster than pow and exact to the last bits, and the exponents in use are these.
fn power(s: f32) -> f32 {
    if params.beta == 0.75 {
        let root = sqrt(s);
        return 1.0 / (root * sqrt(root));
    }
    if params.beta == 0.5 {
        return 1.0 / sqrt(s);
    }
    if params.beta == 1.0 {
        return 1.0 / s;
    }
    return pow(s, -params.beta);
}

{% if not forward %}
// s of one channel of the row that starts at `row`.
fn scale(row: u32, channel: u32) -> f32 {
    var sum = 0.0;
    let end = min(channel + params.after + 1u, params.channels);
    for (var j = channel - min(channel, params.before); j < end; j++) {
        let value = x[row + j];
        sum += value * value;
    }
    return params.bias + params.alpha * sum;
}

{% endif %}
@compute @workgroup_size(64)
fn {{ entry }}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    let quads = (params.channels + 3u) / 4u;
    if i / quads >= params.rows {
        return;
    }
    let row = i / quads * params.channels;
    let first = i % quads * 4u;
    {% set reach_down, reach_up = ("before", "after") if forward else ("after", "before") %}
    // sum[k] adds up the channels j of first + k's window: j + {{ reach_down }} >= first + k and j <= first + k + {{ reach_up }}.
    let channel = vec4<u32>(first) + vec4<u32>(0u, 1u, 2u, 3u);
    let low = max(channel, vec4<u32>(params.{{ reach_down }})) - params.{{ reach_down }};
    let high = channel + params.{{ reach_up }};
    let end = min(high.w + 1u, params.channels);
    var sum = vec4<f32>(0.0);
    for (var j = low.x; j < end; j++) {
        let value = x[row + j];
        {% if forward %}
        let term = value * value;
        {% else %}
        let s = scale(row, j);
        let term = dy[row + j] * value * power(s) / s;
        {% endif %}
        sum += select(vec4<f32>(0.0), vec4<f32>(term), (vec4<u32>(j) >= low) & (vec4<u32>(j) <= high));
    }
    {% for k in range(4) %}
    if first + {{ k }}u < params.channels {
        let at = row + first + {{ k }}u;
        {% if forward %}
        y[at] = x[at] * power(params.bias + params.alpha * sum[{{ k }}]);
        {% else %}
        dx[at] = dy[at] * power(scale(row, first + {{ k }}u)) - 2.0 * params.alpha * params.beta * x[at] * sum[{{ k }}];
        {% endif %}
    }
    {% endfor %}
}
