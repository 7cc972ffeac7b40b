//! The twin of `power` in `exact.wgsl`: a power of two in whole numbers, the same on every device and platform, where a
//! library's own may differ in the last place.

/// `ln(2)^j / j!` from j = 1 on, in 64 binary places.
const TERMS: [u64; 16] = [
    0xb172_17f7_d1cf_79ac,
    0x3d7f_7bff_058b_1d51,
    0x0e35_846b_8250_5fc6,
    0x0276_556d_f749_cee5,
    0x0057_61ff_9e29_9cc4,
    0x000a_1848_97c3_63c4,
    0x0000_ffe5_fe2c_4586,
    0x0000_162c_0223_a5c8,
    0x0000_01b5_253d_395e,
    0x0000_001e_4cf5_158c,
    0x0000_0001_e8ca_c735,
    0x0000_0000_1c3b_d651,
    0x0000_0000_0181_6193,
    0x0000_0000_0013_1496,
    0x0000_0000_0000_e1b7,
    0x0000_0000_0000_09c7,
];

/// `2^t` for -126 <= t < 127, from t to 32 binary places.
pub(crate) fn power(t: f32) -> f32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "places after the 32nd are dropped"
    )]
    let fixed = (f64::from(t) * f64::from(1_u32 << 31) * 2.0) as i64;
    let (whole, part) = (fixed >> 32, u128::from(fixed.cast_unsigned() & 0xffff_ffff));
    let times = |sum: u64| u64::try_from((u128::from(sum) * part) >> 32).unwrap_or(u64::MAX);
    let sum = TERMS.iter().rev().fold(0, |sum, term| times(sum) + term);
    let sum = times(sum);
    let (bits, rest) = (sum >> 41, sum & ((1 << 41) - 1));
    let half = 1 << 40;
    let up = u64::from(rest > half || (rest == half && bits & 1 == 1));
    let exponent = whole.clamp(-126, 126) + 127;
    let word = (exponent.cast_unsigned() << 23) + bits + up;
    f32::from_bits(u32::try_from(word).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custom::CustomKernel;
    use crate::device::Device;

    const SNIPPETS: &str = concat!(
        include_str!("../../../../../shaders/shared/philox.wgsl"),
        include_str!("../../../../../shaders/shared/exact.wgsl"),
        "struct Params { n: u32 }
         @group(0) @binding(0) var<uniform> params: Params;
         @group(0) @binding(1) var<storage, read> a: array<f32>;
         @group(0) @binding(2) var<storage, read> b: array<f32>;
         @group(0) @binding(3) var<storage, read> t: array<f32>;
         @group(0) @binding(4) var<storage, read_write> y: array<f32>;
         @compute @workgroup_size(64)
         fn exact(@builtin(global_invocation_id) id: vec3<u32>) {
             if id.x < params.n {
                 y[3u * id.x] = quotient(a[id.x], b[id.x]);
                 y[3u * id.x + 1u] = root(a[id.x]);
                 y[3u * id.x + 2u] = power(t[id.x]);
             }
         }"
    );

    /// Positive numbers of all sizes from `2^-20` to `2^20`, and awkward ones.
    fn numbers(key: u32) -> Vec<f32> {
        let word = |i: u32| {
            i.wrapping_mul(0x9e37_79b9)
                .wrapping_add(key)
                .wrapping_mul(0x85eb_ca6b)
        };
        let near = [1.0_f32, 2.0, 4.0, 9.0, 0.25, 2.25].into_iter();
        let near = near.flat_map(|x| [x, x.next_up(), x.next_down()]);
        let spread = (0..50_000).map(|i| {
            let (exponent, fraction) = (107 + word(i) % 40, word(i + 1) >> 9);
            f32::from_bits((exponent << 23) | fraction)
        });
        near.chain(spread).collect()
    }

    #[test]
    fn a_gpu_divides_and_takes_roots_and_powers_as_the_cpu_does() {
        let device = match Device::open("gpu") {
            Ok(device) => device,
            Err(error) => {
                let is_needed = std::env::var_os("REQUIRE_GPU").is_some();
                assert!(!is_needed, "{error}");
                return println!("skipped on a GPU: {error}");
            }
        };
        let [a, b] = [2, 3].map(numbers);
        let t: Vec<f32> = numbers(4).iter().map(|t| 60.0 - t % 120.0).collect();
        let kernel = CustomKernel::new("exact", SNIPPETS, |_, _| {});
        let [x, y, z] = [&a, &b, &t].map(|list| device.upload(list).unwrap());
        let found = device.alloc(3 * a.len()).unwrap();
        let n = u32::try_from(a.len()).unwrap();
        kernel
            .launch(&device, &[n], &[&x, &y, &z], &[&found], a.len())
            .unwrap();
        let found: Vec<f32> = device.read(&found).unwrap();
        for (i, found) in found.chunks_exact(3).enumerate() {
            let want = [a[i] / b[i], a[i].sqrt(), power(t[i])];
            assert_eq!(found, want, "of {}, {} and {}", a[i], b[i], t[i]);
        }
    }

    #[test]
    fn powers_are_the_nearest_floats() {
        for t in numbers(1)
            .into_iter()
            .filter(|t| *t < 100.0)
            .flat_map(|t| [t, -t])
        {
            let exact = f64::from(t).exp2();
            let error = (f64::from(power(t)) - exact).abs() / exact;
            assert!(error <= 6.0e-8, "2^{t}: {error}");
        }
        for t in [-126.0_f32, -3.0, -1.0, 0.0, 1.0, 2.0, 126.0] {
            assert_eq!(power(t), t.exp2(), "2^{t}");
        }
    }
}
