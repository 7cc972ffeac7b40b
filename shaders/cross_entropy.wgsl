// Softmax and cross-entropy in one, with label smoothing (Szegedy 2016, section 7), class weights w and soft targets t:
// q_c = w_c ((1 - smoothing) t_c + smoothing / classes), t one-hot for labels;  loss = - sum of q_c log p_c;  p = softmax(logits)
// Mean: sum of losses / sum of row weights; a row weighs w_label, or 1 with soft targets. A label >= classes is ignored: loss, weight 0.
//
// forward    logits: [rows, classes]; target: [rows] u32 or [rows, classes]; weights: [classes] -> per_row: [3, rows] losses, weights,
//            sums of q; probabilities: [rows, classes]. One invocation, or with lanes > 1 one workgroup, computes one row.
// reduce     per_row -> total: [2] the loss and what the sum was divided by. One workgroup of 64.
// backward   dlogits_c = g (p_c sum of q - q_c), g = dloss[row] (reduction 0, none), dloss[0] / total[1] (1, mean), dloss[0] (2, sum).
//            One invocation computes one element.

struct Params {
    rows: u32,
    classes: u32,
    smoothing: f32,
    reduction: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
{% set target_type = "f32" if soft else "u32" %}
{% if entry == "cross_entropy_forward" %}
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<{{ target_type }}>;
{% if weighted %}
@group(0) @binding(3) var<storage, read> weights: array<f32>;
{% endif %}
@group(0) @binding({{ 3 + weighted }}) var<storage, read_write> per_row: array<f32>;
@group(0) @binding({{ 4 + weighted }}) var<storage, read_write> probabilities: array<f32>;
{% elif entry == "cross_entropy_reduce" %}
@group(0) @binding(1) var<storage, read> per_row: array<f32>;
@group(0) @binding(2) var<storage, read_write> total: array<f32>;
{% else %}
@group(0) @binding(1) var<storage, read> probabilities: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<{{ target_type }}>;
{% if weighted %}
@group(0) @binding(3) var<storage, read> weights: array<f32>;
{% endif %}
@group(0) @binding({{ 3 + weighted }}) var<storage, read> per_row: array<f32>;
@group(0) @binding({{ 4 + weighted }}) var<storage, read> total: array<f32>;
@group(0) @binding({{ 5 + weighted }}) var<storage, read> dloss: array<f32>;
@group(0) @binding({{ 6 + weighted }}) var<storage, read_write> dlogits: array<f32>;
{% endif %}

{% if entry != "cross_entropy_reduce" %}
// q of one class of one row that is not ignored.
fn target_of(row: u32, class_index: u32) -> f32 {
    {% if soft %}
    let hit = targets[row * params.classes + class_index];
    {% else %}
    let hit = select(0.0, 1.0, targets[row] == class_index);
    {% endif %}
    return {{ "weights[class_index] * " if weighted }}(hit * (1.0 - params.smoothing) + params.smoothing / f32(params.classes));
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
    var largest = logits[first];
    for (var j = lane; j < params.classes; j += LANES) {
        largest = max(largest, logits[first + j]);
    }
    largest = row_max(largest, lane);
    var sum = 0.0;
    for (var j = lane; j < params.classes; j += LANES) {
        sum += exp(logits[first + j] - largest);
    }
    sum = row_sum(sum, lane);
    let log_sum = log(sum);
    {% if soft %}
    let used = true;
    {% else %}
    let used = targets[row] < params.classes;
    {% endif %}
    var loss = 0.0;
    var q_sum = 0.0;
    for (var j = lane; j < params.classes; j += LANES) {
        let shifted = logits[first + j] - largest;
        probabilities[first + j] = exp(shifted) / sum;
        let q = target_of(row, j);
        q_sum += q;
        // Without this test a class of probability 0 and target 0 would give 0 * infinity.
        loss += select(0.0, q * (log_sum - shifted), q != 0.0);
    }
    loss = row_sum(loss, lane);
    q_sum = row_sum(q_sum, lane);
    if lane == 0u {
        {% if weighted and not soft %}
        let weight = weights[select(0u, targets[row], used)];
        {% else %}
        let weight = 1.0;
        {% endif %}
        per_row[row] = select(0.0, loss, used);
        per_row[params.rows + row] = select(0.0, weight, used);
        per_row[2u * params.rows + row] = select(0.0, q_sum, used);
    }
}
{% elif entry == "cross_entropy_reduce" %}
{% set lanes = 64 %}
{% include "shared/rows.wgsl" %}

@compute @workgroup_size(64)
fn cross_entropy_reduce(@builtin(local_invocation_index) lane: u32) {
    var loss = 0.0;
    var weight = 0.0;
    for (var row = lane; row < params.rows; row += LANES) {
        loss += per_row[row];
        weight += per_row[params.rows + row];
    }
    loss = row_sum(loss, lane);
    weight = row_sum(weight, lane);
    if lane == 0u {
        let divisor = select(1.0, weight, params.reduction == 1u);
        total[0] = loss / divisor;
        total[1] = divisor;
    }
}
{% else %}
{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn cross_entropy_backward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    let row = i / params.classes;
    if row >= params.rows {
        return;
    }
    {% if soft %}
    let used = true;
    {% else %}
    let used = targets[row] < params.classes;
    {% endif %}
    let g = dloss[select(0u, row, params.reduction == 0u)] / total[1];
    let value = g * (probabilities[i] * per_row[2u * params.rows + row] - target_of(row, i % params.classes));
    dlogits[i] = select(0.0, value, used);
}
{% endif %}
