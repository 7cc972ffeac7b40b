{# Macros for the blocks of 4 x 4 elements in which the tile loops read A and B.

   A block is four vec4s. If the operand's elements are neighbours along K (`along_k`), they are four lines (rows of A,
   columns of B) times four steps of K; otherwise four steps of K times four lines. The including file gives, for `a` and `b`:
   fn line_a(m: u32) -> LineA          what stays the same along K, worked out once
   fn step_a(k: u32) -> StepA          a position on K, with divisions
   fn next_a(s: StepA, by: u32) -> StepA   the position `by` further, if it can without divisions
   fn after_a(s: StepA) -> StepA       the next position, without divisions
   fn fetch_a(line: LineA, step: StepA) -> Fetched   four neighbours, see shared/fetch.wgsl
   None of them may loop: llvmpipe ends all loops of an invocation after 65,535 turns in sum, silently. #}
{% macro lines(side, block, at, along_k) %}
    {% for i in range(4 if along_k else 1) %}
    let {{ side }}_line_{{ block }}_{{ i }} = line_{{ side }}({{ at }} + {{ i }}u);
    {% endfor %}
{% endmacro %}

{% macro steps(side, at, along_k) %}
    var {{ side }}_step_0 = step_{{ side }}({{ at }});
    {% for i in range(1, 1 if along_k else 4) %}
    var {{ side }}_step_{{ i }} = after_{{ side }}({{ side }}_step_{{ i - 1 }});
    {% endfor %}
{% endmacro %}

{% macro advance(side, by, along_k) %}
        {{ side }}_step_0 = next_{{ side }}({{ side }}_step_0, {{ by }}u);
    {% for i in range(1, 1 if along_k else 4) %}
        {{ side }}_step_{{ i }} = after_{{ side }}({{ side }}_step_{{ i - 1 }});
    {% endfor %}
{% endmacro %}

{% macro fetch(to, side, block, along_k) %}
    {% for i in range(4) %}
        {{ to }}_{{ i }} = fetch_{{ side }}({{ side }}_line_{{ block }}_{{ i if along_k else 0 }}, {{ side }}_step_{{ 0 if along_k else i }});
    {% endfor %}
{% endmacro %}

{# The same with zeros for what does not exist. #}
{% macro load(to, side, block, along_k) %}
    {% for i in range(4) %}
        {{ to }}_{{ i }} = value_of(fetch_{{ side }}({{ side }}_line_{{ block }}_{{ i if along_k else 0 }}, {{ side }}_step_{{ 0 if along_k else i }}));
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
