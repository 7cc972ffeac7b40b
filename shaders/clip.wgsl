// Clipping by the global norm (Pascanu 2013, section 3.2), in PyTorch's form: g = g min(1, max_norm / (norm + 1e-6)).
//
// square_sum: [1], the sum of squares over all gradients, from reduce_square_sum and reduce_sum. g: [n], padded to whole vec4s.
// One invocation computes four elements.

struct Params {
    n: u32,
    max_norm: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> square_sum: array<f32>;
@group(0) @binding(2) var<storage, read_write> g: array<vec4<f32>>;

{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn clip_scale(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i < (params.n + 3u) / 4u {
        g[i] = g[i] * min(1.0, params.max_norm / (sqrt(square_sum[0]) + 1e-6));
    }
}
