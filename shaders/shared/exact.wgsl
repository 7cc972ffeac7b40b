// Quotients, roots and powers of two that are the same on every device: WGSL's own may be a few units in the last place off, and
// whoever rounds them to a whole number then gets another one. Quotients and roots are rounded as IEEE 754 says, of positive normal
// numbers and 0. cpu/shared/exact.rs has the twin of `power`. Needs `multiply_high` of philox.wgsl.

// x as a float that is not fused with what is done to it: `zero` is 0, which a compiler cannot know.
fn settled(x: f32, zero: u32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ zero);
}

// The mantissa of a normal number, from 2^23 to 2^24.
fn mantissa(x: f32) -> u32 {
    return (bitcast<u32>(x) & 0x7fffffu) | 0x800000u;
}

fn biased_exponent(x: f32) -> u32 {
    return (bitcast<u32>(x) >> 23u) & 0xffu;
}

// The nearest float to 25 bits of a mantissa, and more behind them unless `rest` is 0; of two that are as near, the even one.
fn nearest(exponent: u32, bits: u32, rest: u32) -> f32 {
    let up = bits & select(bits >> 1u, 1u, rest != 0u) & 1u;
    return bitcast<f32>((exponent << 23u) + (bits >> 1u) - 0x800000u + up);
}

// a / b, digit by digit.
fn quotient(a: f32, b: f32) -> f32 {
    if a == 0.0 {
        return 0.0;
    }
    let divisor = mantissa(b);
    let is_less = mantissa(a) < divisor;
    var rest = mantissa(a) << select(0u, 1u, is_less);
    var bits = 0u;
    for (var i = 0u; i < 25u; i++) {
        let fits = rest >= divisor;
        bits = (bits << 1u) | u32(fits);
        rest = (rest - select(0u, divisor, fits)) << 1u;
    }
    return nearest(biased_exponent(a) + 127u - biased_exponent(b) - u32(is_less), bits, rest);
}

// The root of x, digit by digit.
fn root(x: f32) -> f32 {
    if x == 0.0 {
        return 0.0;
    }
    // With an even power of two, so that its root is a power of two.
    let odd = 1u - (biased_exponent(x) & 1u);
    let square = mantissa(x) << odd;
    var rest = 0u;
    var bits = 0u;
    for (var i = 0u; i < 25u; i++) {
        // The next two bits of `square`, and zeros after them.
        let next = select(select(0u, square << 1u, i == 12u), square >> (23u - 2u * min(i, 11u)), i < 12u) & 3u;
        rest = (rest << 2u) | next;
        let trial = (bits << 2u) | 1u;
        let fits = rest >= trial;
        bits = (bits << 1u) | u32(fits);
        rest -= select(0u, trial, fits);
    }
    return nearest((biased_exponent(x) - odd + 127u) / 2u, bits, rest);
}

// A number of 64 bits, its high word first, times one of 32 bits, without the last 32 bits.
fn times(a: vec2<u32>, b: u32) -> vec2<u32> {
    let low = a.x * b;
    let sum = low + multiply_high(a.y, b);
    return vec2<u32>(multiply_high(a.x, b) + u32(sum < low), sum);
}

fn plus(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.y + b.y;
    return vec2<u32>(a.x + b.x + u32(low < a.y), low);
}

// 2^t for -126 <= t < 127, from t to 32 binary places.
fn power(t: f32) -> f32 {
    let shift = i32(min(biased_exponent(t), 133u)) - 118;
    let magnitude = mantissa(t);
    var whole = 0u;
    var part = 0u;
    if shift > 0 {
        whole = (magnitude >> 1u) >> u32(31 - shift);
        part = magnitude << u32(shift);
    } else if shift > -24 {
        part = magnitude >> u32(-shift);
    }
    if (bitcast<u32>(t) >> 31u) == 1u {
        part = 0u - part;
        whole = ~whole + u32(part == 0u);
    }
    // 2^part - 1 in 64 binary places: the terms ln(2)^j / j! of its series.
    var s = vec2<u32>(0x00000000u, 0x000009c7u);
    s = plus(times(s, part), vec2<u32>(0x00000000u, 0x0000e1b7u));
    s = plus(times(s, part), vec2<u32>(0x00000000u, 0x00131496u));
    s = plus(times(s, part), vec2<u32>(0x00000000u, 0x01816193u));
    s = plus(times(s, part), vec2<u32>(0x00000000u, 0x1c3bd651u));
    s = plus(times(s, part), vec2<u32>(0x00000001u, 0xe8cac735u));
    s = plus(times(s, part), vec2<u32>(0x0000001eu, 0x4cf5158cu));
    s = plus(times(s, part), vec2<u32>(0x000001b5u, 0x253d395eu));
    s = plus(times(s, part), vec2<u32>(0x0000162cu, 0x0223a5c8u));
    s = plus(times(s, part), vec2<u32>(0x0000ffe5u, 0xfe2c4586u));
    s = plus(times(s, part), vec2<u32>(0x000a1848u, 0x97c363c4u));
    s = plus(times(s, part), vec2<u32>(0x005761ffu, 0x9e299cc4u));
    s = plus(times(s, part), vec2<u32>(0x0276556du, 0xf749cee5u));
    s = plus(times(s, part), vec2<u32>(0x0e35846bu, 0x82505fc6u));
    s = plus(times(s, part), vec2<u32>(0x3d7f7bffu, 0x058b1d51u));
    s = plus(times(s, part), vec2<u32>(0xb17217f7u, 0xd1cf79acu));
    s = times(s, part);
    let bits = s.x >> 9u;
    let rest = s.x & 0x1ffu;
    let up = rest > 0x100u || (rest == 0x100u && (s.y != 0u || (bits & 1u) == 1u));
    let exponent = clamp(bitcast<i32>(whole), -126, 126) + 127;
    return bitcast<f32>((u32(exponent) << 23u) + bits + u32(up));
}
