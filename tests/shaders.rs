//! Renders, parses and validates every shader variant, and holds each to the portable tier's limits. Needs no GPU.

use std::error::Error as _;

use naga::valid::{Capabilities, FunctionInfo, SubgroupOperationSet, ValidationFlags, Validator};
use naga::{AddressSpace, StorageAccess};
use shaders::variants::Tile;
use shaders::{Variant, variants};

/// WebGPU's default limits, which every kernel keeps, but for the workgroup memory that a tile says it needs.
const MAX_STORAGE_BUFFERS: usize = 8;
const MAX_INVOCATIONS: u32 = 256;
const MAX_WORKGROUP_BYTES: u32 = 16 * 1024;

/// Parses and validates, and says everything that is wrong with a variant.
fn complaints(variant: &Variant) -> Vec<String> {
    let module = match shaders::parse(variant) {
        Ok(module) => module,
        Err(error) => {
            return vec![format!(
                "{error}: {:?}",
                error.source().map(ToString::to_string)
            )];
        }
    };
    let mut capabilities = Capabilities::empty();
    if variant.needs_subgroups() {
        capabilities |= Capabilities::SUBGROUP;
    }
    if variant.is_f16() {
        capabilities |= Capabilities::SHADER_FLOAT16;
    }
    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
    if variant.needs_subgroups() {
        validator.subgroup_stages(naga::valid::ShaderStages::COMPUTE);
        validator.subgroup_operations(SubgroupOperationSet::all());
    }
    let info = match validator.validate(&module) {
        Ok(info) => info,
        Err(error) => {
            let text = shaders::source(variant).unwrap_or_default();
            return vec![error.emit_to_string(&text)];
        }
    };
    let Some(index) = module
        .entry_points
        .iter()
        .position(|entry| entry.name == variant.entry)
    else {
        return vec![format!("no entry point {}", variant.entry)];
    };
    let mut found = Vec::new();
    if module.entry_points.len() != 1 {
        found.push("renders more than the entry point that was asked for".to_owned());
    }
    let invocations: u32 = module.entry_points[index].workgroup_size.iter().product();
    if invocations > MAX_INVOCATIONS {
        found.push(format!("{invocations} invocations in a workgroup"));
    }
    let most_bytes = MAX_WORKGROUP_BYTES.max(variant.workgroup_bytes());
    check_globals(&module, info.get_entry_point(index), most_bytes, &mut found);
    found
}

/// Bindings and workgroup memory: uniform `params` at 0, then reads, then writes, numbered without a gap.
fn check_globals(
    module: &naga::Module,
    used: &FunctionInfo,
    most_bytes: u32,
    found: &mut Vec<String>,
) {
    let mut bindings = Vec::new();
    let mut workgroup_bytes = 0;
    for (handle, variable) in module.global_variables.iter() {
        if used[handle].is_empty() {
            found.push(format!("{:?} is not used", variable.name));
        }
        let binding = variable
            .binding
            .map_or((0, 0), |binding| (binding.group, binding.binding));
        let inner = &module.types[variable.ty].inner;
        match variable.space {
            AddressSpace::WorkGroup => workgroup_bytes += inner.size(module.to_ctx()),
            AddressSpace::Uniform => {
                if binding != (0, 0) || variable.name.as_deref() != Some("params") {
                    found.push(format!(
                        "{:?} is a uniform but not `params` at binding 0",
                        variable.name
                    ));
                }
                if !matches!(inner, naga::TypeInner::Struct { .. }) {
                    found.push("`params` is not a struct".to_owned());
                }
                bindings.push((0, false));
            }
            AddressSpace::Storage { access } => {
                if binding.0 != 0 || binding.1 == 0 {
                    found.push(format!(
                        "{:?} is not in group 0 after `params`",
                        variable.name
                    ));
                }
                bindings.push((binding.1, access.contains(StorageAccess::STORE)));
            }
            _ => {}
        }
    }
    bindings.sort_unstable();
    let storage = bindings.iter().filter(|(binding, _)| *binding > 0).count();
    if storage > MAX_STORAGE_BUFFERS {
        found.push(format!("{storage} storage buffers"));
    }
    if bindings
        .iter()
        .map(|(binding, _)| *binding)
        .ne((0..).take(bindings.len()))
    {
        found.push(format!(
            "bindings are not numbered without a gap from 0: {bindings:?}"
        ));
    }
    if !bindings.is_sorted_by_key(|(_, write)| *write) {
        found.push("a read is bound after a write".to_owned());
    }
    if workgroup_bytes > most_bytes {
        found.push(format!("{workgroup_bytes} bytes of workgroup memory"));
    }
}

#[test]
fn every_variant_is_valid_and_portable() {
    let mut failures = Vec::new();
    for variant in variants() {
        for complaint in complaints(&variant) {
            failures.push(format!("{variant}: {complaint}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn the_largest_tile_alone_needs_more_workgroup_memory() {
    for tile in Tile::ALL {
        let bytes = tile.workgroup_bytes();
        assert_eq!(bytes > MAX_WORKGROUP_BYTES, tile == Tile::LARGE, "{tile:?}");
        assert!(bytes <= 2 * MAX_WORKGROUP_BYTES, "{tile:?}: {bytes}");
    }
}

#[test]
fn variants_are_distinct() {
    let mut seen = std::collections::HashSet::new();
    for variant in variants() {
        assert!(seen.insert(variant), "{variant} is listed twice");
    }
}

/// A variant is listed with f16 where its text has operands that may be, and nowhere else.
#[test]
fn variants_declare_their_16_bits() {
    let all = variants();
    let listed: std::collections::HashSet<_> = all.iter().collect();
    for variant in &all {
        let [full, f16] = [false, true].map(|f16| shaders::source(&variant.f16(f16)).unwrap());
        let differs = f16 != format!("enable f16;\n{full}");
        assert_eq!(listed.contains(&variant.f16(true)), differs, "{variant}");
    }
}

/// Every file in the folder is embedded and asked for by some variant, and is short enough to read.
#[test]
fn every_file_is_used_and_short() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let all = variants();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "wgsl") {
            continue;
        }
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            all.iter().any(|variant| variant.stem == stem),
            "no variant uses {stem}.wgsl"
        );
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.lines().count() <= 250,
            "{stem}.wgsl is longer than 250 lines"
        );
        assert!(
            text.starts_with("// "),
            "{stem}.wgsl does not start with what it computes"
        );
    }
}

#[test]
fn what_does_not_exist_is_an_error() {
    let error = shaders::source(&Variant::new("no_such_file", "main")).unwrap_err();
    assert!(matches!(error, shaders::Error::Template { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "cannot render no_such_file/main",
        "the variant is named"
    );
}

#[test]
fn constants_are_part_of_the_identity() {
    let small = Variant::new("gemm", "gemm").with("tile_m", 32);
    let large = Variant::new("gemm", "gemm").with("tile_m", 64);
    assert_ne!(small, large, "constants decide");
    assert_eq!(
        large.constant("tile_m"),
        Some(64),
        "constants can be read back"
    );
    assert_eq!(
        large.to_string(),
        "gemm/gemm[tile_m=64]",
        "the label shows them"
    );
}
