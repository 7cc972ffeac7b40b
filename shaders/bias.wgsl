// Bias: y[i, j] = x[i, j] + bias[j], then ReLU with `relu`. Its gradient is column_sum.
//
// x, y: [rows, columns] with n = rows * columns elements; bias: [columns]. One invocation computes one element, or with `vector`
// (columns is a multiple of 4) four neighbouring ones.

struct Params {
    n: u32,
    columns: u32,
}

{% set type = "vec4<f32>" if vector else "f32" %}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<{{ type }}>;
@group(0) @binding(2) var<storage, read> bias: array<{{ type }}>;
@group(0) @binding(3) var<storage, read_write> y: array<{{ type }}>;

{% include "shared/linear_index.wgsl" %}
{% if relu %}
{% include "shared/by_bits.wgsl" %}
{% endif %}

@compute @workgroup_size(64)
fn bias_forward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i < params.n{{ " / 4u" if vector }} {
        let value = x[i] + bias[i % (params.columns{{ " / 4u" if vector }})];
        y[i] = {{ "select(value, " ~ type ~ "(0.0), " ~ ("are" if vector else "is") ~ "_at_most_zero(value))" if relu else "value" }};
    }
}
