//! What a run ran on: `environment.json`, and the figures of this process.

use std::fs;

use serde::Serialize;
use tensor::Device;

/// What a run ran on. Absent where the system does not tell.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Environment {
    version: &'static str,
    device: String,
    adapter: Option<String>,
    driver: Option<String>,
    os: &'static str,
    architecture: &'static str,
    kernel: Option<String>,
    host: Option<String>,
    processor: Option<String>,
    threads: usize,
    command: Vec<String>,
}

impl Environment {
    pub(crate) fn of(device: &Device) -> Self {
        let adapter = if device.is_cpu() {
            None
        } else {
            let mut adapters = Device::adapters().into_iter();
            adapters.find(|adapter| adapter.name == device.name())
        };
        let line = |path: &str| Some(fs::read_to_string(path).ok()?.trim().to_owned());
        Self {
            version: env!("CARGO_PKG_VERSION"),
            device: device.name().to_owned(),
            driver: adapter.as_ref().map(|adapter| adapter.driver.clone()),
            adapter: adapter.map(|adapter| format!("{}, {}", adapter.kind, adapter.backend)),
            os: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            kernel: line("/proc/sys/kernel/osrelease"),
            host: line("/proc/sys/kernel/hostname"),
            processor: field("/proc/cpuinfo", "model name"),
            threads: std::thread::available_parallelism().map_or(1, Into::into),
            command: std::env::args_os()
                .map(|arg| arg.to_string_lossy().into_owned())
                .collect(),
        }
    }
}

/// The most memory that this process has had resident, in bytes, where the system tells.
#[must_use]
pub fn peak_host_bytes() -> Option<u64> {
    status_bytes("VmHWM")
}

/// The memory that this process has resident, in bytes, where the system tells.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    status_bytes("VmRSS")
}

fn status_bytes(name: &str) -> Option<u64> {
    let value = field("/proc/self/status", name)?;
    let kib: u64 = value.strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kib)
}

/// The value behind `name:` in a file of such lines.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = pairs.find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}
