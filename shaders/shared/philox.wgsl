// Philox 4x32-10, counter-based random words (Salmon 2011, "Parallel random numbers: as easy as 1, 2, 3", as in Random123).

// The high word of a product of two words, from products of halves: WGSL has no 64-bit integers.
fn multiply_high(a: u32, b: u32) -> u32 {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let cross = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let other = (a & 0xffffu) * (b >> 16u) + (cross & 0xffffu);
    return (a >> 16u) * (b >> 16u) + (cross >> 16u) + (other >> 16u);
}

fn philox(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
    var c = counter;
    var k = key;
    for (var round = 0u; round < 10u; round++) {
        let high_0 = multiply_high(0xd2511f53u, c.x);
        let high_1 = multiply_high(0xcd9e8d57u, c.z);
        c = vec4<u32>(high_1 ^ c.y ^ k.x, 0xcd9e8d57u * c.z, high_0 ^ c.w ^ k.y, 0xd2511f53u * c.x);
        k += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    }
    return c;
}

// Words to numbers in [0, 1): the high 24 bits, so that every value is exact.
fn uniform_floats(words: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(words >> vec4<u32>(8u)) * 5.9604644775390625e-8;
}
