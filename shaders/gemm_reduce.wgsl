// The second half of a matrix product whose K is split or that adds to C: C = alpha (sum over s of partial[s]) + beta C + bias, then
// ReLU if asked for.
// The stretches of K are added in their order, so the result does not depend on the device's scheduling.
//
// partial: [splits, m, n], splits = ceil(k / k_per_split); bias: [n]; c: [m, ldc] from c_offset on.
// One invocation computes one element.

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
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
{% if has_bias %}
@group(0) @binding(2) var<storage, read> bias: array<f32>;
{% endif %}
@group(0) @binding({{ 3 if has_bias else 2 }}) var<storage, read_write> c: array<{{ real }}>;

{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn gemm_reduce(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    let size = params.m * params.n;
    if i >= size {
        return;
    }
    let splits = (params.k + params.k_per_split - 1u) / params.k_per_split;
    var sum = 0.0;
    for (var s = 0u; s < splits; s++) {
        sum += partial[s * size + i];
    }
    let at = params.c_offset + i / params.n * params.ldc + i % params.n;
    var value = params.alpha * sum;
    if params.beta != 0.0 {
        value += params.beta * f32(c[at]);
    }
    {% if has_bias %}
    value += bias[i % params.n];
    {% endif %}
    c[at] = {{ real }}(select(value, 0.0, params.relu != 0u && value <= 0.0));
}
