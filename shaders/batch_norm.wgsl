// Batch normalisation (Ioffe and Szegedy 2015): y = gamma (x - mean) r + beta with r = 1 / sqrt(variance + epsilon).
// Training takes mean and variance from the batch, in two passes, so that a large mean does not cancel the variance.
//
// x, y, dy, dx: [rows, channels]; gamma, beta, running_mean, running_var: [channels]; sums: [channels] column sums of x;
// statistics: [2, channels] mean and r; parts = ceil(rows / rows_per_part). column_sum adds up the parts.
// squares          x, sums -> partial: [parts, channels] sums of (x - mean)^2
// statistics       sums, squares (added up) -> statistics, running_mean, running_var: new = old + new_weight (batch - old)
// eval_statistics  running_mean, running_var -> statistics
// forward          x, statistics, gamma, beta -> y
// gradient_sums    x, dy, statistics -> partial_beta, partial_gamma: [parts, channels] sums of dy and of dy (x - mean) r
// backward         x, dy, statistics, gamma, dbeta, dgamma -> dx = gamma r (dy - (dbeta + (x - mean) r dgamma) / rows)
// eval_backward    dy, statistics, gamma -> dx = gamma r dy
// `vector`: channels is a multiple of 4, and one column of the kernels that sum rows, or one element of the others, is four of them.
// Workgroup (i, p) of squares and gradient_sums takes 16 columns of part p; an invocation of the others computes one element.

struct Params {
    rows: u32, // of the window that is bound
    all_rows: u32,
    channels: u32,
    rows_per_part: u32,
    unbiased: u32, // whether the running variance is updated with the batch's sum of squares over rows - 1
    new_weight: f32, // of the batch's statistics in the running ones
    epsilon: f32,
}

{% set bindings = {
    "batch_norm_squares": (["x", "sums"], ["partial"]),
    "batch_norm_statistics": (["sums", "squares"], ["statistics", "running_mean", "running_var"]),
    "batch_norm_eval_statistics": (["running_mean", "running_var"], ["statistics"]),
    "batch_norm_forward": (["x", "statistics", "gamma", "beta"], ["y"]),
    "batch_norm_gradient_sums": (["x", "dy", "statistics"], ["partial_beta", "partial_gamma"]),
    "batch_norm_backward": (["x", "dy", "statistics", "gamma", "dbeta", "dgamma"], ["dx"]),
    "batch_norm_eval_backward": (["dy", "statistics", "gamma"], ["dx"]),
}[entry] %}
{% set count = " / 4u" if vector else "" %}
{% set type = "vec4<f32>" if vector else "f32" %}
{% set dtype_vec = "vec4<" ~ dtype ~ ">" if vector else dtype %}
@group(0) @binding(0) var<uniform> params: Params;
{% for name in bindings[0] %}
@group(0) @binding({{ loop.index }}) var<storage, read> {{ name }}: array<{{ dtype_vec if name in ["x", "dy"] else type }}>;
{% endfor %}
{% for name in bindings[1] %}
@group(0) @binding({{ loop.index + bindings[0] | length }}) var<storage, read_write> {{ name }}: array<{{ dtype_vec if name in ["y", "dx"] else type }}>;
{% endfor %}

{% if entry in ["batch_norm_squares", "batch_norm_gradient_sums"] %}
{% set names = bindings[1] %}
{% include "shared/column_tree.wgsl" %}

fn terms(row: u32, column: u32) -> Terms {
    let at = row * (params.channels{{ count }}) + column;
    {% if entry == "batch_norm_squares" %}
    let centred = {{ type }}(x[at]) - sums[column] / f32(params.all_rows);
    return Terms(centred * centred);
    {% else %}
    return Terms({{ type }}(dy[at]), {{ type }}(dy[at]) * ({{ type }}(x[at]) - statistics[column]));
    {% endif %}
}

@compute @workgroup_size(16, 16)
fn {{ entry }}(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let channels = params.channels{{ count }};
    let channel = group.x * 16u + local.x;
    let first = group.y * params.rows_per_part;
    let sums = column_tree(local, channel, channels, first, min(first + params.rows_per_part, params.rows));
    if local.y == 0u && channel < channels {
        let at = group.y * channels + channel;
        {% if entry == "batch_norm_squares" %}
        partial[at] = sums.partial;
        {% else %}
        partial_beta[at] = sums.partial_beta;
        partial_gamma[at] = sums.partial_gamma * statistics[channels + channel];
        {% endif %}
    }
}
{% else %}
{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn {{ entry }}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    let channels = params.channels{{ count }};
    let channel = i % channels;
    {% if entry in ["batch_norm_statistics", "batch_norm_eval_statistics"] %}
    if i >= channels {
        return;
    }
    {% if entry == "batch_norm_statistics" %}
    let rows = f32(params.all_rows);
    let mean = sums[i] / rows;
    let variance = squares[i] / rows;
    let divisor = select(rows, max(rows - 1.0, 1.0), params.unbiased != 0u);
    running_mean[i] += params.new_weight * (mean - running_mean[i]);
    running_var[i] += params.new_weight * (squares[i] / divisor - running_var[i]);
    {% else %}
    let mean = running_mean[i];
    let variance = running_var[i];
    {% endif %}
    statistics[i] = mean;
    statistics[channels + i] = 1.0 / sqrt(variance + params.epsilon);
    {% else %}
    if i / channels >= params.rows {
        return;
    }
    {% if entry != "batch_norm_eval_backward" %}
    let normal = ({{ type }}(x[i]) - statistics[channel]) * statistics[channels + channel];
    {% endif %}
    {% if entry == "batch_norm_forward" %}
    y[i] = {{ dtype_vec }}(gamma[channel] * normal + beta[channel]);
    {% else %}
    let slope = gamma[channel] * statistics[channels + channel];
    {% if entry == "batch_norm_backward" %}
    dx[i] = {{ dtype_vec }}(slope * ({{ type }}(dy[i]) - (dbeta[channel] + normal * dgamma[channel]) / f32(params.all_rows)));
    {% else %}
    dx[i] = {{ dtype_vec }}(slope * {{ type }}(dy[i]));
    {% endif %}
    {% endif %}
    {% endif %}
}
{% endif %}
