// Dynamic loss scaling (Micikevicius 2018, section 3.2), with the rule of PyTorch's GradScaler: the loss is multiplied by `scale`,
// so that small gradients are not lost in f16, and the update divides by it.
//
// total [1]: the norm of all gradients, which are scaled. If it is finite: factor = min(1, max_norm / (total / scale + 1e-6)) / scale,
// and after `interval` such steps in a row the scale doubles. If not, some gradient overflowed: factor = -1, which tells the
// optimizer to leave everything as it is, and the scale halves, down to 1.
// factor, inverse (1 / scale, as this step had it), scale, streak (steps since the scale changed): [1]. One invocation.
{# entry points: loss_scale #}

struct Params {
    max_norm: f32,
    interval: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> total: array<f32>;
@group(0) @binding(2) var<storage, read_write> factor: array<f32>;
@group(0) @binding(3) var<storage, read_write> inverse: array<f32>;
@group(0) @binding(4) var<storage, read_write> scale: array<f32>;
@group(0) @binding(5) var<storage, read_write> streak: array<f32>;

@compute @workgroup_size(1)
fn loss_scale() {
    let before = scale[0];
    inverse[0] = 1.0 / before;
    // By its bits, since a driver may assume that there is no infinity.
    if (bitcast<u32>(total[0]) & 0x7fffffffu) >= 0x7f800000u {
        factor[0] = -1.0;
        scale[0] = max(0.5 * before, 1.0);
        streak[0] = 0.0;
        return;
    }
    let norm = total[0] / before;
    let ratio = params.max_norm / (norm + 1e-6);
    factor[0] = select(ratio, 1.0, ratio > 1.0) / before;
    let next = streak[0] + 1.0;
    let grows = next >= params.interval;
    scale[0] = select(before, 2.0 * before, grows);
    streak[0] = select(next, 0.0, grows);
}
