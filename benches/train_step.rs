//! Images per second of the captured training step and of inference: alexnet-small at batch 128 on the CPU device, and
//! on the best adapter if there is one. `cargo bench -p train`.
//!
//! Criterion's `elem/s` are images per second. The peers beside it: `alexnet bench --peers`.

#![expect(
    clippy::print_stderr,
    reason = "a bench is a program: it says what it skips"
)]

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput as Count, criterion_group, criterion_main};
use model::Architecture;
use tensor::Device;
use train::Recipe;
use train::throughput::Throughput;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn train_step(c: &mut Criterion, selector: &str, batch: usize) -> Outcome {
    let device = Device::open(selector)?;
    let architecture = Architecture::new("alexnet-small", None, None)?;
    let recipe = Recipe::for_dataset("shapes10")?;
    let mut throughput = Throughput::new(&architecture, &recipe, batch, &device)?;
    // Fails here, where it can be told, and not in a loop of criterion's.
    throughput.train_step()?;
    throughput.infer()?;
    let mut group = c.benchmark_group("alexnet-small");
    group
        .throughput(Count::Elements(batch as u64))
        .sample_size(10);
    group.measurement_time(Duration::from_secs(8));
    let name = if device.is_cpu() {
        "cpu"
    } else {
        device.name()
    };
    group.bench_function(BenchmarkId::new("train_step", name), |b| {
        b.iter(|| throughput.train_step());
    });
    group.bench_function(BenchmarkId::new("infer", name), |b| {
        b.iter(|| throughput.infer());
    });
    group.finish();
    Ok(())
}

fn devices(c: &mut Criterion) {
    for selector in ["cpu", "gpu"] {
        if let Err(error) = train_step(c, selector, 128) {
            eprintln!("{selector}: {error}");
        }
    }
}

criterion_group!(benches, devices);
criterion_main!(benches);
