//! Which adapters there are and which one a selector such as `auto`, `gpu:1` or `radeon` names.

use std::sync::OnceLock;

use crate::error::{Error, Result};

/// How an adapter computes, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AdapterKind {
    /// A GPU with its own memory.
    Discrete,
    /// A GPU that shares the host's memory.
    Integrated,
    /// A GPU seen through a hypervisor.
    Virtual,
    /// The driver does not say.
    Other,
    /// A software rasteriser: lavapipe, llvmpipe, WARP, SwiftShader.
    Software,
}

impl std::fmt::Display for AdapterKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Discrete => "discrete GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Other => "other",
            Self::Software => "software, slow",
        })
    }
}

/// A wgpu adapter, described.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// The name that a selector may be a part of.
    pub name: String,
    /// How it computes.
    pub kind: AdapterKind,
    /// `vulkan`, `metal` or `dx12`.
    pub backend: String,
    /// The driver and its version, as it gives them.
    pub driver: String,
    /// The longest storage binding.
    pub max_binding_bytes: u64,
    /// The largest buffer.
    pub max_buffer_bytes: u64,
    /// Workgroup memory of one workgroup.
    pub workgroup_bytes: u32,
    /// Invocations in one workgroup.
    pub workgroup_invocations: u32,
    /// Storage buffers in one stage.
    pub storage_buffers: u32,
    /// Whether kernels may use subgroup operations, and the subgroup's size (least, most).
    pub subgroup: Option<(u32, u32)>,
    /// Whether shaders may use f16.
    pub has_f16: bool,
    /// Whether dispatches can be timed on the device.
    pub has_timestamps: bool,
    pub(crate) wgpu: wgpu::Adapter,
}

impl Adapter {
    fn new(adapter: wgpu::Adapter) -> Self {
        let (info, limits, features) = (adapter.get_info(), adapter.limits(), adapter.features());
        let kind = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => AdapterKind::Discrete,
            wgpu::DeviceType::IntegratedGpu => AdapterKind::Integrated,
            wgpu::DeviceType::VirtualGpu => AdapterKind::Virtual,
            wgpu::DeviceType::Cpu => AdapterKind::Software,
            wgpu::DeviceType::Other => AdapterKind::Other,
        };
        Self {
            name: info.name,
            kind,
            backend: info.backend.to_str().to_owned(),
            driver: format!("{} {}", info.driver, info.driver_info)
                .trim()
                .to_owned(),
            max_binding_bytes: limits.max_storage_buffer_binding_size,
            max_buffer_bytes: limits.max_buffer_size,
            workgroup_bytes: limits.max_compute_workgroup_storage_size,
            workgroup_invocations: limits.max_compute_invocations_per_workgroup,
            storage_buffers: limits.max_storage_buffers_per_shader_stage,
            subgroup: features
                .contains(wgpu::Features::SUBGROUP)
                .then_some((info.subgroup_min_size, info.subgroup_max_size)),
            has_f16: features.contains(wgpu::Features::SHADER_F16),
            has_timestamps: features.contains(wgpu::Features::TIMESTAMP_QUERY),
            wgpu: adapter,
        }
    }
}

fn instance() -> &'static wgpu::Instance {
    static INSTANCE: OnceLock<wgpu::Instance> = OnceLock::new();
    INSTANCE.get_or_init(|| {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::PRIMARY;
        // Validation layers and debug names cost time and need an SDK; naga and wgpu validate already.
        descriptor.flags = wgpu::InstanceFlags::empty();
        // Where the driver knows its budget, allocations beyond it fail instead of being paged to the host's memory.
        descriptor.memory_budget_thresholds.for_resource_creation = Some(90);
        wgpu::Instance::new(descriptor)
    })
}

/// All adapters, best first, in the order that `gpu:N` counts.
pub(crate) fn adapters() -> Vec<Adapter> {
    let found = pollster::block_on(instance().enumerate_adapters(wgpu::Backends::PRIMARY));
    let mut adapters: Vec<_> = found.into_iter().map(Adapter::new).collect();
    adapters.sort_by_key(|adapter| adapter.kind);
    adapters
}

/// The adapter that `selector` names, or `None` for the CPU device.
pub(crate) fn select(selector: &str) -> Result<Option<Adapter>> {
    if selector == "cpu" {
        return Ok(None);
    }
    let adapters = adapters();
    let chosen = choose_among(selector, &adapters)?;
    Ok(chosen.and_then(|i| adapters.into_iter().nth(i)))
}

/// The number, among [`adapters`], of the one that `selector` names, or `None` for the CPU device.
pub(crate) fn find(selector: &str) -> Result<Option<usize>> {
    if selector == "cpu" {
        return Ok(None);
    }
    choose_among(selector, &adapters())
}

fn choose_among(selector: &str, adapters: &[Adapter]) -> Result<Option<usize>> {
    let described: Vec<_> = adapters.iter().map(|a| (a.name.as_str(), a.kind)).collect();
    choose(selector, &described)
}

/// The index of the adapter that `selector` names among `adapters`, or `None` for the CPU device.
fn choose(selector: &str, adapters: &[(&str, AdapterKind)]) -> Result<Option<usize>> {
    let fail = |reason: String| Error::NoDevice {
        selector: selector.to_owned(),
        reason,
    };
    let list = || match adapters {
        [] => "no Vulkan, Metal or DX12 driver was found; 'cpu' always works".to_owned(),
        _ => {
            let names: Vec<_> = adapters
                .iter()
                .enumerate()
                .map(|(i, (name, _))| format!("gpu:{i} {name}"))
                .collect();
            format!("there are cpu, {}", names.join(", "))
        }
    };
    match selector {
        "cpu" => Ok(None),
        // GPUs come first in the list, integrated after discrete; a software rasteriser is slower than the twins.
        "auto" => Ok(adapters
            .first()
            .and_then(|(_, kind)| (*kind <= AdapterKind::Integrated).then_some(0))),
        "gpu" if adapters.is_empty() => Err(fail(list())),
        "gpu" => Ok(Some(0)),
        _ => {
            let wanted = selector.to_lowercase();
            let found = match wanted.strip_prefix("gpu:") {
                Some(n) => n.parse().ok().filter(|&i: &usize| i < adapters.len()),
                None if wanted.is_empty() => None,
                None => adapters
                    .iter()
                    .position(|(name, _)| name.to_lowercase().contains(&wanted)),
            };
            found.map(Some).ok_or_else(|| fail(list()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(&str, AdapterKind); 3] = [
        ("NVIDIA H200", AdapterKind::Discrete),
        ("Intel Iris Xe", AdapterKind::Integrated),
        ("llvmpipe (LLVM 15.0.6, 256 bits)", AdapterKind::Software),
    ];

    #[test]
    fn selectors_name_the_documented_adapter() {
        for (selector, expected) in [
            ("auto", Some(0)),
            ("cpu", None),
            ("gpu", Some(0)),
            ("gpu:1", Some(1)),
            ("iris", Some(1)),
            ("LLVMpipe", Some(2)),
        ] {
            assert_eq!(choose(selector, &ALL).unwrap(), expected, "{selector}");
        }
    }

    #[test]
    fn auto_never_takes_a_software_rasteriser_but_gpu_does() {
        assert_eq!(choose("auto", &ALL[2..]).unwrap(), None, "auto");
        assert_eq!(choose("gpu", &ALL[2..]).unwrap(), Some(0), "gpu");
        assert_eq!(choose("auto", &[]).unwrap(), None, "auto with no adapter");
    }

    #[test]
    fn an_unknown_device_is_an_error_that_lists_what_there_is() {
        for selector in ["gpu:3", "gpu:x", "radeon", ""] {
            let message = choose(selector, &ALL).unwrap_err().to_string();
            assert!(message.contains("gpu:0 NVIDIA H200"), "{message}");
        }
        assert!(
            choose("gpu", &[])
                .unwrap_err()
                .to_string()
                .contains("driver"),
            "no adapters"
        );
    }
}
