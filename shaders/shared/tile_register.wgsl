{# For software rasterisers: no workgroup memory, no barriers. An invocation computes thread_m x thread_n elements on its own, and
   a workgroup is 8 x 8 invocations. #}
{% from "shared/operands.wgsl" import lines, steps, advance, load, element, across %}
@compute @workgroup_size(64)
fn {{ entry }}(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let stretch = begin(group);
    let m = group.y * {{ tile_m }}u + local / 8u * {{ thread_m }}u;
    let n = group.x * {{ tile_n }}u + local % 8u * {{ thread_n }}u;
    {% for i in range(thread_m // 4) %}
{{ lines("a", i, "m + " ~ 4 * i ~ "u", a_along_k) }}
    {% endfor %}
    {% for j in range(thread_n // 4) %}
{{ lines("b", j, "n + " ~ 4 * j ~ "u", b_along_k) }}
    {% endfor %}
{{ steps("a", "stretch.begin", a_along_k) }}
{{ steps("b", "stretch.begin", b_along_k) }}
    {% for i in range(thread_m) %}
    {% for j in range(thread_n // 4) %}
    var c_{{ i }}_{{ j }} = vec4<f32>(0.0);
    {% endfor %}
    {% endfor %}

    for (var k = stretch.begin; k < stretch.end; k += 4u) {
        {% for i in range(thread_m // 4) %}
{{ load("let a_" ~ i, "a", i, a_along_k) }}
        {% endfor %}
        {% for j in range(thread_n // 4) %}
{{ load("let b_" ~ j, "b", j, b_along_k) }}
        {% endfor %}
        {% for step in range(4) %}
        {
            {% for j in range(thread_n // 4) %}
            let row_{{ j }} = {{ across("b_" ~ j, step, b_along_k) }};
            {% for i in range(thread_m) %}
            c_{{ i }}_{{ j }} += {{ element("a_" ~ i // 4, i % 4, step, a_along_k) }} * row_{{ j }};
            {% endfor %}
            {% endfor %}
        }
        {% endfor %}
{{ advance("a", 4, a_along_k) }}
{{ advance("b", 4, b_along_k) }}
    }
    {% for i in range(thread_m) %}
    {% for j in range(thread_n // 4) %}
    store(m + {{ i }}u, n + {{ 4 * j }}u, c_{{ i }}_{{ j }});
    {% endfor %}
    {% endfor %}
}
