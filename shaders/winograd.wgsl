// The transforms around Winograd's convolution F(m x m, 3 x 3), stride 1: an image is cut into tiles of m x m outputs, each from
// a x a inputs with a = m + 2, and a convolution becomes a^2 matrix products, one for each plane of the transformed tiles.
// Source: Lavin and Gray 2015, "Fast algorithms for convolutional neural networks", section 4; the gradients are the transposes.
//
// winograd_input            V = B^T d B      images [n, h, w, channels]           to planes [a^2, groups, tiles, channels / groups]
// winograd_filter           U = G g G^T      w [3, 3, rows, channels]             to planes [a^2, groups, rows, channels / groups]
// winograd_flipped_filter   U = G g G^T      the same, turned by 180 degrees,     to planes [a^2, groups, channels / groups, rows]
// winograd_output           y = A^T M A      planes as of winograd_input          to images, plus bias, then ReLU
// winograd_output_gradient  dM = A dy A^T    images                               to planes
// winograd_filter_gradient  dg = G^T dU G    planes as of winograd_filter         to w
//
// tiles = n tiles_y tiles_x. One invocation transforms one tile, or one filter, of one channel: from p x p numbers to q x q.
// With m = 2 the transforms add, subtract and halve: whole numbers give exact results.

struct Params {
    n: u32,
    h: u32,
    w: u32,
    rows: u32,
    channels: u32,
    groups: u32,
    pad_top: u32,
    pad_left: u32,
    tiles_y: u32,
    tiles_x: u32,
    relu: u32,
}

{% if m == 2 %}
{% set B_T = [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]] %}
{% set G = [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]] %}
{% set A_T = [[1, 1, 1, 0], [0, 1, -1, -1]] %}
{% else %}
{% set B_T = [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]] %}
{% set G = [[1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6], [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]] %}
{% set A_T = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]] %}
{% endif %}
{% set a = m + 2 %}
{% set is_filter = "filter" in entry %}
{% set to_planes = entry not in ["winograd_output", "winograd_filter_gradient"] %}
{% set flipped = entry == "winograd_flipped_filter" %}
{# The matrix L of L d L^T, whether it is stored transposed, and the sizes. #}
{% if entry == "winograd_input" %}
{% set L = B_T %}{% set transposed = false %}{% set p = a %}{% set q = a %}
{% elif entry == "winograd_output" %}
{% set L = A_T %}{% set transposed = false %}{% set p = a %}{% set q = m %}
{% elif entry == "winograd_output_gradient" %}
{% set L = A_T %}{% set transposed = true %}{% set p = m %}{% set q = a %}
{% elif entry == "winograd_filter_gradient" %}
{% set L = G %}{% set transposed = true %}{% set p = a %}{% set q = 3 %}
{% else %}
{% set L = G %}{% set transposed = false %}{% set p = 3 %}{% set q = a %}
{% endif %}
{% set has_bias = entry == "winograd_output" and bias %}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
{% if has_bias %}
@group(0) @binding(2) var<storage, read> bias: array<f32>;
{% endif %}
@group(0) @binding({{ 3 if has_bias else 2 }}) var<storage, read_write> y: array<f32>;

{% include "shared/linear_index.wgsl" %}
{% if entry == "winograd_output" %}
{% include "shared/by_bits.wgsl" %}
{% endif %}

{# Row i of L times the numbers `names`_0_.., by ascending index, without the zeros. #}
{% macro combine(i, before, after) -%}
    {%- set sum = namespace(text="") -%}
    {%- for k in range(p) -%}
        {%- set c = L[k][i] if transposed else L[i][k] -%}
        {%- if c != 0 -%}
            {%- set size = c if c > 0 else -c -%}
            {%- set term = (("" if size == 1 else (size | float) ~ " * ") ~ before ~ k ~ after) -%}
            {%- if sum.text == "" -%}
                {%- set sum.text = ("" if c > 0 else "-") ~ term -%}
            {%- else -%}
                {%- set sum.text = sum.text ~ (" + " if c > 0 else " - ") ~ term -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ sum.text }}
{%- endmacro %}
{% if not is_filter %}
// The place of a pixel in the images, whether there is one; what lies left of or above an image is a huge number.
struct Pixel {
    at: u32,
    valid: bool,
}

fn pixel(first: u32, row: u32, column: u32) -> Pixel {
    return Pixel(first + (row * params.w + column) * params.channels, (row < params.h) & (column < params.w));
}

{% endif %}
{% if entry in ["winograd_input", "winograd_output_gradient"] %}
fn value(first: u32, row: u32, column: u32) -> f32 {
    let pixel = pixel(first, row, column);
    return select(0.0, x[select(0u, pixel.at, pixel.valid)], pixel.valid);
}

{% endif %}
@compute @workgroup_size(64)
fn {{ entry }}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    let lines = {{ "params.rows" if is_filter else "params.n * params.tiles_y * params.tiles_x" }};
    let size = lines * params.channels;
    if i >= size {
        return;
    }
    let line = i / params.channels;
    let channel = i % params.channels;
    let group_channels = params.channels / params.groups;
    let group = channel / group_channels;
    {% if flipped %}
    let plane = channel * lines + line;
    {% else %}
    let plane = (group * lines + line) * group_channels + channel % group_channels;
    {% endif %}
    {% if not is_filter %}
    let tile_row = line / params.tiles_x;
    let first = tile_row / params.tiles_y * params.h * params.w * params.channels + channel;
    let row = tile_row % params.tiles_y * {{ m }}u - params.pad_top;
    let column = line % params.tiles_x * {{ m }}u - params.pad_left;
    {% endif %}
    {% for j in range(p) %}
    {% for k in range(p) %}
    {% if not to_planes %}
    let d_{{ k }}_{{ j }} = x[{{ k * p + j }}u * size + plane];
    {% elif is_filter %}
    let d_{{ k }}_{{ j }} = x[{{ (2 - k) * 3 + 2 - j if flipped else k * 3 + j }}u * size + i];
    {% else %}
    let d_{{ k }}_{{ j }} = value(first, row + {{ k }}u, column + {{ j }}u);
    {% endif %}
    {% endfor %}
    {% for r in range(q) %}
    let t_{{ r }}_{{ j }} = {{ combine(r, "d_", "_" ~ j) }};
    {% endfor %}
    {% endfor %}
    {% if has_bias %}
    let plus = bias[channel];
    {% endif %}
    {% for r in range(q) %}
    {% for c in range(q) %}
    {% set value %}{{ combine(c, "t_" ~ r ~ "_", "") }}{% endset %}
    {% if to_planes %}
    y[{{ r * q + c }}u * size + plane] = {{ value }};
    {% elif is_filter %}
    y[{{ r * 3 + c }}u * size + i] = {{ value }};
    {% else %}
    {
        let pixel = pixel(first, row + {{ r }}u, column + {{ c }}u);
        let sum = {{ value }}{{ " + plus" if has_bias }};
        if pixel.valid {
            y[pixel.at] = select(sum, 0.0, is_at_most_zero(sum) & (params.relu != 0u));
        }
    }
    {% endif %}
    {% endfor %}
    {% endfor %}
}
