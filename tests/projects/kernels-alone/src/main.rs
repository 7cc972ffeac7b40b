//! Multiplies two matrices with `kernels` alone, on the CPU device or on the one named as the first argument
//! (`cargo run -- gpu`), and compares the product with plain loops.

use kernels::ops::gemm::{self, Gemm};
use kernels::{Device, Result};

const M: usize = 37;
const K: usize = 64;
const N: usize = 20;

fn main() -> Result<()> {
    let device = match std::env::args().nth(1) {
        Some(name) => Device::open(&name)?,
        None => Device::cpu(),
    };
    // Small integers, so that every sum is exact and the two results must be equal.
    let a: Vec<f32> = small_integers(M * K, 7);
    let b: Vec<f32> = small_integers(K * N, 5);

    let c = gemm::product(
        &device,
        &Gemm::new(M, N, K),
        &device.upload(&a)?,
        &device.upload(&b)?,
    )?;
    let c = device.read::<f32>(&c)?;

    assert_eq!(
        c,
        multiply(&a, &b),
        "the product differs from the one by plain loops"
    );
    println!(
        "[{M}, {K}] x [{K}, {N}] on {}: equal to plain loops, c[0][0] = {}",
        device.name(),
        c[0]
    );
    Ok(())
}

fn small_integers(n: usize, modulus: u16) -> Vec<f32> {
    let half = f32::from(modulus / 2);
    (0..modulus)
        .cycle()
        .take(n)
        .map(|value| f32::from(value) - half)
        .collect()
}

/// `c[i][j] = sum over l of a[i][l] b[l][j]`
fn multiply(a: &[f32], b: &[f32]) -> Vec<f32> {
    let mut c = Vec::with_capacity(M * N);
    for row in a.chunks(K) {
        for j in 0..N {
            c.push(
                row.iter()
                    .enumerate()
                    .map(|(l, value)| value * b[l * N + j])
                    .sum(),
            );
        }
    }
    c
}
