{# The loop over K that GEMM and the three convolution kernels share: C[m, n] = sum over k of A[m, k] * B[k, n].
   The including file gives `entry`, the loaders of shared/operands.wgsl, `fn begin(group: vec3<u32>)`, which sets
   k_begin and k_end, and `fn store(m: u32, n: u32, value: vec4<f32>)`, which guards its edges. #}
var<private> k_begin: u32;
var<private> k_end: u32;

{% if style == 0 %}
{% include "shared/tile_workgroup.wgsl" %}
{% elif style == 1 %}
{% include "shared/tile_register.wgsl" %}
{% else %}
{% include "shared/tile_subgroup.wgsl" %}
{% endif %}
