// Sums of columns in a fixed order: y[p, j] = sum of x[i, j] over the rows i of part p. The launch repeats it, with the parts as the
// rows of the next turn, until one part is left.
//
// x: [rows, columns]; y: [ceil(rows / rows_per_part), columns]. One invocation adds up one column of one part, or with `vector`
// (columns is a multiple of 4) four neighbouring columns.

struct Params {
    rows: u32,
    columns: u32,
    rows_per_part: u32,
}

{% set type = "vec4<f32>" if vector else "f32" %}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<{{ "vec4<" ~ real ~ ">" if vector else real }}>;
@group(0) @binding(2) var<storage, read_write> y: array<{{ type }}>;

{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn column_sum(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    let columns = params.columns{{ " / 4u" if vector }};
    let first = i / columns * params.rows_per_part;
    if first >= params.rows {
        return;
    }
    let end = min(first + params.rows_per_part, params.rows);
    var sum = {{ type }}(0.0);
    for (var row = first; row < end; row++) {
        sum += {{ type }}(x[row * columns + i % columns]);
    }
    y[i] = sum;
}
