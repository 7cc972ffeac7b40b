//! Every variant as the texts and binaries that compilers get: WGSL for browsers, SPIR-V for Vulkan, MSL for Metal, HLSL for DirectX 12.
//! The options are those of wgpu 30's backends for pipelines of the kernels: no run-time checks, workgroup memory not zeroed.
//!
//! `cargo run -p shaders --example translate -- FOLDER` writes `FOLDER/{wgsl,spv13,spv15,spv16,msl,hlsl}/NAME.*` and `FOLDER/list.tsv`,
//! a line a variant: name, label, entry point, dtype (f32, f16), whether it uses subgroup operations (0, 1), bytes of workgroup memory.
//! `cargo xtask shaders check` hands them to compilers.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use naga::back::{hlsl, msl, spv};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ModuleInfo, SubgroupOperationSet, ValidationFlags, Validator};
use naga::{AddressSpace, Module, ShaderStage, StorageAccess};
use shaders::Variant;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Folders of SPIR-V and their versions: what wgpu makes for Vulkan 1.1, for 1.2, and for 1.3 and later.
const SPIRV: [(&str, (u8, u8)); 3] = [("spv13", (1, 3)), ("spv15", (1, 5)), ("spv16", (1, 6))];

const UNCHECKED: BoundsCheckPolicies = BoundsCheckPolicies {
    index: BoundsCheckPolicy::Unchecked,
    buffer: BoundsCheckPolicy::Unchecked,
    image_load: BoundsCheckPolicy::Unchecked,
    binding_array: BoundsCheckPolicy::Unchecked,
};

fn main() -> Result<()> {
    let folder = env::args_os().nth(1).ok_or("usage: translate FOLDER")?;
    let folder = PathBuf::from(folder);
    let spirv = SPIRV.map(|(name, _)| name);
    for name in spirv.into_iter().chain(["wgsl", "msl", "hlsl"]) {
        fs::create_dir_all(folder.join(name))?;
    }
    let variants = shaders::variants();
    let mut list = String::new();
    for variant in &variants {
        let name = file_name(variant);
        translate(variant, &folder, &name).map_err(|error| format!("{variant}: {error}"))?;
        let dtype = if variant.is_f16() { "f16" } else { "f32" };
        writeln!(
            list,
            "{name}\t{variant}\t{}\t{dtype}\t{}\t{}",
            variant.entry,
            u8::from(variant.needs_subgroups()),
            variant.workgroup_bytes()
        )?;
    }
    fs::write(folder.join("list.tsv"), list)?;
    Ok(())
}

/// The label with a hyphen for what file systems or shells do not like.
fn file_name(variant: &Variant) -> String {
    let label = variant.to_string().replace(['/', ' ', '[', '='], "-");
    label.trim_end_matches(']').to_owned()
}

fn translate(variant: &Variant, folder: &Path, name: &str) -> Result<()> {
    let path = |kind: &str, end: &str| folder.join(kind).join(format!("{name}.{end}"));
    fs::write(path("wgsl", "wgsl"), shaders::web_source(variant)?)?;
    let module = shaders::parse(variant)?;
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::all());
    validator.subgroup_stages(naga::valid::ShaderStages::COMPUTE);
    validator.subgroup_operations(SubgroupOperationSet::all());
    let info = validator
        .validate(&module)
        .map_err(|error| error.emit_to_string(""))?;
    for (kind, version) in SPIRV {
        fs::write(
            path(kind, "spv"),
            to_spirv(&module, &info, variant, version)?,
        )?;
    }
    fs::write(path("msl", "metal"), to_msl(&module, &info, variant)?)?;
    fs::write(path("hlsl", "hlsl"), to_hlsl(&module, &info, variant)?)?;
    Ok(())
}

fn to_spirv(
    module: &Module,
    info: &ModuleInfo,
    variant: &Variant,
    version: (u8, u8),
) -> Result<Vec<u8>> {
    let options = spv::Options {
        lang_version: version,
        flags: spv::WriterFlags::LABEL_VARYINGS | spv::WriterFlags::FORCE_POINT_SIZE,
        bounds_check_policies: UNCHECKED,
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: false,
        emit_int_div_checks: false,
        use_storage_input_output_16: false,
        ..spv::Options::default()
    };
    let pipeline = spv::PipelineOptions {
        shader_stage: ShaderStage::Compute,
        entry_point: variant.entry.to_owned(),
    };
    let words = spv::write_vec(module, info, &options, Some(&pipeline))?;
    Ok(words.into_iter().flat_map(u32::to_le_bytes).collect())
}

/// wgpu gives each buffer a slot in order, and one more for the lengths of run-time sized arrays.
fn to_msl(module: &Module, info: &ModuleInfo, variant: &Variant) -> Result<String> {
    let mut resources = msl::EntryPointResources::default();
    let mut slot = 0;
    for (_, variable) in module.global_variables.iter() {
        let Some(binding) = variable.binding else {
            continue;
        };
        let mutable = matches!(variable.space, AddressSpace::Storage { access } if access.contains(StorageAccess::STORE));
        let target = msl::BindTarget {
            buffer: Some(slot),
            mutable,
            ..msl::BindTarget::default()
        };
        resources.resources.insert(binding, target);
        slot += 1;
    }
    resources.sizes_buffer = Some(slot);
    let options = msl::Options {
        lang_version: (2, 4),
        fake_missing_bindings: false,
        per_entry_point_map: [(variant.entry.to_owned(), resources)].into(),
        bounds_check_policies: UNCHECKED,
        zero_initialize_workgroup_memory: false,
        force_loop_bounding: false,
        emit_int_div_checks: false,
        ..msl::Options::default()
    };
    let pipeline = msl::PipelineOptions {
        entry_point: Some((ShaderStage::Compute, variant.entry.to_owned())),
        ..msl::PipelineOptions::default()
    };
    let (text, translation) = msl::write_string(module, info, &options, &pipeline)?;
    for name in translation.entry_point_names {
        name?;
    }
    Ok(text)
}

/// Shader model 5.1 is what FXC takes, and 6.2 is DXC's for f16 and subgroup operations.
fn to_hlsl(module: &Module, info: &ModuleInfo, variant: &Variant) -> Result<String> {
    let options = hlsl::Options {
        shader_model: if variant.is_f16() || variant.needs_subgroups() {
            hlsl::ShaderModel::V6_2
        } else {
            hlsl::ShaderModel::V5_1
        },
        zero_initialize_workgroup_memory: false,
        restrict_indexing: false,
        force_loop_bounding: false,
        ..hlsl::Options::default()
    };
    let pipeline = hlsl::PipelineOptions {
        entry_point: Some((ShaderStage::Compute, variant.entry.to_owned())),
    };
    let mut text = String::new();
    let reflection = hlsl::Writer::new(&mut text, &options, &pipeline).write(module, info, None)?;
    for name in reflection.entry_point_names {
        name?;
    }
    Ok(text)
}
