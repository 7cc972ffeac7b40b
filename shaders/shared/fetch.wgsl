{# Reads of the operands `a` and `b`, whose elements are vec4 with vector_a, vector_b. What is read stays as it lies in memory,
   beside whether it exists: zeros for what does not, and f16 made wide, would make the reader wait for memory, so they come
   when the value is used. #}
// An element or a block of four from there on, and whether it exists.
struct Place {
    at: u32,
    valid: bool,
}

{% set valid = "bool" if vector_a and vector_b else "vec4<bool>" %}
alias Raw = vec4<{{ dtype }}>;
alias Valid = {{ valid }};
struct Fetched {
    raw: Raw,
    valid: Valid,
}

fn value_of(fetched: Fetched) -> vec4<f32> {
    return select(vec4<f32>(0.0), vec4<f32>(fetched.raw), fetched.valid);
}

// Index 0 is read where there is nothing: cheaper than a branch.
{% for side, vector in [("a", vector_a), ("b", vector_b)] %}
{% if vector %}
fn one_{{ side }}(place: Place) -> Fetched {
    return Fetched({{ side }}[select(0u, place.at / 4u, place.valid)], Valid(place.valid));
}
{% else %}
fn four_{{ side }}(p0: Place, p1: Place, p2: Place, p3: Place) -> Fetched {
    let raw = vec4<{{ dtype }}>(
        {% for i in range(4) %}
        {{ side }}[select(0u, p{{ i }}.at, p{{ i }}.valid)],
        {% endfor %}
    );
    return Fetched(raw, vec4<bool>(p0.valid, p1.valid, p2.valid, p3.valid));
}
{% endif %}
{% endfor %}
