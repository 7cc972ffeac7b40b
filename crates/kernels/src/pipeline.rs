//! From a shader variant to a compute pipeline: rendered, parsed, matched with its parameter struct, compiled, kept.
//!
//! The bind group layout is read from naga's reflection of the shader, so nobody lists bindings a second time.

use std::num::NonZeroU64;
use std::sync::Arc;

use naga::valid::{Capabilities, GlobalUse, ValidationFlags, Validator};
use naga::{AddressSpace, StorageAccess, TypeInner};
use shaders::Variant;

use crate::buffer::Width;
use crate::custom;
use crate::error::{Error, Result};

/// A compiled kernel.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) compute: wgpu::ComputePipeline,
    pub(crate) layout: wgpu::BindGroupLayout,
    /// Of the storage bindings' elements, in order.
    widths: Arc<[Width]>,
}

impl Pipeline {
    /// An error unless buffers of these widths are what the shader takes.
    pub(crate) fn check_widths(&self, entry: &'static str, got: &[Width]) -> Result<()> {
        let differs = |(want, got): (&Width, &Width)| want != got;
        match self.widths.iter().zip(got).position(differs) {
            None => Ok(()),
            Some(at) => Err(Error::Width {
                kernel: entry,
                binding: at + 1,
                expected: self.widths[at],
                got: got[at],
            }),
        }
    }
}

/// One `@binding` that the entry point uses.
#[derive(Debug, PartialEq, Eq)]
struct Binding {
    index: u32,
    kind: wgpu::BufferBindingType,
    width: Width,
}

/// Compiles `variant` for `device`. Its `params` must have `fields`, at these offsets.
pub(crate) fn compile(
    device: &wgpu::Device,
    variant: &Variant,
    fields: &[(&'static str, usize)],
) -> Result<Pipeline> {
    let source = shaders::source(variant)?;
    let module = shaders::parse(variant)?;
    let bindings = reflect(&module, variant, fields)?;
    let entries: Vec<_> = bindings.iter().map(layout_entry).collect();
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(variant.entry),
        entries: &entries,
    });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(variant.entry),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let compute = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(variant.entry),
        layout: Some(&pipeline_layout),
        module: &shader_module(device, variant, source),
        entry_point: Some(variant.entry),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &[],
            zero_initialize_workgroup_memory: false,
        },
        cache: None,
    });
    // The first binding is the parameters'.
    let widths = bindings.iter().skip(1).map(|binding| binding.width);
    Ok(Pipeline {
        compute,
        layout,
        widths: widths.collect(),
    })
}

fn shader_module(device: &wgpu::Device, variant: &Variant, source: String) -> wgpu::ShaderModule {
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(variant.entry),
        source: wgpu::ShaderSource::Wgsl(source.into()),
    };
    if variant.is_custom() {
        // Nobody has looked at its indices.
        device.create_shader_module(descriptor)
    } else {
        trusted_module(device, descriptor)
    }
}

/// A module without the driver-side clamping of indices and bounding of loops, which costs up to a factor on some
/// drivers (gpuweb#1202, wgpu#7698).
#[expect(
    unsafe_code,
    reason = "wgpu offers unchecked modules only through an unsafe call; measured gain of 0-20 % on lavapipe, factors elsewhere"
)]
fn trusted_module(
    device: &wgpu::Device,
    descriptor: wgpu::ShaderModuleDescriptor<'_>,
) -> wgpu::ShaderModule {
    // SAFETY: every shader of this workspace guards its indices against the sizes in its parameters, which the
    // operators check against the buffers' lengths before each dispatch; loops are bounded by those sizes.
    unsafe {
        device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
    }
}

/// The bindings that the entry point uses, in order, once `params` has been compared with the Rust struct.
fn reflect(
    module: &naga::Module,
    variant: &Variant,
    fields: &[(&'static str, usize)],
) -> Result<Vec<Binding>> {
    let fail = |message: String| Error::Shader {
        entry: variant.entry,
        message,
    };
    let info = Validator::new(ValidationFlags::all(), Capabilities::all())
        .validate(module)
        .map_err(|error| fail(error.emit_to_string("")))?;
    let position = module
        .entry_points
        .iter()
        .position(|point| point.name == variant.entry);
    let position = position.ok_or_else(|| fail("no such entry point".to_owned()))?;
    let used = info.get_entry_point(position);
    let mut bindings = Vec::new();
    for (handle, variable) in module.global_variables.iter() {
        let (Some(at), false) = (&variable.binding, used[handle] == GlobalUse::empty()) else {
            continue;
        };
        let kind = match variable.space {
            AddressSpace::Uniform => {
                let inner = &module.types[variable.ty].inner;
                let compared = if variant.is_custom() {
                    check_size(inner.size(module.to_ctx()))
                } else {
                    compare_fields(inner, fields)
                };
                compared.map_err(fail)?;
                wgpu::BufferBindingType::Uniform
            }
            AddressSpace::Storage { access } => wgpu::BufferBindingType::Storage {
                read_only: !access.contains(StorageAccess::STORE),
            },
            other => return Err(fail(format!("a binding in address space {other:?}"))),
        };
        bindings.push(Binding {
            index: at.binding,
            kind,
            width: element_width(module, variable.ty),
        });
    }
    bindings.sort_by_key(|binding| binding.index);
    Ok(bindings)
}

/// How wide the elements of an array are; of anything else, full.
fn element_width(module: &naga::Module, ty: naga::Handle<naga::Type>) -> Width {
    let TypeInner::Array { base, .. } = module.types[ty].inner else {
        return Width::Word;
    };
    match module.types[base].inner.scalar_width() {
        Some(2) => Width::F16,
        _ => Width::Word,
    }
}

/// Compares a WGSL struct with the fields of its Rust twin.
fn compare_fields(
    inner: &TypeInner,
    fields: &[(&'static str, usize)],
) -> std::result::Result<(), String> {
    let TypeInner::Struct { members, .. } = inner else {
        return Err("`params` is not a struct".to_owned());
    };
    let shader: Vec<_> = members
        .iter()
        .map(|member| (member.name.as_deref().unwrap_or(""), member.offset as usize))
        .collect();
    if shader == fields {
        Ok(())
    } else {
        Err(format!(
            "`params` is {shader:?} in WGSL but {fields:?} in Rust"
        ))
    }
}

/// A uniform of a program's own may not be longer than what is bound there.
fn check_size(bytes: u32) -> std::result::Result<(), String> {
    let most = 4 * custom::MOST_PARAMS;
    if bytes as usize <= most {
        Ok(())
    } else {
        Err(format!("the uniform has {bytes} bytes; {most} at most"))
    }
}

fn layout_entry(binding: &Binding) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding: binding.index,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: binding.kind,
            has_dynamic_offset: false,
            min_binding_size: NonZeroU64::new(0),
        },
        count: None,
    }
}
