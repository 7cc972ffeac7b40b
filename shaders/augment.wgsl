// Training images from pixels: crop, resize, flip, colour, normalisation and erasing in one pass over the output.
//
// augment_plan: one invocation draws what happens to one image, from its number, the step and the seed (Philox key
// (seed low, stream), counter (sample, step, block, seed high)), and leaves a record of 22 floats:
//   0 1 where the output begins in the resized image   2 3 size of the resized image   4-7 top, left, height and width of
//   the window of the source that was resized   8 flip   9-11 gain   12-14 bias   15-18 top, left, height, width erased
//   19 the image's place in `pixels`: its place in the batch or, where the whole data set is there, its number; one behind
//   the last for a padded place, which is black   20 21 gain and bias of opacity, which brightness and contrast leave alone
// augment_apply: one invocation computes one output pixel: y = gain v + bias, with v in 0..=255 interpolated between
// pixels by a triangle as wide as the scale (so down-scaling does not alias), black outside of the image.
//
// With `reflect`, a place beside the resized image shows the one that is as far within. With `alternate`, half of the images
// are mirrored in even epochs, by their numbers (steps count from 1), and the others in odd ones.
//
// pixels: [images, in_h, in_w, c] bytes, four to a word; samples: [n]; step: shared/step.wgsl; plan: [n, 22];
// y: [n, out_h, out_w, c], with c = 1, 3 or 4 channels. Sizes are height before width.

struct Params {
    n: u32,
    // 1: `pixels` are a data set that `samples` point into; 0: they are the batch.
    resident: u32, images: u32,
    in_h: u32, in_w: u32, out_h: u32, out_w: u32, resized_h: u32, resized_w: u32,
    // 0: a window at (top, left) of the resized image; 1: a random one, up to `pad` outside; 2: a random area, resized.
    crop: u32, top: i32, left: i32, pad: u32, reflect: u32,
    area_low: f32, area_high: f32, ratio_low: f32, ratio_high: f32,
    flip: f32, alternate: u32, brightness: f32, contrast: f32,
    shift_rr: f32, shift_rg: f32, shift_rb: f32,
    shift_gr: f32, shift_gg: f32, shift_gb: f32,
    shift_br: f32, shift_bg: f32, shift_bb: f32,
    erase: f32, erase_low: f32, erase_high: f32, erase_ratio_low: f32, erase_ratio_high: f32,
    mean_r: f32, mean_g: f32, mean_b: f32, mean_a: f32,
    std_r: f32, std_g: f32, std_b: f32, deviation_a: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
{% if entry == "augment_plan" %}
@group(0) @binding(1) var<storage, read> samples: array<u32>;
@group(0) @binding(2) var<storage, read> step: array<u32>;
@group(0) @binding(3) var<storage, read_write> plan: array<f32>;

{% include "shared/step.wgsl" %}
{% include "shared/philox.wgsl" %}
{% include "shared/exact.wgsl" %}

const STREAM = 0x61756775u;
const ATTEMPTS = 10u;

// Four numbers in [0, 1).
fn draw(sample: u32, block: u32) -> vec4<f32> {
    let counter = vec4<u32>(sample, step[STEP], block, step[SEED_HIGH]);
    return vec4<f32>(philox(counter, vec2<u32>(step[SEED_LOW], STREAM)) >> vec4<u32>(8u)) * 5.9604644775390625e-8;
}

// Three near-normal numbers: sums of twelve uniform ones less 6, the same bits on every device.
fn normals(sample: u32) -> vec3<f32> {
    var sum = vec3<f32>(-6.0);
    for (var block = 0u; block < 3u; block++) {
        let a = draw(sample, 4u + 3u * block);
        let b = draw(sample, 5u + 3u * block);
        let c = draw(sample, 6u + 3u * block);
        sum += vec3<f32>(((a.x + a.y) + (a.z + a.w)), ((b.x + b.y) + (b.z + b.w)), ((c.x + c.y) + (c.z + c.w)));
    }
    return sum;
}

// A whole number in 0..count.
fn below(u: f32, count: f32) -> f32 {
    return min(floor(u * count), count - 1.0);
}

// The number from limits.x to limits.y that u from 0 to 1 means.
fn between(limits: vec2<f32>, u: f32, zero: u32) -> f32 {
    return settled(settled(limits.x * (1.0 - u), zero) + settled(limits.y * u, zero), zero);
}

// Top, left, height and width of a random part of a [h, w] image: its share of the area is uniform, its ratio of width to
// height log-uniform (limits as logarithms to base 2). One that does not fit is drawn again; height 0 if none did. Rounded at
// every step as on the CPU, so that no device is a pixel off.
fn part(sample: u32, block: u32, h: f32, w: f32, areas: vec2<f32>, ratios: vec2<f32>) -> vec4<f32> {
    // `resident` is 0 or 1.
    let zero = params.resident >> 1u;
    var found = vec4<f32>(0.0);
    for (var attempt = 0u; attempt < ATTEMPTS; attempt++) {
        let u = draw(sample, block + attempt);
        let area = settled(settled(h * w, zero) * between(areas, u.x, zero), zero);
        let ratio = power(between(ratios, u.y, zero));
        let part_h = floor(root(quotient(area, ratio)) + 0.5);
        let part_w = floor(root(settled(area * ratio, zero)) + 0.5);
        if found.z == 0.0 && part_h >= 1.0 && part_w >= 1.0 && part_h <= h && part_w <= w {
            found = vec4<f32>(below(u.z, h - part_h + 1.0), below(u.w, w - part_w + 1.0), part_h, part_w);
        }
    }
    return found;
}

@compute @workgroup_size(64)
fn augment_plan(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.n {
        return;
    }
    let sample = samples[id.x];
    let size = vec2<f32>(f32(params.in_h), f32(params.in_w));
    let out = vec2<f32>(f32(params.out_h), f32(params.out_w));
    var resized = vec2<f32>(f32(params.resized_h), f32(params.resized_w));
    let u = draw(sample, 0u);
    var begin = vec2<f32>(f32(params.top), f32(params.left));
    var window = vec4<f32>(0.0, 0.0, size);
    if params.crop == 1u {
        let pad = f32(params.pad);
        let places = resized + 2.0 * pad - out + 1.0;
        begin = vec2<f32>(below(u.y, places.x), below(u.z, places.y)) - pad;
    } else if params.crop == 2u {
        let areas = vec2<f32>(params.area_low, params.area_high);
        let found = part(sample, 16u, size.x, size.y, areas, vec2<f32>(params.ratio_low, params.ratio_high));
        window = select(window, found, vec4<bool>(found.z > 0.0));
        begin = vec2<f32>(0.0);
        resized = out;
    }
    let v = draw(sample, 1u);
    let bright = 1.0 + params.brightness * (2.0 * v.x - 1.0);
    let contrast = 1.0 + params.contrast * (2.0 * v.y - 1.0);
    let z = normals(sample);
    let shift = vec3<f32>(
        params.shift_rr * z.x + params.shift_rg * z.y + params.shift_rb * z.z,
        params.shift_gr * z.x + params.shift_gg * z.y + params.shift_gb * z.z,
        params.shift_br * z.x + params.shift_bg * z.y + params.shift_bb * z.z,
    );
    let mean = vec3<f32>(params.mean_r, params.mean_g, params.mean_b);
    let std_rgb = vec3<f32>(params.std_r, params.std_g, params.std_b);
    let gain = vec3<f32>(bright * contrast) / (255.0 * std_rgb);
    let bias = (shift - contrast * mean) / std_rgb;
    var erased = vec4<f32>(0.0);
    if v.z < params.erase {
        let areas = vec2<f32>(params.erase_low, params.erase_high);
        erased = part(sample, 32u, out.x, out.y, areas, vec2<f32>(params.erase_ratio_low, params.erase_ratio_high));
    }
    var is_flipped = u.x < params.flip;
    if params.alternate == 1u {
        let own = philox(vec4<u32>(sample, 0u, 0u, step[SEED_HIGH]), vec2<u32>(step[SEED_LOW], STREAM));
        is_flipped = (own.x >> 31u) != (step[EPOCH] & 1u);
    }
    let place = min(select(id.x, sample, params.resident == 1u), params.images);
    {% set record = [
        "begin.x", "begin.y", "resized.x", "resized.y", "window.x", "window.y", "window.z", "window.w",
        "select(0.0, 1.0, is_flipped)", "gain.x", "gain.y", "gain.z", "bias.x", "bias.y", "bias.z",
        "erased.x", "erased.y", "erased.z", "erased.w", "f32(place)",
        "1.0 / (255.0 * params.deviation_a)", "-params.mean_a / params.deviation_a",
    ] %}
    {% for value in record %}
    plan[22u * id.x + {{ loop.index0 }}u] = {{ value }};
    {% endfor %}
}
{% else %}
@group(0) @binding(1) var<storage, read> pixels: array<u32>;
@group(0) @binding(2) var<storage, read> plan: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

alias Pixel = {% if channels == 1 %}f32{% else %}vec{{ channels }}<f32>{% endif %};

{% include "shared/linear_index.wgsl" %}

fn byte(at: u32) -> f32 {
    return f32((pixels[at >> 2u] >> (8u * (at & 3u))) & 255u);
}

// The pixel of the image at a place; black outside.
fn pixel(place: u32, row: i32, column: i32) -> Pixel {
    if place >= params.images || row < 0 || column < 0 || row >= i32(params.in_h) || column >= i32(params.in_w) {
        return Pixel();
    }
    let at = {{ channels }}u * ((place * params.in_h + u32(row)) * params.in_w + u32(column));
    return Pixel(byte(at){% if channels > 1 %}, byte(at + 1u), byte(at + 2u){% endif %}{% if channels > 3 %}, byte(at + 3u){% endif %});
}
{% if resample %}

// Centre of the triangle over one axis of a window, and half its width.
fn triangle(at: f32, resized: f32, window: f32) -> vec2<f32> {
    let scale = window / resized;
    return vec2<f32>((at + 0.5) * scale, max(scale, 1.0));
}

fn resample(place: u32, at: vec2<f32>, resized: vec2<f32>, window: vec4<f32>) -> Pixel {
    if at.x < 0.0 || at.y < 0.0 || at.x >= resized.x || at.y >= resized.y {
        return Pixel();
    }
    let rows = triangle(at.x, resized.x, window.z);
    let columns = triangle(at.y, resized.y, window.w);
    let first = max(floor(vec2<f32>(rows.x - rows.y, columns.x - columns.y) + 0.5), vec2<f32>(0.0));
    let end = min(floor(vec2<f32>(rows.x + rows.y, columns.x + columns.y) + 0.5), window.zw);
    var sum = Pixel();
    var weights = 0.0;
    for (var i = first.x; i < end.x; i += 1.0) {
        let row_weight = max(0.0, 1.0 - abs(i + 0.5 - rows.x) / rows.y);
        for (var j = first.y; j < end.y; j += 1.0) {
            let weight = row_weight * max(0.0, 1.0 - abs(j + 0.5 - columns.x) / columns.y);
            sum += weight * pixel(place, i32(window.x + i), i32(window.y + j));
            weights += weight;
        }
    }
    return sum / weights;
}
{% endif %}

@compute @workgroup_size(64)
fn augment_apply(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i >= params.n * params.out_h * params.out_w {
        return;
    }
    let row = f32((i / params.out_w) % params.out_h);
    let column = f32(i % params.out_w);
    let r = 22u * (i / (params.out_h * params.out_w));
    let place = u32(plan[r + 19u]);
    var at = vec2<f32>(row, select(column, f32(params.out_w) - 1.0 - column, plan[r + 8u] > 0.0))
        + vec2<f32>(plan[r], plan[r + 1u]);
    if params.reflect == 1u {
        let last = vec2<f32>(plan[r + 2u], plan[r + 3u]) - 1.0;
        at = last - abs(last - abs(at));
    }
    {% if resample %}
    let window = vec4<f32>(plan[r + 4u], plan[r + 5u], plan[r + 6u], plan[r + 7u]);
    let v = resample(place, at, vec2<f32>(plan[r + 2u], plan[r + 3u]), window);
    {% else %}
    let v = pixel(place, i32(at.x), i32(at.y));
    {% endif %}
    {% if channels == 1 %}
    var result = plan[r + 9u] * v + plan[r + 12u];
    {% elif channels == 3 %}
    var result = vec3<f32>(plan[r + 9u], plan[r + 10u], plan[r + 11u]) * v
        + vec3<f32>(plan[r + 12u], plan[r + 13u], plan[r + 14u]);
    {% else %}
    var result = vec4<f32>(plan[r + 9u], plan[r + 10u], plan[r + 11u], plan[r + 20u]) * v
        + vec4<f32>(plan[r + 12u], plan[r + 13u], plan[r + 14u], plan[r + 21u]);
    {% endif %}
    let into = vec2<f32>(row - plan[r + 15u], column - plan[r + 16u]);
    if into.x >= 0.0 && into.y >= 0.0 && into.x < plan[r + 17u] && into.y < plan[r + 18u] {
        result = Pixel();
    }
    {% if channels == 1 %}
    y[i] = result;
    {% else %}
    y[{{ channels }}u * i] = result.x;
    y[{{ channels }}u * i + 1u] = result.y;
    y[{{ channels }}u * i + 2u] = result.z;
    {% if channels == 4 %}
    y[4u * i + 3u] = result.w;
    {% endif %}
    {% endif %}
}
{% endif %}
