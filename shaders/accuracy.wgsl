// How often a classifier is right, added up on the device so that a training loop reads four numbers now and then.
// rank       ranks[row] = how many classes come before the label by their logits, the lower class first among equal ones;
//            2^32 - 2, which is among no first k, where the label is no class or any logit of the row is a NaN;
//            2^32 - 1 where the label is 2^32 - 1 (padding).
//            best[row] = the class at rank 0; 2^32 - 1, no class, where a logit is a NaN.
// add        totals += [loss count, rows of rank 0, rows of rank under 5, count], count being the rows that are no padding.
// confusion  counts[label, best[row]] += 1 for every row whose label and best are classes. Whole numbers: their order does not matter.
//
// logits: [rows, classes]; labels, ranks, best: [rows]; loss: [1], the mean over the rows; totals: [4]; counts: [classes, classes].
// rank, confusion: one invocation computes one row. add: one workgroup.
{# entry points: accuracy_add accuracy_confusion accuracy_rank #}

struct Params {
    rows: u32,
    classes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
{% if entry == "accuracy_rank" %}
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> ranks: array<u32>;
@group(0) @binding(4) var<storage, read_write> best: array<u32>;
{% elif entry == "accuracy_add" %}
@group(0) @binding(1) var<storage, read> ranks: array<u32>;
@group(0) @binding(2) var<storage, read> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> totals: array<f32>;
{% else %}
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> best: array<u32>;
@group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>;
{% endif %}

{% if entry == "accuracy_add" %}
{% set lanes = 64 %}
{% include "shared/rows.wgsl" %}

@compute @workgroup_size(64)
fn accuracy_add(@builtin(local_invocation_index) lane: u32) {
    var first = 0.0;
    var first_five = 0.0;
    var count = 0.0;
    for (var row = lane; row < params.rows; row += LANES) {
        let rank = ranks[row];
        first += select(0.0, 1.0, rank == 0u);
        first_five += select(0.0, 1.0, rank < 5u);
        count += select(0.0, 1.0, rank != 0xffffffffu);
    }
    first = row_sum(first, lane);
    first_five = row_sum(first_five, lane);
    count = row_sum(count, lane);
    if lane == 0u && count > 0.0 {
        totals[0] += loss[0] * count;
        totals[1] += first;
        totals[2] += first_five;
        totals[3] += count;
    }
}
{% else %}
{% include "shared/linear_index.wgsl" %}

{% if entry == "accuracy_rank" %}
{% include "shared/ordered.wgsl" %}
{% endif %}

@compute @workgroup_size(64)
fn {{ entry }}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let row = linear_index(id, groups);
    if row >= params.rows {
        return;
    }
    let label = labels[row];
    {% if entry == "accuracy_rank" %}
    let start = row * params.classes;
    let own = ordered(logits[start + min(label, params.classes - 1u)]);
    var rank = 0u;
    var winner = 0u;
    var most = 0u;
    var has_nan = false;
    for (var c = 0u; c < params.classes; c++) {
        let x = ordered(logits[start + c]);
        if x > own || (x == own && c < label) {
            rank++;
        }
        if x > most {
            most = x;
            winner = c;
        }
        has_nan |= x == 0xffffffffu;
    }
    if has_nan {
        winner = 0xffffffffu;
    }
    if has_nan || label >= params.classes {
        rank = select(0xfffffffeu, 0xffffffffu, label == 0xffffffffu);
    }
    ranks[row] = rank;
    best[row] = winner;
    {% else %}
    if label < params.classes && best[row] < params.classes {
        atomicAdd(&counts[label * params.classes + best[row]], 1u);
    }
    {% endif %}
}
{% endif %}
