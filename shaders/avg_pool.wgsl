// Average-pooling and its gradient. y[n, oy, ox, c] = sum over the window / number of taps counted.
// Taps inside the image are counted; with count_include_pad also those in the padding, but none beyond it (ceil mode), as in PyTorch.
//
// x, dx: [n, h, w, c]; y, dy: [n, out_h, out_w, c]. One invocation computes one element; the backward kernel gathers in a fixed order.
{# entry points: avg_pool_backward avg_pool_forward #}

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
    pad_bottom: u32,
    pad_right: u32,
    count_include_pad: u32,
}

{% set forward = entry == "avg_pool_forward" %}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> {{ "x" if forward else "dy" }}: array<{{ dtype }}>;
@group(0) @binding(2) var<storage, read_write> {{ "y" if forward else "dx" }}: array<{{ dtype }}>;

{% include "shared/linear_index.wgsl" %}

// Taps counted along one axis, for a window that starts at `start` of the padded axis.
fn taps(start: u32, kernel: u32, dilation: u32, before: u32, size: u32, after: u32) -> u32 {
    let padded = params.count_include_pad != 0u;
    let low = select(before, 0u, padded);
    let high = before + size + select(0u, after, padded);
    var count = 0u;
    for (var k = 0u; k < kernel; k++) {
        let at = start + k * dilation;
        count += select(0u, 1u, at >= low && at < high);
    }
    return count;
}

fn counted(oy: u32, ox: u32) -> f32 {
    let rows = taps(oy * params.stride_h, params.kh, params.dilation_h, params.pad_top, params.h, params.pad_bottom);
    let columns = taps(ox * params.stride_w, params.kw, params.dilation_w, params.pad_left, params.w, params.pad_right);
    return f32(rows * columns);
}

@compute @workgroup_size(64)
fn {{ entry }}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    let channel = i % params.c;
    let pixel = i / params.c;
    var sum = 0.0;
    {% if forward %}
    let row = pixel / params.out_w;
    let image = row / params.out_h;
    if image >= params.n {
        return;
    }
    let oy = row % params.out_h;
    let ox = pixel % params.out_w;
    for (var ky = 0u; ky < params.kh; ky++) {
        let iy = oy * params.stride_h + ky * params.dilation_h - params.pad_top;
        for (var kx = 0u; kx < params.kw; kx++) {
            let ix = ox * params.stride_w + kx * params.dilation_w - params.pad_left;
            // What lies left of or above the image has wrapped to a huge number.
            if iy < params.h && ix < params.w {
                sum += f32(x[((image * params.h + iy) * params.w + ix) * params.c + channel]);
            }
        }
    }
    y[i] = {{ dtype }}(sum / counted(oy, ox));
    {% else %}
    let row = pixel / params.w;
    let image = row / params.h;
    if image >= params.n {
        return;
    }
    for (var ky = 0u; ky < params.kh; ky++) {
        let from_y = row % params.h + params.pad_top;
        let oy = (from_y - ky * params.dilation_h) / params.stride_h;
        if ky * params.dilation_h > from_y || oy * params.stride_h + ky * params.dilation_h != from_y || oy >= params.out_h {
            continue;
        }
        for (var kx = 0u; kx < params.kw; kx++) {
            let from_x = pixel % params.w + params.pad_left;
            let ox = (from_x - kx * params.dilation_w) / params.stride_w;
            if kx * params.dilation_w > from_x || ox * params.stride_w + kx * params.dilation_w != from_x || ox >= params.out_w {
                continue;
            }
            sum += f32(dy[((image * params.out_h + oy) * params.out_w + ox) * params.c + channel]) / counted(oy, ox);
        }
    }
    dx[i] = {{ dtype }}(sum);
    {% endif %}
}
