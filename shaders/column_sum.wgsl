// Sums of columns in a fixed order: y[p, j] = sum of x[i, j] over the rows i of part p. The launch repeats it, with the parts as the
// rows of the next turn, until one part is left.
//
// x: [rows, columns]; y: [ceil(rows / rows_per_part), columns]; `vector`: columns is a multiple of 4, and one column of the kernel is
// four of them. Workgroup (i, p) takes 16 columns of part p.

struct Params {
    rows: u32,
    columns: u32,
    rows_per_part: u32,
}

{% set type = "vec4<f32>" if vector else "f32" %}
{% set names = ["sum"] %}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<{{ "vec4<" ~ dtype ~ ">" if vector else dtype }}>;
@group(0) @binding(2) var<storage, read_write> y: array<{{ type }}>;

{% include "shared/column_tree.wgsl" %}

fn terms(row: u32, column: u32) -> Terms {
    return Terms({{ type }}(x[row * (params.columns{{ " / 4u" if vector }}) + column]));
}

@compute @workgroup_size(16, 16)
fn column_sum(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let columns = params.columns{{ " / 4u" if vector }};
    let column = group.x * 16u + local.x;
    let first = group.y * params.rows_per_part;
    let sums = column_tree(local, column, columns, first, min(first + params.rows_per_part, params.rows));
    if local.y == 0u && column < columns {
        y[group.y * columns + column] = sums.sum;
    }
}
