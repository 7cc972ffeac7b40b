// Matrix product as the equation has it, for benches alone: what the tiles of gemm.wgsl are measured against.
// C = A B; a: [m, k], b: [k, n], c: [m, n], row-major. One invocation computes one element.
{# entry points: gemm_naive #}

struct Params {
    m: u32,
    n: u32,
    k: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(8, 8)
fn gemm_naive(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.n || id.y >= params.m {
        return;
    }
    var sum = 0.0;
    for (var k = 0u; k < params.k; k++) {
        sum += a[id.y * params.k + k] * b[k * params.n + id.x];
    }
    c[id.y * params.n + id.x] = sum;
}
