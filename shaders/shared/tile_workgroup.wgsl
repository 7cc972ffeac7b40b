{# For real GPUs: a workgroup computes a tile of tile_m x tile_n, an invocation thread_m x thread_n of it, through workgroup memory.
   Each invocation reads one block of 4 x 4 of A or of B a turn, ahead of the arithmetic, so that the latency is hidden.
   Blocks along K are transposed on the way; the exclusive-or spreads those stores over the memory banks. #}
{% from "shared/operands.wgsl" import lines, steps, advance, load, across %}
{% set threads_m = tile_m // thread_m %}
{% set threads_n = tile_n // thread_n %}
{% set a_wide = tile_m // 4 %}
{% set b_wide = tile_n // 4 %}
{% set k_wide = tile_k // 4 %}
{% set a_blocks = a_wide * k_wide %}
{% set b_blocks = b_wide * k_wide %}
var<workgroup> tile_a: array<vec4<f32>, {{ tile_k * a_wide }}>;
var<workgroup> tile_b: array<vec4<f32>, {{ tile_k * b_wide }}>;

@compute @workgroup_size({{ threads_m * threads_n }})
fn {{ entry }}(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let stretch = begin(group);
    // Neighbouring invocations, 4 x 8 of them, make one square of C: fewer distinct reads of workgroup memory.
    let thread_m = (local / 32u) / {{ threads_n // 8 }}u * 4u + (local % 32u) / 8u;
    let thread_n = (local / 32u) % {{ threads_n // 8 }}u * 8u + local % 8u;

    let reads_a = local < {{ a_blocks }}u;
    let reads_b = !reads_a && local < {{ a_blocks + b_blocks }}u;
    let b_local = local - {{ a_blocks }}u;
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
    var ahead_{{ i }} = vec4<f32>(0.0);
    {% endfor %}
    {% for i in range(thread_m) %}
    {% for j in range(thread_n // 4) %}
    var c_{{ i }}_{{ j }} = vec4<f32>(0.0);
    {% endfor %}
    {% endfor %}

    if reads_a {
{{ load("ahead", "a", 0, a_along_k) }}
    } else if reads_b {
{{ load("ahead", "b", 0, b_along_k) }}
    }
    var k = stretch.begin;
    loop {
        if reads_a {
            {% for i in range(4) %}
            tile_a[(a_k * 4u + {{ i }}u) * {{ a_wide }}u + {{ "(a_at ^ (a_k * 2u))" if a_along_k else "a_at" }}] = {{ across("ahead", i, a_along_k) }};
            {% endfor %}
        } else if reads_b {
            {% for i in range(4) %}
            tile_b[(b_k * 4u + {{ i }}u) * {{ b_wide }}u + {{ "(b_at ^ (b_k * 2u))" if b_along_k else "b_at" }}] = {{ across("ahead", i, b_along_k) }};
            {% endfor %}
        }
        workgroupBarrier();
        k += {{ tile_k }}u;
        if k < stretch.end {
            if reads_a {
{{ advance("a", tile_k, a_along_k) }}
{{ load("ahead", "a", 0, a_along_k) }}
            } else if reads_b {
{{ advance("b", tile_k, b_along_k) }}
{{ load("ahead", "b", 0, b_along_k) }}
            }
        }
        {% for k in range(tile_k) %}
        {
            {% for i in range(thread_m // 4) %}
            let a_{{ i }} = tile_a[{{ k * a_wide + i * threads_m }}u + (thread_m{{ " ^ " ~ (k // 4 * 2) ~ "u" if a_along_k and k >= 4 else "" }})];
            {% endfor %}
            {% for j in range(thread_n // 4) %}
            let b_{{ j }} = tile_b[{{ k * b_wide + j * threads_n }}u + (thread_n{{ " ^ " ~ (k // 4 * 2) ~ "u" if b_along_k and k >= 4 else "" }})];
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
