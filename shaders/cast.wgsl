// Conversion between f32 and f16: y = x, rounded to the nearest f16 where y is f16 (Micikevicius 2018, section 3.1: the copy of
// the weights that products take). What is too large for f16 becomes infinite.
//
// x, y: [n], any shape flattened, padded to whole vec4s; one of them is f16: y, or with `widen` x. One invocation converts four
// elements; the tail of the last vec4 is padding and may hold anything.

struct Params {
    n: u32,
}

{% set from, to = (dtype, "f32") if widen else ("f32", dtype) %}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<{{ from }}>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<{{ to }}>>;

{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn cast_forward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i < (params.n + 3u) / 4u {
        y[i] = vec4<{{ to }}>(x[i]);
    }
}
