// 2-D convolution (cross-correlation) and its two gradients as implicit matrix products; the matrix of image patches is never stored.
// Source: Krizhevsky 2012, section 3; Chetlur 2014 (cuDNN), section 3, for the implicit product.
//
// x, dx: [n, h, w, c_in]; w, dw: [kh, kw, c_in / groups, c_out]; bias: [c_out]; y, dy: [n, out_h, out_w, c_out].
// y[n, oy, ox, o] = bias[o] + sum over ky, kx, i of x[n, oy stride - pad + ky dilation, ox stride - pad + kx dilation, i] w[ky, kx, i, o]
//
// conv2d_forward           A = patches of x   B = w     C = y    M = n out_h out_w        N = c_out / groups   K = kh kw c_in / groups
// conv2d_data_gradient     A = patches of dy  B = w^T   C = dx   M = n h w                N = c_in / groups    K = kh kw c_out / groups
// conv2d_weight_gradient   A = patches of x^T B = dy    C = dw   M = kh kw c_in / groups  N = c_out / groups   K = n out_h out_w
//
// Where K is longer than k_per_split, z = group * splits + split, and C is the sums of one stretch of K each, [splits, M, channels], for
// gemm_reduce to add up. wide: C is of f32 though the operands are of f16.
// vector_a, vector_b: channels per group are multiples of 4 on the side that A and that B and C are read along.
// Workgroup (x, y, z) computes tile x along N, tile y along M of stretch z % splits of channel group z / splits.

{% include "shared/conv2d_params.wgsl" %}

{% set forward = entry == "conv2d_forward" %}
{% set data_gradient = entry == "conv2d_data_gradient" %}
{% set weight_gradient = entry == "conv2d_weight_gradient" %}
{% set a_along_k = not weight_gradient %}
{% set b_along_k = data_gradient %}
{% set dtype_c = "f32" if weight_gradient or wide else dtype %}
@group(0) @binding(0) var<uniform> params: Params;
{# The operands go by the names of the product; the comments give the operator's. #}
@group(0) @binding(1) var<storage, read> a: array<{{ "vec4<" ~ dtype ~ ">" if vector_a else dtype }}>; // {{ "dy" if data_gradient else "x" }}
@group(0) @binding(2) var<storage, read> b: array<{{ "vec4<" ~ dtype ~ ">" if vector_b else dtype }}>; // {{ "dy" if weight_gradient else "w" }}
{% if has_bias %}
@group(0) @binding(3) var<storage, read> bias: array<f32>;
{% endif %}
@group(0) @binding({{ 4 if has_bias else 3 }}) var<storage, read_write> c: array<{{ "vec4<" ~ dtype_c ~ ">" if vector_b else dtype_c }}>; // {{ "y" if forward else "dx" if data_gradient else "dw" }}

// The first channel of this workgroup's group, in x and in y, and the first element of its partial sums.
var<private> first_in: u32;
var<private> first_out: u32;
var<private> first_partial: u32;

fn group_in() -> u32 {
    return params.c_in / params.groups;
}

fn group_out() -> u32 {
    return params.c_out / params.groups;
}

{% include "shared/fetch.wgsl" %}

{% if forward %}
{% include "shared/conv2d_forward.wgsl" %}
{% include "shared/by_bits.wgsl" %}
{% elif data_gradient %}
{% include "shared/conv2d_data_gradient.wgsl" %}
{% else %}
{% include "shared/conv2d_weight_gradient.wgsl" %}
{% endif %}

fn begin(group: vec3<u32>) -> Stretch {
    let extent = extent_k();
    let splits = (extent + params.k_per_split - 1u) / params.k_per_split;
    let channel_group = group.z / splits;
    let split = group.z % splits;
    let first_k = split * params.k_per_split;
    let last_k = min(first_k + params.k_per_split, extent);
    first_partial = split * extent_m() * {{ "params.c_in" if data_gradient else "params.c_out" }};
    first_in = channel_group * group_in();
    first_out = channel_group * group_out();
    k_end = last_k;
    return Stretch(first_k, last_k);
}

fn finish(sum: f32, n: u32) -> f32 {
    let value = sum{{ " + bias[first_out + n]" if has_bias }};
    return {{ "select(value, 0.0, params.relu != 0u && is_at_most_zero(value))" if forward else "value" }};
}

fn store(m: u32, n: u32, value: vec4<f32>) {
    let extent_n = {{ "group_in()" if data_gradient else "group_out()" }};
    if m >= extent_m() || n >= extent_n {
        return;
    }
    let at = {{ "m * params.c_in + first_in" if data_gradient else "m * params.c_out + first_out" }} + n + first_partial;
    {% if vector_b %}
    c[at / 4u] = vec4<{{ dtype_c }}>(vec4<f32>(finish(value.x, n), finish(value.y, n + 1u), finish(value.z, n + 2u), finish(value.w, n + 3u)));
    {% else %}
    {% for i in range(4) %}
    if n + {{ i }}u < extent_n {
        c[at + {{ i }}u] = {{ dtype_c }}(finish(value.{{ "xyzw"[i] }}, n + {{ i }}u));
    }
    {% endfor %}
    {% endif %}
}

{% include "shared/tile_loop.wgsl" %}
