{# Macros for the blocks of 4 x 4 elements in which the tile loops read A and B.

   A block is four vec4s. If the operand's elements are neighbours along K (`along_k`), they are four lines (rows of A,
   columns of B) times four steps of K; otherwise four steps of K times four lines. The including file gives, for `a` and `b`:
   fn line_a(m: u32) -> LineA          what stays the same along K, worked out once
   fn step_a(k: u32) -> StepA          a position on K, with divisions
   fn next_a(s: StepA, by: u32) -> StepA   the position `by` further, if it can without divisions
   fn after_a(s: StepA) -> StepA       the next position, without divisions
   fn fetch_a(line: LineA, step: StepA) -> Fetched   four neighbours, see shared/fetch.wgsl
   fn pack_a(step: StepA) -> T, fn unpack_a(packed: T) -> StepA   a step as a number or a vector, which the loops keep in variables:
   Vulkan has no variables of types that are laid out as in a buffer, as all of naga's structs and arrays are (wgpu issue 7696)
   None of them may loop: llvmpipe ends all loops of an invocation after 65,535 turns in sum, silently. #}
{% macro lines(side, block, at, along_k) %}
    {% for i in range(4 if along_k else 1) %}
    let {{ side }}_line_{{ block }}_{{ i }} = line_{{ side }}({{ at }} + {{ i }}u);
    {% endfor %}
{% endmacro %}

{% macro steps(side, at, along_k) %}
    var {{ side }}_step_0 = pack_{{ side }}(step_{{ side }}({{ at }}));
    {% for i in range(1, 1 if along_k else 4) %}
    var {{ side }}_step_{{ i }} = pack_{{ side }}(after_{{ side }}(unpack_{{ side }}({{ side }}_step_{{ i - 1 }})));
    {% endfor %}
{% endmacro %}

{% macro advance(side, by, along_k) %}
        {{ side }}_step_0 = pack_{{ side }}(next_{{ side }}(unpack_{{ side }}({{ side }}_step_0), {{ by }}u));
    {% for i in range(1, 1 if along_k else 4) %}
        {{ side }}_step_{{ i }} = pack_{{ side }}(after_{{ side }}(unpack_{{ side }}({{ side }}_step_{{ i - 1 }})));
    {% endfor %}
{% endmacro %}

{# Of block number `block`, lines or steps `i` as they lie in memory. #}
{% macro fetched(side, block, i, along_k) -%}
    fetch_{{ side }}({{ side }}_line_{{ block }}_{{ i if along_k else 0 }}, unpack_{{ side }}({{ side }}_step_{{ 0 if along_k else i }}))
{%- endmacro %}

{# A block to the variables `to`_i and `to`_i_valid. #}
{% macro fetch(to, side, block, along_k) %}
    {% for i in range(4) %}
        let fetched_{{ i }} = {{ fetched(side, block, i, along_k) }};
        {{ to }}_{{ i }} = fetched_{{ i }}.raw;
        {{ to }}_{{ i }}_valid = fetched_{{ i }}.valid;
    {% endfor %}
{% endmacro %}

{# The same with zeros for what does not exist. #}
{% macro load(to, side, block, along_k) %}
    {% for i in range(4) %}
        {{ to }}_{{ i }} = value_of({{ fetched(side, block, i, along_k) }});
    {% endfor %}
{% endmacro %}

{# Line `line` of a loaded block at step `step`: one number. #}
{% macro element(block, line, step, along_k) -%}
    {% if along_k %}{{ block }}_{{ line }}.{{ "xyzw"[step] }}{% else %}{{ block }}_{{ step }}.{{ "xyzw"[line] }}{% endif %}
{%- endmacro %}

{# All four lines of a loaded block at step `step`: a vec4. #}
{% macro across(block, step, along_k) -%}
    {% set c = "xyzw"[step] %}
    {% if along_k %}vec4<f32>({{ block }}_0.{{ c }}, {{ block }}_1.{{ c }}, {{ block }}_2.{{ c }}, {{ block }}_3.{{ c }}){% else %}{{ block }}_{{ step }}{% endif %}
{%- endmacro %}
