// Softmax and cross-entropy in one, stable for any finite logits x: with m = max x, z = sum exp(x - m) and
// -log p_c = log z - (x_c - m), a row's loss is sum over c of t_c (-log p_c). Labels y with smoothing e and class weights
// w have t_c = w_c ((1 - e) [c = y] + e / classes), soft targets q have t_c = w_c ((1 - e) q_c + e / classes).
// dx_c = g (W p_c - t_c), W = sum of t; g is the row's upstream gradient, or the loss's (divided by the rows' weight for
// the mean: w_y each, 0 where ignored, 1 with soft targets).
//
// logits: [rows, classes], or log-probabilities taken as they are (is_log: m = 0, z = 1, no W). targets: [rows] labels,
// 2^32 - 1 and ignore_index being ignored, others beyond the classes giving NaN; or [rows, classes]. weights: [classes].
// losses: [rows]. kept: [rows] of (m, z, W, weight). total: [2], the reduced loss and the rows' weight. dlogits as logits.
// Forward: an invocation takes a row, or with lanes > 1 a workgroup. Total: one workgroup. Backward: one invocation computes one element.

struct Params {
    rows: u32,
    classes: u32,
    ignore_index: u32,
    reduction: u32,
    smoothing: f32,
    is_log: u32,
}

{% set is_total = entry == "cross_entropy_total" %}
@group(0) @binding(0) var<uniform> params: Params;
{% if is_total %}
@group(0) @binding(1) var<storage, read> losses: array<f32>;
@group(0) @binding(2) var<storage, read> kept: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> total: array<f32>;
{% else %}
@group(0) @binding(1) var<storage, read> logits: array<f32>;
{% if soft %}
@group(0) @binding(2) var<storage, read> targets: array<f32>;
{% else %}
@group(0) @binding(2) var<storage, read> targets: array<u32>;
{% endif %}
{% if entry == "cross_entropy_forward" %}
{% set next = 3 %}
@group(0) @binding({{ 3 + weighted }}) var<storage, read_write> losses: array<f32>;
@group(0) @binding({{ 4 + weighted }}) var<storage, read_write> kept: array<vec4<f32>>;
{% else %}
{% set next = 6 %}
@group(0) @binding(3) var<storage, read> kept: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> total: array<f32>;
@group(0) @binding(5) var<storage, read> dloss: array<f32>;
@group(0) @binding({{ 6 + weighted }}) var<storage, read_write> dlogits: array<f32>;
{% endif %}
{% if weighted %}
@group(0) @binding({{ next }}) var<storage, read> weights: array<f32>;
{% endif %}

fn class_weight(class_idx: u32) -> f32 {
    {% if weighted %}
    return weights[class_idx];
    {% else %}
    return 1.0;
    {% endif %}
}

// t_c of an element, the label's row being `target_row` (a label, or the row of soft targets).
fn target_of(target_row: u32, class_idx: u32) -> f32 {
    {% if soft %}
    let hot = targets[target_row * params.classes + class_idx];
    {% else %}
    let hot = select(0.0, 1.0, class_idx == target_row);
    {% endif %}
    let spread = params.smoothing / f32(params.classes);
    return class_weight(class_idx) * ((1.0 - params.smoothing) * hot + spread);
}
{% endif %}

{% if entry == "cross_entropy_forward" %}
{% include "shared/rows.wgsl" %}

@compute @workgroup_size({{ 64 if lanes == 1 else lanes }})
fn cross_entropy_forward(
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
    var m = -3.4028234663852886e38;
    for (var c = lane; c < params.classes; c += LANES) {
        m = max(m, logits[first + c]);
    }
    m = row_max(m, lane);
    var z = 0.0;
    for (var c = lane; c < params.classes; c += LANES) {
        z += exp(logits[first + c] - m);
    }
    z = row_sum(z, lane);
    if params.is_log != 0u {
        m = 0.0;
        z = 1.0;
    }
    let log_z = log(z);
    {% if soft %}
    let target_row = row;
    let is_ignored = false;
    var weight = 1.0;
    {% else %}
    let target_row = targets[row];
    let is_ignored = target_row == 0xffffffffu || target_row == params.ignore_index;
    var weight = 0.0;
    if !is_ignored && target_row < params.classes {
        weight = class_weight(target_row);
    }
    {% endif %}
    var loss = 0.0;
    var total_target = 0.0;
    for (var c = lane; c < params.classes; c += LANES) {
        let t = target_of(target_row, c);
        total_target += t;
        if t != 0.0 {
            loss += t * (log_z - (logits[first + c] - m));
        }
    }
    loss = row_sum(loss, lane);
    total_target = row_sum(total_target, lane);
    if lane == 0u {
        if is_ignored {
            loss = 0.0;
            weight = 0.0;
        }
        {% if not soft %}
        if !is_ignored && target_row >= params.classes {
            loss = bitcast<f32>(target_row | 0x7fc00000u);
            total_target = loss;
        }
        {% endif %}
        losses[row] = loss;
        kept[row] = vec4<f32>(m, z, total_target, weight);
    }
}
{% elif is_total %}
{% set lanes = 64 %}
{% include "shared/rows.wgsl" %}

@compute @workgroup_size(64)
fn cross_entropy_total(@builtin(local_invocation_index) lane: u32) {
    var loss = 0.0;
    var weight = 0.0;
    for (var row = lane; row < params.rows; row += LANES) {
        loss += losses[row];
        weight += kept[row].w;
    }
    loss = row_sum(loss, lane);
    weight = row_sum(weight, lane);
    if lane == 0u {
        total[0] = select(loss, loss / weight, params.reduction == 1u);
        total[1] = weight;
    }
}
{% else %}
{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn cross_entropy_backward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i >= params.rows * params.classes {
        return;
    }
    let row = i / params.classes;
    let c = i - row * params.classes;
    {% if soft %}
    let target_row = row;
    {% else %}
    let target_row = targets[row];
    if target_row == 0xffffffffu || target_row == params.ignore_index {
        dlogits[i] = 0.0;
        return;
    }
    {% endif %}
    var g = dloss[0];
    if params.reduction == 0u {
        g = dloss[row];
    } else if params.reduction == 1u {
        g = g / total[1];
    }
    let k = kept[row];
    var expected = 0.0;
    if params.is_log == 0u {
        expected = k.z * (exp(logits[i] - k.x) / k.y);
    }
    dlogits[i] = g * (expected - target_of(target_row, c));
}
{% endif %}
