//! Every operator at the sizes of `tests/cases/*.txt`: time, GFLOP/s, GB/s, and percent of a roofline measured first.
//!
//! `cargo bench -p kernels`, `cargo bench -p kernels -- conv2d` for one operator; `KERNELS_DEVICE=gpu` (or any
//! selector of [`Device::open`]) for another device than the CPU.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    reason = "a bench is a program: printing and exiting is what it does"
)]

use std::cell::Cell;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use kernels::{Buffer, Device, Result, Roofline};
use verify::operators::{Case, Input, operators};

fn main() -> ExitCode {
    let selector = std::env::var("KERNELS_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
    match Device::open(&selector).and_then(|device| run(&device)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(device: &Device) -> Result<()> {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .configure_from_args();
    let roofline = Roofline::measure(device)?;
    println!(
        "{}: roofline {:.1} GFLOP/s (gemm), {:.1} GB/s (add)",
        device.name(),
        roofline.gflops,
        roofline.gigabytes_per_s
    );
    for operator in operators() {
        let mut group = criterion.benchmark_group(operator.stem);
        for (line, case) in operator.cases().unwrap_or_else(|message| exit(&message)) {
            let sized = Sized::new(&*case, device)?;
            for pass in [Pass::Forward, Pass::Backward] {
                if pass == Pass::Backward && !sized.has_backward()? {
                    continue;
                }
                let best = Cell::new(f64::INFINITY);
                group.throughput(Throughput::Elements(sized.flops(pass)));
                group.bench_function(BenchmarkId::new(pass.name(), line), |bencher| {
                    bencher.iter_custom(|iterations| {
                        let elapsed = sized
                            .time(pass, iterations)
                            .unwrap_or_else(|error| exit(&error.to_string()));
                        best.set(best.get().min(elapsed.as_secs_f64() / iterations as f64));
                        elapsed
                    });
                });
                if best.get().is_finite() {
                    sized.report(pass, best.get(), &roofline);
                }
            }
        }
        group.finish();
    }
    criterion.final_summary();
    Ok(())
}

fn exit(message: &str) -> ! {
    eprintln!("error: {message}");
    std::process::exit(1)
}

#[derive(Clone, Copy, PartialEq)]
enum Pass {
    Forward,
    Backward,
}

impl Pass {
    fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
        }
    }
}

/// A case with its inputs on the device.
struct Sized<'a> {
    case: &'a dyn Case,
    device: &'a Device,
    inputs: Vec<Buffer>,
    outputs: Vec<Buffer>,
    dy: Buffer,
}

impl<'a> Sized<'a> {
    fn new(case: &'a dyn Case, device: &'a Device) -> Result<Self> {
        let upload = |input: &Input, seed| input.upload(device, seed);
        let inputs: Vec<_> = case
            .inputs()
            .iter()
            .zip(1..)
            .map(|(input, seed)| upload(input, seed))
            .collect::<Result<_>>()?;
        let outputs = case.forward(device, &inputs)?;
        let dy = upload(&case.upstream(outputs[0].len()), 99)?;
        Ok(Self {
            case,
            device,
            inputs,
            outputs,
            dy,
        })
    }

    fn has_backward(&self) -> Result<bool> {
        Ok(!self
            .case
            .backward(self.device, &self.inputs, &self.dy)?
            .is_empty())
    }

    fn flops(&self, pass: Pass) -> u64 {
        let sizes = self.case.sizes();
        match pass {
            Pass::Forward => sizes.forward_flops as u64,
            Pass::Backward => sizes.backward_flops as u64,
        }
    }

    fn time(&self, pass: Pass, iterations: u64) -> Result<Duration> {
        self.device.synchronize()?;
        let start = Instant::now();
        for _ in 0..iterations {
            match pass {
                Pass::Forward => drop(self.case.forward(self.device, &self.inputs)?),
                Pass::Backward => drop(self.case.backward(self.device, &self.inputs, &self.dy)?),
            }
        }
        self.device.synchronize()?;
        Ok(start.elapsed())
    }

    /// Prints what criterion does not: GB/s over inputs and outputs, and the share of the roofline.
    fn report(&self, pass: Pass, seconds: f64, roofline: &Roofline) {
        let words: usize = self
            .inputs
            .iter()
            .chain(&self.outputs)
            .map(Buffer::len)
            .sum();
        let passes = if pass == Pass::Forward { 1.0 } else { 2.0 };
        let bytes = 4.0 * passes * words as f64;
        let flops = self.flops(pass) as f64;
        println!(
            "{:>24} {:>10.3} ms {:>9.2} GFLOP/s {:>8.2} GB/s {:>6.1} % of roofline",
            pass.name(),
            1e3 * seconds,
            1e-9 * flops / seconds,
            1e-9 * bytes / seconds,
            100.0 * roofline.seconds(flops, bytes) / seconds
        );
    }
}
