// Gradient clipping by the global norm of many gradients (Pascanu 2013, algorithm 1), as PyTorch writes it:
//   total = (sum over all elements of |g|^p)^(1/p), or the largest |g|;  factor = min(1, max_norm / (total + 1e-6))
//
// clip_grad_norm_partial: gradient [n], padded to whole vec4s -> partials [offset + group]: a workgroup of 64 reduces
// 4,096 elements. clip_grad_norm_factor: partials [n] -> total [1], factor [1]: one workgroup reduces all of them.
// clip_grad_norm_scale: gradient [n] = factor [1] * gradient. Every sum is in an order that depends on n alone.

struct Params {
    n: u32,
    offset: u32,
    max_norm: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
{% if entry == "clip_grad_norm_partial" %}
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> partials: array<f32>;
{% elif entry == "clip_grad_norm_factor" %}
@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> total: array<f32>;
@group(0) @binding(3) var<storage, read_write> factor: array<f32>;
{% else %}
@group(0) @binding(1) var<storage, read> factor: array<f32>;
@group(0) @binding(2) var<storage, read_write> gradient: array<vec4<f32>>;
{% endif %}

{% if entry == "clip_grad_norm_scale" %}
{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn clip_grad_norm_scale(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i < (params.n + 3u) / 4u {
        gradient[i] = factor[0] * gradient[i];
    }
}
{% else %}
{% include "shared/by_bits.wgsl" %}

var<workgroup> lanes: array<f32, 64>;

fn join(a: f32, b: f32) -> f32 {
    {% if norm == 0 %}
    // A NaN wins, so that it is noticed.
    let larger = select(select(b, a, a > b), b, is_nan(b));
    return select(larger, a, is_nan(a));
    {% else %}
    return a + b;
    {% endif %}
}

// The value of all lanes joined, in lane 0.
fn reduce(lane: u32, value: f32) {
    lanes[lane] = value;
    workgroupBarrier();
    for (var width = 32u; width > 0u; width /= 2u) {
        if lane < width {
            lanes[lane] = join(lanes[lane], lanes[lane + width]);
        }
        workgroupBarrier();
    }
}
{% endif %}
{% if entry == "clip_grad_norm_partial" %}

fn term(x: f32) -> f32 {
    {% if norm == 2 %}
    return x * x;
    {% else %}
    return abs(x);
    {% endif %}
}

@compute @workgroup_size(64)
fn clip_grad_norm_partial(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let part = group.y * groups.x + group.x;
    var sum = 0.0;
    for (var row = 0u; row < 16u; row++) {
        let i = (part * 16u + row) * 64u + lane;
        if 4u * i < params.n {
            let x = gradient[i];
            // The tail of the last vec4 is padding and may hold anything.
            let left = params.n - 4u * i;
            sum = join(sum, term(x.x));
            if left > 1u { sum = join(sum, term(x.y)); }
            if left > 2u { sum = join(sum, term(x.z)); }
            if left > 3u { sum = join(sum, term(x.w)); }
        }
    }
    reduce(lane, sum);
    // A grid that is folded into two dimensions may have workgroups past the last part.
    if lane == 0u && part < (params.n + 4095u) / 4096u {
        partials[params.offset + part] = lanes[0];
    }
}
{% elif entry == "clip_grad_norm_factor" %}

@compute @workgroup_size(64)
fn clip_grad_norm_factor(@builtin(local_invocation_index) lane: u32) {
    var sum = 0.0;
    for (var i = lane; i < params.n; i += 64u) {
        sum = join(sum, partials[i]);
    }
    reduce(lane, sum);
    if lane == 0u {
        {% if norm == 2 %}
        let norm = sqrt(lanes[0]);
        {% else %}
        let norm = lanes[0];
        {% endif %}
        let ratio = params.max_norm / (norm + 1e-6);
        total[0] = norm;
        // A NaN stays one.
        factor[0] = select(select(ratio, 1.0, ratio > 1.0), ratio, is_nan(norm));
    }
}
{% endif %}
