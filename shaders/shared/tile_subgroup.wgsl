{# For software rasterisers whose subgroup has exactly `subgroup` lanes: a workgroup is one subgroup and computes a square of
   4 * subgroup rows and columns. Each lane holds four rows of A and four columns of B; rows go round by broadcast. #}
{% from "shared/operands.wgsl" import lines, steps, advance, load, element, across %}
@compute @workgroup_size({{ subgroup }})
fn {{ entry }}(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let stretch = begin(group);
    let m = group.y * {{ tile_m }}u;
    let n = group.x * {{ tile_n }}u + lane * 4u;
{{ lines("a", 0, "m + lane * 4u", a_along_k) }}
{{ lines("b", 0, "n", b_along_k) }}
{{ steps("a", "stretch.begin", a_along_k) }}
{{ steps("b", "stretch.begin", b_along_k) }}
    {% for i in range(tile_m) %}
    var c_{{ i }} = vec4<f32>(0.0);
    {% endfor %}

    for (var k = stretch.begin; k < stretch.end; k += 4u) {
{{ load("let a", "a", 0, a_along_k) }}
{{ load("let b", "b", 0, b_along_k) }}
        {% for step in range(4) %}
        {
            let row = {{ across("b", step, b_along_k) }};
            {% for i in range(tile_m) %}
            c_{{ i }} += subgroupBroadcast({{ element("a", i % 4, step, a_along_k) }}, {{ i // 4 }}u) * row;
            {% endfor %}
        }
        {% endfor %}
{{ advance("a", 4, a_along_k) }}
{{ advance("b", 4, b_along_k) }}
    }
    {% for i in range(tile_m) %}
    store(m + {{ i }}u, n, c_{{ i }});
    {% endfor %}
}
