// Linear interpolation along both axes of images:
//   y[n, r, c, k] = sum over i, j of rows[r].weight[i] columns[c].weight[j] x[n, rows[r].first + i, columns[c].first + j, k]
//
// x: [n, in_h, in_w, channels]; rows: [out_h] records of the first source row (u32) and taps_h weights (f32), columns the
// same; y: [n, out_h, out_w, channels]. The launch computes the weights: bilinear, with or without antialiasing, or, for
// the backward pass, their transpose. One invocation computes one element.
{# entry points: resize #}

struct Params {
    n: u32,
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    channels: u32,
    taps_h: u32,
    taps_w: u32,
    // 1: to whole numbers in 0..=255, halves up.
    rounded: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> rows: array<u32>;
@group(0) @binding(3) var<storage, read> columns: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn resize(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    let line = params.out_w * params.channels;
    if i >= params.n * params.out_h * line {
        return;
    }
    let channel = i % params.channels;
    let column = (i % line) / params.channels * (1u + params.taps_w);
    let row = (i / line) % params.out_h * (1u + params.taps_h);
    let image = i / line / params.out_h;
    var sum = 0.0;
    for (var a = 0u; a < params.taps_h; a++) {
        // Weights past a position's own are 0 and may lie past the source.
        let source_row = min(rows[row] + a, params.in_h - 1u);
        let start = (image * params.in_h + source_row) * params.in_w;
        var part = 0.0;
        for (var b = 0u; b < params.taps_w; b++) {
            let source = start + min(columns[column] + b, params.in_w - 1u);
            part += bitcast<f32>(columns[column + 1u + b]) * x[source * params.channels + channel];
        }
        sum += bitcast<f32>(rows[row + 1u + a]) * part;
    }
    if params.rounded != 0u {
        sum = clamp(floor(sum + 0.5), 0.0, 255.0);
    }
    y[i] = sum;
}
