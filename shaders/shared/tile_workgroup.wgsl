{# For real GPUs: a workgroup computes a tile of tile_m x tile_n, an invocation thread_m x thread_n of it, through workgroup memory.
   A turn takes tile_k steps of K. Its blocks of 4 x 4 of A and of B are read ahead of the arithmetic, so that the latency is hidden:
   an invocation reads one of either where there are as many invocations as blocks in all, else one of each.
   Blocks along K are transposed on the way; the exclusive-or spreads those stores over the memory banks. #}
{% from "shared/operands.wgsl" import lines, steps, advance, fetch, across %}
{% set threads_m = tile_m // thread_m %}
{% set threads_n = tile_n // thread_n %}
{% set threads = threads_m * threads_n %}
{% set a_wide = tile_m // 4 %}
{% set b_wide = tile_n // 4 %}
{% set k_wide = tile_k // 4 %}
{% set a_blocks = a_wide * k_wide %}
{% set b_blocks = b_wide * k_wide %}
{% set reads_both = a_blocks + b_blocks > threads %}
{% set ahead_b = "ahead_b" if reads_both else "ahead_a" %}

{# Where the row of step `k` of a turn holds its block number `first` + `at`, one of `wide`. #}
{% macro spot(at, first, k, wide, along_k) -%}
    {% set x = k // 4 * 2 if along_k else 0 %}
    {{ k * wide + first }}u + {% if x %}({{ at }} ^ {{ x }}u){% else %}{{ at }}{% endif %}
{%- endmacro %}

{# The blocks of the first turn, or of the next one, from memory to the registers `ahead`. #}
{% macro read_ahead(is_first) %}
        if reads_a {
            {% if not is_first %}
{{ advance("a", tile_k, a_along_k) }}
            {% endif %}
{{ fetch("ahead_a", "a", 0, a_along_k) }}
        }
        if reads_b {
            {% if not is_first %}
{{ advance("b", tile_k, b_along_k) }}
            {% endif %}
{{ fetch(ahead_b, "b", 0, b_along_k) }}
        }
{% endmacro %}

{# A block from the registers `ahead` to workgroup memory. #}
{% macro store_ahead(side, ahead, wide, along_k) %}
            {% for i in range(4) %}
            let value_{{ i }} = value_of(Fetched({{ ahead }}_{{ i }}, {{ ahead }}_{{ i }}_valid));
            {% endfor %}
            {% for i in range(4) %}
            tile_{{ side }}[({{ side }}_k * 4u + {{ i }}u) * {{ wide }}u + {{ "(" ~ side ~ "_at ^ (" ~ side ~ "_k * 2u))" if along_k else side ~ "_at" }}] = {{ across("value", i, along_k) }};
            {% endfor %}
{% endmacro %}

var<workgroup> tile_a: array<vec4<f32>, {{ tile_k * a_wide }}>;
var<workgroup> tile_b: array<vec4<f32>, {{ tile_k * b_wide }}>;

@compute @workgroup_size({{ threads }})
fn {{ entry }}(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let stretch = begin(group);
    // 32 invocations make one square of C, 4 x 8. Invocations 2 i and 2 i + 1 share their columns, 2 i and 2 i + 2 mostly their rows, so
    // that a GPU serves two quarters of a subgroup at once (CUTLASS's map of lanes).
    let thread_m = local / 32u / {{ threads_n // 8 }}u * 4u + local % 2u + local % 32u / 16u * 2u;
    let thread_n = local / 32u % {{ threads_n // 8 }}u * 8u + local / 2u % 8u;

    {% if reads_both %}
    let reads_a = local < {{ a_blocks }}u;
    let reads_b = local < {{ b_blocks }}u;
    let b_local = local;
    {% else %}
    let reads_a = local < {{ a_blocks }}u;
    let reads_b = !reads_a & (local < {{ a_blocks + b_blocks }}u);
    let b_local = local - {{ a_blocks }}u;
    {% endif %}
    {% if a_along_k %}
    let a_k = local % {{ k_wide }}u;
    let a_at = local / {{ k_wide }}u;
    {% else %}
    let a_k = local / {{ a_wide }}u;
    let a_at = local % {{ a_wide }}u;
    {% endif %}
    {% if b_along_k %}
    let b_k = b_local % {{ k_wide }}u;
    let b_at = b_local / {{ k_wide }}u;
    {% else %}
    let b_k = b_local / {{ b_wide }}u;
    let b_at = b_local % {{ b_wide }}u;
    {% endif %}
{{ lines("a", 0, "group.y * " ~ tile_m ~ "u + a_at * 4u", a_along_k) }}
{{ lines("b", 0, "group.x * " ~ tile_n ~ "u + b_at * 4u", b_along_k) }}
{{ steps("a", "stretch.begin + a_k * 4u", a_along_k) }}
{{ steps("b", "stretch.begin + b_k * 4u", b_along_k) }}
    {% for i in range(4) %}
    var ahead_a_{{ i }}: Raw;
    var ahead_a_{{ i }}_valid: Valid;
    {% if reads_both %}
    var ahead_b_{{ i }}: Raw;
    var ahead_b_{{ i }}_valid: Valid;
    {% endif %}
    {% endfor %}
    {% for i in range(thread_m) %}
    {% for j in range(thread_n // 4) %}
    var c_{{ i }}_{{ j }} = vec4<f32>(0.0);
    {% endfor %}
    {% endfor %}

{{ read_ahead(true) }}
    var k = stretch.begin;
    loop {
        if reads_a {
{{ store_ahead("a", "ahead_a", a_wide, a_along_k) }}
        }
        if reads_b {
{{ store_ahead("b", ahead_b, b_wide, b_along_k) }}
        }
        workgroupBarrier();
        k += {{ tile_k }}u;
        if k < stretch.end {
{{ read_ahead(false) }}
        }
        {% for k in range(tile_k) %}
        {
            {% for i in range(thread_m // 4) %}
            let a_{{ i }} = tile_a[{{ spot("thread_m", i * threads_m, k, a_wide, a_along_k) }}];
            {% endfor %}
            {% for j in range(thread_n // 4) %}
            let b_{{ j }} = tile_b[{{ spot("thread_n", j * threads_n, k, b_wide, b_along_k) }}];
            {% endfor %}
            {% for i in range(thread_m) %}
            {% for j in range(thread_n // 4) %}
            c_{{ i }}_{{ j }} += a_{{ i // 4 }}.{{ "xyzw"[i % 4] }} * b_{{ j }};
            {% endfor %}
            {% endfor %}
        }
        {% endfor %}
        if k >= stretch.end {
            break;
        }
        workgroupBarrier();
    }
    {% for i in range(thread_m) %}
    {% for j in range(thread_n // 4) %}
    store(group.y * {{ tile_m }}u + {{ i // 4 * threads_m * 4 + i % 4 }}u + thread_m * 4u, group.x * {{ tile_n }}u + {{ j * threads_n * 4 }}u + thread_n * 4u, c_{{ i }}_{{ j }});
    {% endfor %}
    {% endfor %}
}
