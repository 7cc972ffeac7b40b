// The k largest elements of each row, in falling order: element j goes to place r, where r is how many elements of its row come before
// it: larger ones, and equal ones of a lower index. A NaN is larger than all. Counting needs neither a sort nor a barrier.
//
// x: [rows, classes]; values, indices: [rows, k], the latter words. One invocation places one element of x.
{# entry points: top_k_forward #}

struct Params {
    rows: u32,
    classes: u32,
    k: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> values: array<f32>;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>;

{% include "shared/linear_index.wgsl" %}
{% include "shared/ordered.wgsl" %}

@compute @workgroup_size(64)
fn top_k_forward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    let row = i / params.classes;
    if row >= params.rows {
        return;
    }
    let j = i % params.classes;
    let own = ordered(x[i]);
    var place = 0u;
    for (var c = 0u; c < params.classes; c++) {
        let other = ordered(x[row * params.classes + c]);
        if other > own || (other == own && c < j) {
            place++;
        }
    }
    if place < params.k {
        values[row * params.k + place] = x[i];
        indices[row * params.k + place] = j;
    }
}
