// Dropout (Krizhevsky 2012, section 4.2), scaled in training: y = 0 with probability `rate`, else scale x, where
// scale = 1 / (1 - rate). The backward pass is the same kernel on dy: the mask follows from seed, stream, step and
// position, so it is never stored.
//
// x, y: [n], any shape flattened, padded to whole vec4s. step: [8], the step's scalars: seed (low, high), step number.
// One invocation computes four elements from one block of Philox 4x32-10 with key (seed low, stream) and counter
// (element / 4, step, 0, seed high).
{# entry points: dropout_forward #}

struct Params {
    n: u32,
    stream: u32,
    rate: f32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<{{ dtype }}>>;
@group(0) @binding(2) var<storage, read> step: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<{{ dtype }}>>;

{% include "shared/linear_index.wgsl" %}
{% include "shared/philox.wgsl" %}
{% include "shared/step.wgsl" %}

@compute @workgroup_size(64)
fn dropout_forward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i < (params.n + 3u) / 4u {
        let bits = philox(vec4<u32>(i, step[STEP], 0u, step[SEED_HIGH]), vec2<u32>(step[SEED_LOW], params.stream));
        let dropped = uniform_floats(bits) < vec4<f32>(params.rate);
        y[i] = vec4<{{ dtype }}>(select(params.scale * vec4<f32>(x[i]), vec4<f32>(0.0), dropped));
    }
}
