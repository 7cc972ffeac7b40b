//! The variants and their SPIR-V, as wgpu makes it for the product: SPIR-V 1.6 (Vulkan 1.3) with unchecked indices, unbounded loops
//! and no zeros in workgroup memory.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use naga::back::spv;
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Module, StorageAccess};
use shaders::Variant;
use verify::cards::{self, COMPILERS, Choice};

use crate::Outcome;

const UNCHECKED: BoundsCheckPolicies = BoundsCheckPolicies {
    index: BoundsCheckPolicy::Unchecked,
    buffer: BoundsCheckPolicy::Unchecked,
    image_load: BoundsCheckPolicy::Unchecked,
    binding_array: BoundsCheckPolicy::Unchecked,
};

/// Writes everything to `out`; with `is_all` every variant for every compiler, of which none counts as launched.
pub fn run(out: &Path, is_all: bool) -> Outcome {
    fs::create_dir_all(out)?;
    let choices = if is_all {
        everything()
    } else {
        cards::choices()?
    };
    let mut files: HashMap<Variant, (usize, String)> = HashMap::new();
    for (compiler, choices) in COMPILERS.iter().zip(&choices) {
        let mut list = String::new();
        for (label, Choice { variant, runs }) in choices {
            if !files.contains_key(variant) {
                let number = files.len();
                let kinds = write(variant, &out.join(format!("{number}.spv")))?;
                files.insert(*variant, (number, kinds));
            }
            let (number, kinds) = &files[variant];
            writeln!(
                list,
                "{number}\t{runs}\t{kinds}\t{}\t{label}",
                variant.entry
            )?;
        }
        fs::write(out.join(format!("{}.tsv", compiler.name)), list)?;
    }
    eprintln!("{} shaders", files.len());
    Ok(())
}

fn everything() -> [BTreeMap<String, Choice>; COMPILERS.len()] {
    COMPILERS.map(|_| {
        let variants = shaders::variants().into_iter();
        let choice = |variant| (cards::label(&variant), Choice { variant, runs: 0 });
        variants.map(choice).collect()
    })
}

/// Writes a variant's SPIR-V, and returns its bindings in order: a letter each, `u` for uniform, `s` for storage.
fn write(variant: &Variant, path: &Path) -> Outcome<String> {
    let module = shaders::parse(variant)?;
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::all());
    let info = validator.validate(&module)?;
    let words = spirv(&module, &info, variant)?;
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    fs::write(path, bytes)?;
    let mut kinds = BTreeMap::new();
    for (_, variable) in module.global_variables.iter() {
        if let Some(at) = &variable.binding {
            let kind = match variable.space {
                AddressSpace::Storage { access } if access.contains(StorageAccess::LOAD) => 's',
                AddressSpace::Storage { .. } => 's',
                _ => 'u',
            };
            kinds.insert(at.binding, kind);
        }
    }
    Ok(kinds.into_values().collect())
}

fn spirv(module: &Module, info: &ModuleInfo, variant: &Variant) -> Outcome<Vec<u32>> {
    let options = spv::Options {
        lang_version: (1, 6),
        flags: spv::WriterFlags::LABEL_VARYINGS | spv::WriterFlags::FORCE_POINT_SIZE,
        bounds_check_policies: UNCHECKED,
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: false,
        emit_int_div_checks: false,
        use_storage_input_output_16: false,
        ..spv::Options::default()
    };
    let point = spv::PipelineOptions {
        shader_stage: naga::ShaderStage::Compute,
        entry_point: variant.entry.to_owned(),
    };
    Ok(spv::write_vec(module, info, &options, Some(&point))?)
}
