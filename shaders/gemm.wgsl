// Matrix product: C = alpha op(A) op(B) + bias, then ReLU if asked for. What is to be added to C is left to gemm_reduce.
// Source: BLAS level 3, xGEMM (Dongarra and others 1990), with row-major matrices and an epilogue.
//
// op(A): [m, k]; a: [m, lda], or [k, lda] with trans_a. op(B): [k, n]; b: [k, ldb], or [n, ldb] with trans_b.
// bias: [n]. c: [m, ldc]; where K is longer than k_per_split, as much for each stretch of it: [splits, m, n].
// The offsets say where in its buffer a matrix starts. vector: all matrices are read and written as vec4, so their leading
// dimensions, offsets and extents along them are multiples of 4. wide: c is of f32.
// Several products of one shape are layers: A [layers, m, k], B [layers, k, n], C [layers, m, n], of rows without gaps.
// Workgroup (x, y, z) computes tile x along n, tile y along m of stretch z / layers of K of layer z % layers.

struct Params {
    m: u32,
    n: u32,
    k: u32,
    lda: u32,
    ldb: u32,
    ldc: u32,
    a_offset: u32,
    b_offset: u32,
    c_offset: u32,
    k_per_split: u32,
    alpha: f32,
    beta: f32,
    relu: u32,
    layers: u32,
}

{% set vector_a = vector %}
{% set vector_b = vector %}
{% set dtype_c = "f32" if wide else dtype %}
{% set a_along_k = not trans_a %}
{% set b_along_k = trans_b %}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<{{ "vec4<" ~ dtype ~ ">" if vector_a else dtype }}>;
@group(0) @binding(2) var<storage, read> b: array<{{ "vec4<" ~ dtype ~ ">" if vector_b else dtype }}>;
{% if has_bias %}
@group(0) @binding(3) var<storage, read> bias: array<f32>;
{% endif %}
@group(0) @binding({{ 4 if has_bias else 3 }}) var<storage, read_write> c: array<{{ "vec4<" ~ dtype_c ~ ">" if vector_b else dtype_c }}>;

{% include "shared/fetch.wgsl" %}
{% include "shared/by_bits.wgsl" %}

// Where the layer's operands start, and what this stretch gives.
var<private> first_a: u32;
var<private> first_b: u32;
var<private> first_c: u32;

{% for side, extent, along_k, vector in [("a", "m", a_along_k, vector_a), ("b", "n", b_along_k, vector_b)] %}
{% set S = side | upper %}
struct Line{{ S }} {
    index: u32,
    offset: u32,
}

struct Step{{ S }} {
    k: u32,
}

fn line_{{ side }}(index: u32) -> Line{{ S }} {
    {% if along_k %}
    return Line{{ S }}(index, first_{{ side }} + index * params.ld{{ side }});
    {% else %}
    return Line{{ S }}(index, first_{{ side }} + index);
    {% endif %}
}

fn step_{{ side }}(k: u32) -> Step{{ S }} {
    return Step{{ S }}(k);
}

fn next_{{ side }}(step: Step{{ S }}, by: u32) -> Step{{ S }} {
    return Step{{ S }}(step.k + by);
}

fn after_{{ side }}(step: Step{{ S }}) -> Step{{ S }} {
    return Step{{ S }}(step.k + 1u);
}

fn pack_{{ side }}(step: Step{{ S }}) -> u32 {
    return step.k;
}

fn unpack_{{ side }}(packed: u32) -> Step{{ S }} {
    return Step{{ S }}(packed);
}

fn fetch_{{ side }}(line: Line{{ S }}, step: Step{{ S }}) -> Fetched {
    let at = line.offset + step.k{{ "" if along_k else " * params.ld" ~ side }};
    {% if vector %}
    return one_{{ side }}(Place(at, (line.index < params.{{ extent }}) & (step.k < k_end)));
    {% else %}
    return four_{{ side }}(
        {% for i in range(4) %}
        Place(at + {{ i }}u, (line.index{{ "" if along_k else " + " ~ i ~ "u" }} < params.{{ extent }}) & (step.k{{ " + " ~ i ~ "u" if along_k else "" }} < k_end)),
        {% endfor %}
    );
    {% endif %}
}

{% endfor %}
fn begin(group: vec3<u32>) -> Stretch {
    let layer = group.z % params.layers;
    first_a = params.a_offset + layer * params.m * params.k;
    first_b = params.b_offset + layer * params.k * params.n;
    first_c = params.c_offset + group.z * params.m * params.n;
    let first_k = group.z / params.layers * params.k_per_split;
    let last_k = min(first_k + params.k_per_split, params.k);
    k_end = last_k;
    return Stretch(first_k, last_k);
}

fn store(m: u32, n: u32, value: vec4<f32>) {
    if m >= params.m || n >= params.n {
        return;
    }
    let at = first_c + m * params.ldc + n;
    var done = params.alpha * value;
    {% if has_bias %}
    {% for i in range(4) %}
    done.{{ "xyzw"[i] }} += bias[{{ "n + " ~ i ~ "u" if vector_b else "min(n + " ~ i ~ "u, params.n - 1u)" }}];
    {% endfor %}
    {% endif %}
    done = select(done, vec4<f32>(0.0), are_at_most_zero(done) & vec4<bool>(params.relu != 0u));
    {% if vector_b %}
    c[at / 4u] = vec4<{{ dtype_c }}>(done);
    {% else %}
    {% for i in range(4) %}
    if n + {{ i }}u < params.n {
        c[at + {{ i }}u] = {{ dtype_c }}(done.{{ "xyzw"[i] }});
    }
    {% endfor %}
    {% endif %}
}

{% include "shared/tile_loop.wgsl" %}
