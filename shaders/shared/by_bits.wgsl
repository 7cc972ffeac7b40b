// Comparisons that say the same of a NaN on every device, by the bits: a driver may assume that there is none, as Metal's fast
// math does, and then turn `x <= 0` into `!(x > 0)`, or `x != x` into false.

fn is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn are_nan(x: vec4<f32>) -> vec4<bool> {
    return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
}

// x <= 0, false of NaN: 0 itself, or what lies from -0 to minus infinity.
fn is_at_most_zero(x: f32) -> bool {
    let bits = bitcast<u32>(x);
    return (bits == 0u) | (bits - 0x80000000u <= 0x7f800000u);
}

fn are_at_most_zero(x: vec4<f32>) -> vec4<bool> {
    let bits = bitcast<vec4<u32>>(x);
    return (bits == vec4<u32>(0u)) | (bits - vec4<u32>(0x80000000u) <= vec4<u32>(0x7f800000u));
}
