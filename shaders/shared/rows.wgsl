{# Work on rows, for softmax and its relatives. With lanes == 1 an invocation has a row to itself: short rows, and no barriers. Otherwise
   a workgroup of `lanes` invocations shares a row, each taking every lanes-th element, and adds up as a tree: a fixed order too.
   The including file loops `for (var j = lane; j < params.classes; j += LANES)`. #}
const LANES = {{ lanes }}u;
{% if lanes == 1 %}
fn row_of(id: vec3<u32>, group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return id.y * groups.x * 64u + id.x;
}

fn row_sum(value: f32, lane: u32) -> f32 {
    return value;
}

fn row_max(value: f32, lane: u32) -> f32 {
    return value;
}
{% else %}
var<workgroup> shared_values: array<f32, {{ lanes }}>;

fn row_of(id: vec3<u32>, group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return group.y * groups.x + group.x;
}

{% for name, combine in [("row_sum", "a + b"), ("row_max", "max(a, b)")] %}
fn {{ name }}(value: f32, lane: u32) -> f32 {
    shared_values[lane] = value;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            let a = shared_values[lane];
            let b = shared_values[lane + half];
            shared_values[lane] = {{ combine }};
        }
    }
    workgroupBarrier();
    let result = shared_values[0];
    workgroupBarrier();
    return result;
}

{% endfor %}
{% endif %}
