{# Sums over rows in a fixed order, for kernels with workgroups of 16 x 16 invocations that take 16 columns of one part of the rows.
   The including file gives `type`, the type of a column's terms (a vec4 for four neighbouring columns), and
   `fn terms(row: u32, column: u32) -> Terms`, a struct of what a row adds to each of the column's `names`.
   An invocation adds up every sixteenth row, four of them at a time; then the sixteen add up in a tree. #}
struct Terms {
    {% for name in names %}
    {{ name }}: {{ type }},
    {% endfor %}
}

{% for name in names %}
var<workgroup> tree_{{ name }}: array<{{ type }}, 256>;
{% endfor %}

// The sums over the rows from `first` to before `end`, for the invocations of the first row of the workgroup.
fn column_tree(local: vec3<u32>, column: u32, columns: u32, first: u32, end: u32) -> Terms {
    var sum: Terms;
    if column < columns {
        var row = first + local.y;
        for (; row + 48u < end; row += 64u) {
            {% for i in range(4) %}
            let terms_{{ i }} = terms(row + {{ 16 * i }}u, column);
            {% endfor %}
            {% for name in names %}
            sum.{{ name }} += (terms_0.{{ name }} + terms_1.{{ name }}) + (terms_2.{{ name }} + terms_3.{{ name }});
            {% endfor %}
        }
        for (; row < end; row += 16u) {
            let one = terms(row, column);
            {% for name in names %}
            sum.{{ name }} += one.{{ name }};
            {% endfor %}
        }
    }
    let at = local.y * 16u + local.x;
    {% for name in names %}
    tree_{{ name }}[at] = sum.{{ name }};
    {% endfor %}
    {% for half in [8, 4, 2, 1] %}
    workgroupBarrier();
    if local.y < {{ half }}u {
        {% for name in names %}
        tree_{{ name }}[at] += tree_{{ name }}[at + {{ 16 * half }}u];
        {% endfor %}
    }
    {% endfor %}
    return Terms({% for name in names %}tree_{{ name }}[at]{{ ", " if not loop.last }}{% endfor %});
}
