// Local response normalisation across channels (Krizhevsky 2012, section 3.3), alpha on the raw sum of squares:
// s_i = bias + alpha sum of x_j^2 for j in i - before ..= i + after, clipped to the channels;   y_i = x_i s_i^-beta
// dx_i = dy_i s_i^-beta - 2 alpha beta x_i sum of dy_j x_j s_j^(-beta - 1) for j in i - after ..= i + before
//
// x, y, dy, dx: [rows, channels]. One invocation computes four neighbouring channels of one row, so that it reads each
// neighbour once for all four. Sums run from low to high channels. With `paper` (radius 2 on both sides, channels a multiple
// of 4) all that the four need lies in three vectors, and no loop is left.

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
{% set type = "vec4<f32>" if paper else "f32" %}
{% set stored = "vec4<" ~ dtype ~ ">" if paper else dtype %}
@group(0) @binding(0) var<uniform> params: Params;
{% if forward %}
@group(0) @binding(1) var<storage, read> x: array<{{ stored }}>;
@group(0) @binding(2) var<storage, read_write> y: array<{{ stored }}>;
{% else %}
@group(0) @binding(1) var<storage, read> dy: array<{{ stored }}>;
@group(0) @binding(2) var<storage, read> x: array<{{ stored }}>;
@group(0) @binding(3) var<storage, read_write> dx: array<{{ stored }}>;
{% endif %}

{% include "shared/linear_index.wgsl" %}

// s^-beta. Roots are faster than pow and exact to the last bits, and the exponents in use are these.
fn power(s: {{ type }}) -> {{ type }} {
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
    return pow(s, {{ type }}(-params.beta));
}

{% if paper %}
// Of the channels from b's first on: sums over their windows of radius 2. a and c are the vectors beside b.
fn window_sums(a: vec2<f32>, b: vec4<f32>, c: vec2<f32>) -> vec4<f32> {
    return vec4<f32>(
        a.x + a.y + b.x + b.y + b.z,
        a.y + b.x + b.y + b.z + b.w,
        b.x + b.y + b.z + b.w + c.x,
        b.y + b.z + b.w + c.x + c.y,
    );
}

@compute @workgroup_size(64)
fn {{ entry }}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    let quads = params.channels / 4u;
    if i / quads >= params.rows {
        return;
    }
    let has_left = i % quads != 0u;
    let has_right = i % quads != quads - 1u;
    let left_at = select(i, i - 1u, has_left);
    let right_at = select(i, i + 1u, has_right);
    let left = select(vec4<f32>(0.0), vec4<f32>(x[left_at]), has_left);
    let own = vec4<f32>(x[i]);
    let right = select(vec4<f32>(0.0), vec4<f32>(x[right_at]), has_right);
    let a = left * left;
    let b = own * own;
    let c = right * right;
    let s = vec4<f32>(params.bias) + params.alpha * window_sums(a.zw, b, c.xy);
    {% if forward %}
    y[i] = {{ stored }}(own * power(s));
    {% else %}
    // The two channels on either side, whose windows reach into this vector.
    let beside = vec4<f32>(
        a.x + a.y + a.z + a.w + b.x,
        a.y + a.z + a.w + b.x + b.y,
        b.z + b.w + c.x + c.y + c.z,
        b.w + c.x + c.y + c.z + c.w,
    );
    let s_beside = vec4<f32>(params.bias) + params.alpha * beside;
    let dy_left = select(vec4<f32>(0.0), vec4<f32>(dy[left_at]), has_left);
    let dy_right = select(vec4<f32>(0.0), vec4<f32>(dy[right_at]), has_right);
    let product = vec4<f32>(dy_left.zw * left.zw, dy_right.xy * right.xy);
    // Beyond the row there are none; with a bias of 0 they would come out as NaN.
    let exists = vec4<bool>(has_left, has_left, has_right, has_right);
    let terms_beside = select(vec4<f32>(0.0), product * power(s_beside) / s_beside, exists);
    let scale = power(s);
    let slope = vec4<f32>(dy[i]);
    let terms = slope * own * scale / s;
    let sums = window_sums(terms_beside.xy, terms, terms_beside.zw);
    dx[i] = {{ stored }}(slope * scale - 2.0 * params.alpha * params.beta * own * sums);
    {% endif %}
}
{% else %}
{% if not forward %}
// s of one channel of the row that starts at `row`.
fn scale(row: u32, channel: u32) -> f32 {
    var sum = 0.0;
    let end = min(channel + params.after + 1u, params.channels);
    for (var j = channel - min(channel, params.before); j < end; j++) {
        let value = f32(x[row + j]);
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
        let value = f32(x[row + j]);
        {% if forward %}
        let term = value * value;
        {% else %}
        let s = scale(row, j);
        let term = f32(dy[row + j]) * value * power(s) / s;
        {% endif %}
        sum += select(vec4<f32>(0.0), vec4<f32>(term), (vec4<u32>(j) >= low) & (vec4<u32>(j) <= high));
    }
    {% for k in range(4) %}
    if first + {{ k }}u < params.channels {
        let at = row + first + {{ k }}u;
        {% if forward %}
        y[at] = {{ dtype }}(f32(x[at]) * power(params.bias + params.alpha * sum[{{ k }}]));
        {% else %}
        dx[at] = {{ dtype }}(f32(dy[at]) * power(scale(row, first + {{ k }}u)) - 2.0 * params.alpha * params.beta * f32(x[at]) * sum[{{ k }}]);
        {% endif %}
    }
    {% endfor %}
}
{% endif %}
