// Max-pooling and its gradient (Krizhevsky 2012, section 3.4, with overlapping windows).
// y[n, oy, ox, c] = max over ky, kx of x[n, oy stride - pad + ky dilation, ox stride - pad + kx dilation, c]; padding never wins.
//
// x, dx: [n, h, w, c]; y, dy: [n, out_h, out_w, c]; argmax: [n, out_h, out_w, c] as u32, the winner's index iy * w + ix in its image.
// The first of equal maxima in row-major order wins; a NaN wins over everything, the last one over the others, as in PyTorch.
// One invocation computes one element, or with `vector` (c is a multiple of 4) four neighbouring channels. The backward kernel is a
// gather: every input pixel asks the windows that contain it, in order, whether it won.

struct Params {
    n: u32,
    h: u32,
    w: u32,
    c: u32,
    kh: u32,
    kw: u32,
    stride_h: u32,
    stride_w: u32,
    pad_top: u32,
    pad_left: u32,
    dilation_h: u32,
    dilation_w: u32,
    out_h: u32,
    out_w: u32,
}

{% set forward = entry == "max_pool_forward" %}
{% set value_type = "vec4<f32>" if vector else "f32" %}
{% set stored_type = "vec4<" ~ dtype ~ ">" if vector else dtype %}
{% set index_type = "vec4<u32>" if vector else "u32" %}
@group(0) @binding(0) var<uniform> params: Params;
{% if forward %}
@group(0) @binding(1) var<storage, read> x: array<{{ stored_type }}>;
@group(0) @binding(2) var<storage, read_write> y: array<{{ stored_type }}>;
@group(0) @binding(3) var<storage, read_write> argmax: array<{{ index_type }}>;
{% else %}
@group(0) @binding(1) var<storage, read> dy: array<{{ stored_type }}>;
@group(0) @binding(2) var<storage, read> argmax: array<{{ index_type }}>;
@group(0) @binding(3) var<storage, read_write> dx: array<{{ stored_type }}>;

// The first window that reaches position `at` of the padded image.
fn first_window(at: u32, kernel: u32, dilation: u32, stride: u32) -> u32 {
    let reach = (kernel - 1u) * dilation;
    return (max(at, reach) - reach + stride - 1u) / stride;
}

{% endif %}
{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn {{ entry }}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    let channels = params.c{{ " / 4u" if vector }};
    let channel = i % channels;
    let pixel = i / channels;
    {% if forward %}
    let row = pixel / params.out_w;
    let image = row / params.out_h;
    if image >= params.n {
        return;
    }
    // Minus infinity. Of a variable, because a constant expression must be finite (WGSL, section 8.1.1).
    var lowest = 0xff800000u;
    var best = {{ value_type }}(bitcast<f32>(lowest));
    var index = {{ index_type }}(0xffffffffu);
    for (var ky = 0u; ky < params.kh; ky++) {
        // What lies left of or above the image wraps to a huge number.
        let iy = row % params.out_h * params.stride_h + ky * params.dilation_h - params.pad_top;
        if iy >= params.h {
            continue;
        }
        for (var kx = 0u; kx < params.kw; kx++) {
            let ix = pixel % params.out_w * params.stride_w + kx * params.dilation_w - params.pad_left;
            if ix >= params.w {
                continue;
            }
            let value = {{ value_type }}(x[((image * params.h + iy) * params.w + ix) * channels + channel]);
            // By its bits, since a driver may assume that there is no NaN.
            let nan = (bitcast<{{ index_type }}>(value) & {{ index_type }}(0x7fffffffu)) > {{ index_type }}(0x7f800000u);
            let old_nan = (bitcast<{{ index_type }}>(best) & {{ index_type }}(0x7fffffffu)) > {{ index_type }}(0x7f800000u);
            let wins = nan | ((value > best) & !old_nan) | (index == {{ index_type }}(0xffffffffu));
            best = select(best, value, wins);
            index = select(index, {{ index_type }}(iy * params.w + ix), wins);
        }
    }
    y[i] = {{ stored_type }}(best);
    argmax[i] = index;
    {% else %}
    let row = pixel / params.w;
    let image = row / params.h;
    if image >= params.n {
        return;
    }
    let iy = row % params.h;
    let ix = pixel % params.w;
    let last_y = min((iy + params.pad_top) / params.stride_h + 1u, params.out_h);
    let last_x = min((ix + params.pad_left) / params.stride_w + 1u, params.out_w);
    var sum = {{ value_type }}(0.0);
    for (var oy = first_window(iy + params.pad_top, params.kh, params.dilation_h, params.stride_h); oy < last_y; oy++) {
        for (var ox = first_window(ix + params.pad_left, params.kw, params.dilation_w, params.stride_w); ox < last_x; ox++) {
            let at = ((image * params.out_h + oy) * params.out_w + ox) * channels + channel;
            sum += select({{ value_type }}(0.0), {{ value_type }}(dy[at]), argmax[at] == {{ index_type }}(iy * params.w + ix));
        }
    }
    dx[i] = {{ stored_type }}(sum);
    {% endif %}
}
