//! The matrix product beside the best there is: on the CPU device the `gemm` crate by itself, and PyTorch's MKL through
//! `$BENCH_PYTHON`; on a GPU a kernel without tiles, and PyTorch's cuBLAS where it has CUDA. `cargo bench -p kernels
//! --bench gemm`; `KERNELS_DEVICE=gpu` for a GPU.
//!
//! Everything in turn, several rounds, medians over all of them.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench is a program: printing is what it does"
)]

use std::error::Error;
use std::process::{Command, ExitCode};
use std::time::Instant;

use kernels::Device;
use kernels::ops::gemm::{self, Gemm, naive_product};

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 3;
/// Products in a round.
const REPEATS: usize = 10;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let selector = std::env::var("KERNELS_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
    let device = Device::open(&selector)?;
    println!(
        "{}: GFLOP/s, and how much faster this program's is",
        device.name()
    );
    for sizes in shapes(&device) {
        compare(&device, sizes)?;
    }
    Ok(())
}

/// `[m, n, k]`: squares, then conv2 of alexnet-ungrouped at batch 32 and of alexnet-small at batch 128 as products.
fn shapes(device: &Device) -> Vec<[usize; 3]> {
    let convs = [[256, 23_328, 2400], [128, 8192, 1200]];
    if device.is_software() {
        // What it does in seconds.
        vec![[512; 3], [128, 1024, 1200]]
    } else if device.is_cpu() {
        [[[1024; 3], [2048; 3]], convs].concat()
    } else {
        [[[1024; 3], [4096; 3]], convs].concat()
    }
}

/// Somebody who multiplies, with the seconds it took.
struct Contender<'a> {
    name: &'static str,
    /// Seconds of each of [`REPEATS`] products.
    round: Box<dyn FnMut() -> Outcome<Vec<f64>> + 'a>,
    seconds: Vec<f64>,
}

fn compare(device: &Device, sizes: [usize; 3]) -> Outcome<()> {
    let [m, n, k] = sizes;
    let values =
        |len: usize| -> Vec<f32> { (0..len).map(|i| (i * 7919 % 1000) as f32 - 500.0).collect() };
    let (host_a, host_b) = (values(m * k), values(k * n));
    let (a, b) = (device.upload(&host_a)?, device.upload(&host_b)?);
    let mut host_c = vec![0.0; m * n];
    let on_device = |product: &dyn Fn() -> kernels::Result<kernels::Buffer>| {
        timed(|| {
            drop(product()?);
            Ok(device.synchronize()?)
        })
    };
    let contender = |name, round| Contender {
        name,
        round,
        seconds: Vec::new(),
    };
    let spec = Gemm::new(m, n, k);
    let mut contenders = vec![contender(
        "alexnet",
        Box::new(|| on_device(&|| gemm::product(device, &spec, &a, &b))),
    )];
    if device.is_cpu() {
        contenders.push(contender(
            "gemm crate",
            Box::new(|| {
                timed(|| {
                    library_product(sizes, &host_a, &host_b, &mut host_c);
                    Ok(())
                })
            }),
        ));
    } else {
        contenders.push(contender(
            "naive kernel",
            Box::new(|| on_device(&|| naive_product(device, sizes, &a, &b))),
        ));
    }
    if let (Ok(python), false) = (std::env::var("BENCH_PYTHON"), device.is_software()) {
        let kind = if device.is_cpu() { "cpu" } else { "cuda" };
        contenders.push(contender(
            "PyTorch",
            Box::new(move || torch(&python, kind, sizes)),
        ));
    }
    for _ in 0..ROUNDS {
        for contender in &mut contenders {
            let round = (contender.round)()?;
            contender.seconds.extend(round);
        }
    }
    let rates = contenders.iter_mut().map(|contender| {
        contender.seconds.sort_by(f64::total_cmp);
        let quartile = |quarter: usize| {
            let seconds = contender.seconds[contender.seconds.len() * quarter / 4];
            2e-9 * (m * n * k) as f64 / seconds
        };
        (contender.name, [3, 2, 1].map(quartile))
    });
    let rates: Vec<_> = rates.collect();
    for (name, [low, median, high]) in &rates {
        let ratio = rates[0].1[1] / median;
        println!("{m}x{n}x{k} {name:<14} {median:>8.1} ({low:.1}-{high:.1}) {ratio:>6.2}");
    }
    Ok(())
}

/// `C = A B` by the `gemm` crate, with nothing of ours around it: a: `[m, k]`, b: `[k, n]`, c: `[m, n]`, row-major.
#[expect(
    unsafe_code,
    reason = "the gemm crate's only entry point takes raw pointers"
)]
fn library_product([m, n, k]: [usize; 3], a: &[f32], b: &[f32], c: &mut [f32]) {
    assert!(
        a.len() == m * k && b.len() == k * n && c.len() == m * n,
        "the lengths are the matrices'"
    );
    let stride = |columns: usize| isize::try_from(columns).expect("a slice has fewer bytes");
    // SAFETY: the assertion holds every element that the sizes and strides reach inside its slice, and the borrows keep the
    // three slices alive and unaliased for the call.
    unsafe {
        ::gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            stride(n),
            false,
            a.as_ptr(),
            1,
            stride(k),
            b.as_ptr(),
            1,
            stride(n),
            0.0,
            1.0,
            false,
            false,
            false,
            ::gemm::Parallelism::Rayon(0),
        );
    }
}

/// Seconds of each product, after one that is not counted.
fn timed(mut product: impl FnMut() -> Outcome<()>) -> Outcome<Vec<f64>> {
    product()?;
    let mut seconds = Vec::new();
    for _ in 0..REPEATS {
        let start = Instant::now();
        product()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    Ok(seconds)
}

/// A process of its own a round, which prints its seconds.
fn torch(python: &str, device: &str, sizes: [usize; 3]) -> Outcome<Vec<f64>> {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../benches/peers/torch_gemm.py"
    );
    let output = Command::new(python)
        .arg(script)
        .args(sizes.map(|size| size.to_string()))
        .args([device, &REPEATS.to_string()])
        .output()?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{script}: {}", message.trim()).into());
    }
    let text = String::from_utf8(output.stdout)?;
    Ok(text
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()?)
}
