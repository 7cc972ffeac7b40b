// Exponential moving average (EMA) of weights (Polyak and Juditsky 1992; the slow start is TensorFlow's), at step t = 1, 2, ...:
//   y = y + s (x - y),  s = max(1 - decay, 9 / (10 + t))
//
// x, y: [n], padded to whole vec4s; step: the step's scalars (kernels/src/step.rs). One invocation computes four elements;
// the tail of the last vec4 may hold anything.
{# entry points: ema #}

struct Params {
    n: u32,
    rest: f32, // 1 - decay
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> step: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

{% include "shared/step.wgsl" %}
{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn ema(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i < (params.n + 3u) / 4u {
        let share = max(params.rest, 9.0 / (10.0 + f32(step[STEP])));
        y[i] = y[i] + share * (x[i] - y[i]);
    }
}
