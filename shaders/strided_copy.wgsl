// A copy between two layouts of up to six dimensions: y[y_offset + sum of i_d y_stride_d] = x[x_offset + sum of i_d x_stride_d]
// for all (i_0 .. i_5) under the sizes. With fitting strides it permutes dimensions, cuts out a part, or fills one in.
//
// x, y: any shapes. n: the product of the sizes, of which the first is not needed. One invocation copies one element.
{# entry points: strided_copy #}

struct Params {
    n: u32,
    x_offset: u32,
    y_offset: u32,
    size1: u32,
    size2: u32,
    size3: u32,
    size4: u32,
    size5: u32,
    x_stride0: u32,
    x_stride1: u32,
    x_stride2: u32,
    x_stride3: u32,
    x_stride4: u32,
    x_stride5: u32,
    y_stride0: u32,
    y_stride1: u32,
    y_stride2: u32,
    y_stride3: u32,
    y_stride4: u32,
    y_stride5: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<{{ dtype }}>;
@group(0) @binding(2) var<storage, read_write> y: array<{{ dtype }}>;

{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn strided_copy(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    var rest = linear_index(id, groups);
    if rest >= params.n {
        return;
    }
    var from_at = params.x_offset;
    var to_at = params.y_offset;
    {% for d in [5, 4, 3, 2, 1] %}
    from_at += rest % params.size{{ d }} * params.x_stride{{ d }};
    to_at += rest % params.size{{ d }} * params.y_stride{{ d }};
    rest /= params.size{{ d }};
    {% endfor %}
    y[to_at + rest * params.y_stride0] = x[from_at + rest * params.x_stride0];
}
