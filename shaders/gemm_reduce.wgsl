// The second half of a matrix product whose K is split or that adds to C: C = alpha (sum over s of partial[s]) + beta C + bias, then
// ReLU if asked for.
// The stretches of K are added in their order, so the result does not depend on the device's scheduling.
//
// partial: [splits, m, n], splits = ceil(k / k_per_split); bias: [n]; c: [m, ldc] from c_offset on.
// One invocation computes one element, or with `vector` (n, ldc and c_offset are multiples of 4) four neighbours.

struct Params {
    m: u32,
    n: u32,
    k: u32,
    lda: u32,
    ldb: u32,
    ldc: u32,
    a_offset: u32,
    b_offset: u32,
    c_offset: u32,
    k_per_split: u32,
    alpha: f32,
    beta: f32,
    relu: u32,
    layers: u32,
}

{% set type = "vec4<f32>" if vector else "f32" %}
{% set dtype_vec = "vec4<" ~ dtype ~ ">" if vector else dtype %}
{% set count = " / 4u" if vector else "" %}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partial: array<{{ type }}>;
{% if has_bias %}
@group(0) @binding(2) var<storage, read> bias: array<{{ type }}>;
{% endif %}
@group(0) @binding({{ 3 if has_bias else 2 }}) var<storage, read_write> c: array<{{ dtype_vec }}>;

{% include "shared/linear_index.wgsl" %}
{% include "shared/by_bits.wgsl" %}

@compute @workgroup_size(64)
fn gemm_reduce(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    let columns = params.n{{ count }};
    let size = params.m * columns;
    if i >= size {
        return;
    }
    let splits = (params.k + params.k_per_split - 1u) / params.k_per_split;
    var sum = {{ type }}(0.0);
    for (var s = 0u; s < splits; s++) {
        sum += partial[s * size + i];
    }
    let at = (params.c_offset{{ count }}) + i / columns * (params.ldc{{ count }}) + i % columns;
    var value = params.alpha * sum;
    if params.beta != 0.0 {
        value += params.beta * {{ type }}(c[at]);
    }
    {% if has_bias %}
    value += bias[i % columns];
    {% endif %}
    {% if vector %}
    value = select(value, vec4<f32>(0.0), are_at_most_zero(value) & vec4<bool>(params.relu != 0u));
    {% else %}
    value = select(value, 0.0, is_at_most_zero(value) & (params.relu != 0u));
    {% endif %}
    c[at] = {{ dtype_vec }}(value);
}
