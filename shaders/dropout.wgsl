// Dropout (Hinton 2012; Krizhevsky 2012, section 4.2), inverted: y = x scale where u >= rate, else 0, with u uniform in [0, 1).
// The backward pass is the same kernel on dy: the mask is not stored but drawn again, from seed, stream, step and element.
//
// x, y: [n], padded to whole vec4s. step: the step's scalars (shared/step.wgsl). One invocation draws one Philox block and computes
// four elements: key (seed low, seed high ^ stream), counter (element / 4, step, 0, 0).

struct Params {
    n: u32,
    stream: u32,
    rate: f32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

{% include "shared/step.wgsl" %}
{% include "shared/philox.wgsl" %}
{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn dropout_forward(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i < (params.n + 3u) / 4u {
        let key = vec2<u32>(step[SEED_LOW], step[SEED_HIGH] ^ params.stream);
        let u = uniform_floats(philox(vec4<u32>(i, step[STEP], 0u, 0u), key));
        y[i] = select(vec4<f32>(0.0), x[i] * params.scale, u >= vec4<f32>(params.rate));
    }
}
