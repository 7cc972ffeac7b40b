{# What the optimizers' updates share: the bindings up to the parameter, which those of an optimizer's own state follow, and the
   entry point. The including file gives `struct Params` with `n` and `rate_factor`, this parameter's part of the learning rate, and the rule,
   `fn updated(i: u32, old: vec4<f32>, grad: vec4<f32>, rate: f32) -> vec4<f32>`: the four elements at i after the step.
   scaled: the gradient is multiplied by scale, the factor of gradient clipping, which is -1 where the step is to be skipped. #}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> step: array<u32>;
{% if scaled %}
@group(0) @binding(3) var<storage, read> scale: array<f32>;
{% endif %}
@group(0) @binding({{ 3 + scaled }}) var<storage, read_write> parameter: array<vec4<f32>>;

{% include "shared/step.wgsl" %}
{% include "shared/linear_index.wgsl" %}

@compute @workgroup_size(64)
fn {{ entry }}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear_index(id, groups);
    if i >= (params.n + 3u) / 4u {
        return;
    }
    {% if scaled %}
    // A step whose gradients overflowed: see loss_scale.wgsl. By its bits, so that a NaN skips none on any device.
    if bitcast<u32>(scale[0]) - 0x80000001u <= 0x7f7fffffu {
        return;
    }
    {% endif %}
    let rate = params.rate_factor * bitcast<f32>(step[LEARNING_RATE]);
    parameter[i] = updated(i, parameter[i], {{ "scale[0] * gradient[i]" if scaled else "gradient[i]" }}, rate);
}
