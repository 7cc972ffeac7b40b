// A word that is ordered as the floats are, with NaN above all: a driver may assume that there is none and compare wrongly.
fn ordered(x: f32) -> u32 {
    // -0 is the 0 that it equals.
    let bits = select(bitcast<u32>(x), 0u, x == 0.0);
    let is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
    let word = select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
    return select(word, 0xffffffffu, is_nan);
}
