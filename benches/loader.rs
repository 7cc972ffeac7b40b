//! How fast data comes: images drawn, decoded and batched per second. The loader must stay far ahead of any network.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use data::{FolderOptions, Loader, LoaderOptions, Shapes10, read_folder, statistics};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn drawing(c: &mut Criterion) {
    let mut group = c.benchmark_group("shapes10");
    group.throughput(Throughput::Elements(1002)).sample_size(10);
    group.bench_function("generate", |b| {
        b.iter(|| black_box(Shapes10::default().with_sizes(1000, 1, 1).generate()));
    });
    group.finish();
}

/// Batches of 128 from memory, as CIFAR's.
fn batches_from_memory(c: &mut Criterion) -> Outcome {
    let set = Shapes10::default().with_sizes(4096, 1, 1).generate()?;
    let mut group = c.benchmark_group("batch_from_memory");
    group.throughput(Throughput::Elements(128));
    for threads in [1, 2] {
        let options = LoaderOptions {
            threads,
            ..LoaderOptions::training(128, 1)
        };
        let mut loader = Loader::new(set.train.clone(), options)?;
        group.bench_function(BenchmarkId::from_parameter(threads), |b| {
            b.iter(|| loader.next_batch().map(|batch| black_box(batch.labels[0])));
        });
    }
    group.bench_function("statistics", |b| {
        b.iter(|| black_box(statistics(&set.train)));
    });
    group.finish();
    Ok(())
}

/// Batches of 32 images of 320x256, decoded from JPEG files each time and cropped to 256x256.
fn batches_from_files(c: &mut Criterion) -> Outcome {
    let dir = tempfile::tempdir()?;
    for class in 0..2_u32 {
        std::fs::create_dir(dir.path().join(class.to_string()))?;
        for number in 0..32 {
            let colour =
                |x: u32, y: u32, c: u32| ((x * (c + number)) ^ (y * (class + 3))).to_le_bytes()[0];
            let image = image::RgbImage::from_fn(320, 256, |x, y| {
                image::Rgb([0, 1, 2].map(|c| colour(x, y, c)))
            });
            image.save(dir.path().join(format!("{class}/{number}.jpg")))?;
        }
    }
    let mut group = c.benchmark_group("batch_from_jpeg_files");
    group.throughput(Throughput::Elements(32)).sample_size(10);
    for (name, cache_bytes) in [("decoded", 0), ("kept", u64::MAX)] {
        let set = read_folder(
            dir.path(),
            &FolderOptions {
                cache_bytes,
                ..FolderOptions::default()
            },
            &mut |_| {},
        )?;
        let mut loader = Loader::new(set.train, LoaderOptions::training(32, 1))?;
        group.bench_function(name, |b| {
            b.iter(|| loader.next_batch().map(|batch| black_box(batch.labels[0])));
        });
    }
    group.finish();
    Ok(())
}

fn loader(c: &mut Criterion) {
    drawing(c);
    batches_from_memory(c).expect("data in memory");
    batches_from_files(c).expect("files in a temporary folder");
}

criterion_group!(benches, loader);
criterion_main!(benches);
