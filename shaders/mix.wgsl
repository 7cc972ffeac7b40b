// A batch mixed with itself backwards, as the step's scalars say: image i with image n - 1 - i.
//   mixup (Zhang 2018): y = share x + (1 - share) partner;  targets = share one_hot(label) + (1 - share) one_hot(partner's)
//   cutmix (Yun 2019): a rectangle of y comes from the partner; share is the area that does not
// The rectangle has `MIX_SHARE` of the image's sides (the host takes the root) about a random pixel, and is cut at the
// image's edge. A row whose label or whose partner's is padding (2^32 - 1) stays as it is, a padded one has no target.
//
// x, y: [n, h, w, channels]; labels: [n]; step: shared/step.wgsl; targets: [n, classes]. One invocation computes one
// element. Random numbers: Philox key (seed low, stream), counter (0, step, 0, seed high).
{# entry points: mix_images mix_targets #}

struct Params {
    n: u32,
    h: u32,
    w: u32,
    // Channels of an image, or classes of a target.
    channels: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
{% if entry == "mix_images" %}
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read> step: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
{% else %}
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> step: array<u32>;
@group(0) @binding(3) var<storage, read_write> targets: array<f32>;
{% endif %}

{% include "shared/step.wgsl" %}
{% include "shared/philox.wgsl" %}
{% include "shared/linear_index.wgsl" %}

const STREAM = 0x6d697865u;
const PADDING = 0xffffffffu;

// Top, left, bottom and right of the rectangle.
fn rectangle() -> vec4<f32> {
    let counter = vec4<u32>(0u, step[STEP], 0u, step[SEED_HIGH]);
    let u = vec4<f32>(philox(counter, vec2<u32>(step[SEED_LOW], STREAM)) >> vec4<u32>(8u)) * 5.9604644775390625e-8;
    let size = vec2<f32>(f32(params.h), f32(params.w));
    let sides = floor(bitcast<f32>(step[MIX_SHARE]) * size);
    let start = floor(u.xy * size) - floor(sides * 0.5);
    return vec4<f32>(max(start, vec2<f32>(0.0)), min(start + sides, size));
}

// The image that image i is mixed with: itself where one of the two is padding.
fn partner_of(i: u32) -> u32 {
    let partner = params.n - 1u - i;
    return select(partner, i, labels[i] == PADDING || labels[partner] == PADDING);
}

@compute @workgroup_size(64)
fn {{ entry }}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    let mode = step[MIX_MODE];
    {% if entry == "mix_images" %}
    let image = params.h * params.w * params.channels;
    if i >= params.n * image {
        return;
    }
    let own = x[i];
    let other = x[partner_of(i / image) * image + i % image];
    if mode == 1u {
        let share = bitcast<f32>(step[MIX_SHARE]);
        y[i] = share * own + (1.0 - share) * other;
    } else if mode == 2u {
        let r = rectangle();
        let pixel = i % image / params.channels;
        let at = vec2<f32>(f32(pixel / params.w), f32(pixel % params.w));
        let is_inside = at.x >= r.x && at.y >= r.y && at.x < r.z && at.y < r.w;
        y[i] = select(own, other, is_inside);
    } else {
        y[i] = own;
    }
    {% else %}
    if i >= params.n * params.channels {
        return;
    }
    var share = 1.0;
    if mode == 1u {
        share = bitcast<f32>(step[MIX_SHARE]);
    } else if mode == 2u {
        let r = rectangle();
        let area = max(r.z - r.x, 0.0) * max(r.w - r.y, 0.0);
        share = 1.0 - area / (f32(params.h) * f32(params.w));
    }
    let row = i / params.channels;
    let class_index = i % params.channels;
    let own = select(0.0, share, labels[row] == class_index);
    targets[i] = own + select(0.0, 1.0 - share, labels[partner_of(row)] == class_index);
    {% endif %}
}
