// Image patches as a matrix, and the sum of such a matrix back into an image (Chellapilla 2006; Caffe's im2col and col2im).
//
// x, dx: [n, h, w, c_in]; columns: [n * out_h * out_w, kh * kw * c_in].
// im2col: columns[(n, oy, ox), (ky, kx, c)] = x[n, oy stride - pad + ky dilation, ox stride - pad + kx dilation, c], 0 in the padding.
// col2im: dx[n, iy, ix, c] = sum over ky, kx of columns[(n, oy, ox), (ky, kx, c)] where that output pixel exists: a gather in a
// fixed order. One invocation computes one element of its result. The parameters are conv2d's; c_out, groups, k_per_split and relu are not used.
{# entry points: col2im im2col #}

{% include "shared/conv2d_params.wgsl" %}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> {{ "x" if entry == "im2col" else "columns" }}: array<f32>;
@group(0) @binding(2) var<storage, read_write> {{ "columns" if entry == "im2col" else "dx" }}: array<f32>;

{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn {{ entry }}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    let channel = i % params.c_in;
    {% if entry == "im2col" %}
    let width = params.kh * params.kw * params.c_in;
    let pixel = i / width;
    let row = pixel / params.out_w;
    if row >= params.n * params.out_h {
        return;
    }
    let tap = i % width / params.c_in;
    // What lies left of or above the image wraps to a huge number.
    let y = row % params.out_h * params.stride_h + tap / params.kw * params.dilation_h - params.pad_top;
    let x_at = pixel % params.out_w * params.stride_w + tap % params.kw * params.dilation_w - params.pad_left;
    var value = 0.0;
    if y < params.h && x_at < params.w {
        value = x[((row / params.out_h * params.h + y) * params.w + x_at) * params.c_in + channel];
    }
    columns[i] = value;
    {% else %}
    let pixel = i / params.c_in;
    let row = pixel / params.w;
    if row >= params.n * params.h {
        return;
    }
    var sum = 0.0;
    for (var ky = 0u; ky < params.kh; ky++) {
        let y = row % params.h + params.pad_top - ky * params.dilation_h;
        let oy = y / params.stride_h;
        if ky * params.dilation_h > row % params.h + params.pad_top || y % params.stride_h != 0u || oy >= params.out_h {
            continue;
        }
        for (var kx = 0u; kx < params.kw; kx++) {
            let x = pixel % params.w + params.pad_left - kx * params.dilation_w;
            let ox = x / params.stride_w;
            if kx * params.dilation_w > pixel % params.w + params.pad_left || x % params.stride_w != 0u || ox >= params.out_w {
                continue;
            }
            let line = (row / params.h * params.out_h + oy) * params.out_w + ox;
            sum += columns[((line * params.kh + ky) * params.kw + kx) * params.c_in + channel];
        }
    }
    dx[i] = sum;
    {% endif %}
}
