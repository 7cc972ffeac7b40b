// Exponential moving average (EMA) of weights, at step t = 1, 2, ...:
//   y = y + s (x - y)
// ema: in every step (Polyak and Juditsky 1992; the slow start is TensorFlow's), s = max(1 - decay, 9 / (10 + t)).
// ema_scheduled: s comes with the step's scalars, and a negative one leaves both as they are. From the nearer end, so that 0
// leaves y, and 1 gives x, bit for bit. With write_back the weights become the average, x = y (Zhang et al. 2019: lookahead).
//
// x, y: [n], padded to whole vec4s; step: the step's scalars (kernels/src/step.rs). One invocation computes four elements;
// the tail of the last vec4 may hold anything.
{# entry points: ema ema_scheduled #}

struct Params {
    n: u32,
    rest: f32, // 1 - decay
    write_back: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
{% if entry == "ema" %}
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> step: array<u32>;
{% else %}
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read_write> x: array<vec4<f32>>;
{% endif %}
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

{% include "shared/step.wgsl" %}
{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn {{ entry }}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i >= (params.n + 3u) / 4u {
        return;
    }
    {% if entry == "ema" %}
    let share = max(params.rest, 9.0 / (10.0 + f32(step[STEP])));
    y[i] = y[i] + share * (x[i] - y[i]);
    {% else %}
    let share = bitcast<f32>(step[AVERAGE_SHARE]);
    if share < 0.0 {
        return;
    }
    let way = x[i] - y[i];
    let average = select(x[i] - (1.0 - share) * way, y[i] + share * way, share < 0.5);
    y[i] = average;
    if params.write_back != 0u {
        x[i] = average;
    }
    {% endif %}
}
