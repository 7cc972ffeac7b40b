{# The loop over K that GEMM and the three convolution kernels share: C[m, n] = sum over k of A[m, k] * B[k, n].
   The including file gives `entry`, the loaders of shared/operands.wgsl, `fn begin(group: vec3<u32>) -> Stretch`, and
   `fn store(m: u32, n: u32, value: vec4<f32>)`, which guards its edges. The loop goes by the stretch as a value, because WGSL's
   uniformity analysis takes every private variable for non-uniform, and there are barriers and broadcasts in it (WGSL, section 15.2).
   Loaders compare with k_end, which `begin` sets. #}
var<private> k_end: u32;

// The part of K that a workgroup adds up: from begin to before end.
struct Stretch {
    begin: u32,
    end: u32,
}

{% if style == 0 %}
{% include "shared/tile_workgroup.wgsl" %}
{% elif style == 1 %}
{% include "shared/tile_register.wgsl" %}
{% else %}
{% include "shared/tile_subgroup.wgsl" %}
{% endif %}
