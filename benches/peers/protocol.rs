//! What the Rust peers share: their arguments, the timing, and the JSON that `alexnet bench --peers` reads. The twin of
//! `arguments`, `measure` and `report` in torch_bench.py.

use std::time::Instant;

/// A measurement that `alexnet` asks for.
pub struct Args {
    pub is_small: bool,
    pub batch_size: usize,
    steps: usize,
    seconds: f64,
}

impl Args {
    /// Reads the command line; with `--variants`, prints `variants` and ends the program.
    pub fn read(variants: &str) -> Self {
        let args: Vec<String> = std::env::args().collect();
        if args.iter().any(|arg| arg == "--variants") {
            println!("{variants}");
            std::process::exit(0);
        }
        let value = |name: &str, default: &str| {
            let at = args.iter().position(|arg| arg == name);
            at.map_or(default, |at| args[at + 1].as_str()).to_owned()
        };
        Self {
            is_small: value("--network", "alexnet-small") == "alexnet-small",
            batch_size: value("--batch-size", "128")
                .parse()
                .expect("--batch-size takes a number"),
            steps: value("--steps", "20")
                .parse()
                .expect("--steps takes a number"),
            seconds: value("--seconds", "30")
                .parse()
                .expect("--seconds takes a number"),
        }
    }

    pub fn side(&self) -> usize {
        if self.is_small { 32 } else { 227 }
    }

    /// Seconds of each of `steps` steps, or of as many as fit; up to three go before, untimed.
    pub fn measure(&self, mut step: impl FnMut()) -> Vec<f64> {
        let began = Instant::now();
        for _ in 0..3 {
            step();
            if began.elapsed().as_secs_f64() > self.seconds / 2.0 {
                break;
            }
        }
        let (mut times, began) = (Vec::new(), Instant::now());
        while times.len() < self.steps
            && (times.is_empty() || began.elapsed().as_secs_f64() < self.seconds)
        {
            let start = Instant::now();
            step();
            times.push(start.elapsed().as_secs_f64());
        }
        times
    }
}

/// Prints what `alexnet` reads.
pub fn report(parameters: usize, first_step_s: f64, train: &[f64], infer: &[f64]) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| {
        let kib: u64 = line
            .strip_prefix("VmHWM:")?
            .trim()
            .strip_suffix(" kB")?
            .parse()
            .ok()?;
        Some(1024 * kib)
    });
    let peak = peak.map_or_else(|| "null".to_owned(), |bytes| bytes.to_string());
    println!(
        r#"{{"parameters":{parameters},"first_step_s":{first_step_s},"train":{{"seconds":{train:?}}},"infer":{{"seconds":{infer:?}}},"peak_host_bytes":{peak},"peak_device_bytes":null}}"#
    );
}
