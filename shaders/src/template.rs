//! From variant to WGSL text to naga's module. Nothing is cached here: the pipelines are, one level up.

use std::{collections::BTreeMap, sync::OnceLock};

use minijinja::{Environment, UndefinedBehavior, Value, syntax::SyntaxConfig};

use crate::{Error, Variant, files::FILES};

/// All templates, parsed once. The error is kept as text because the cell outlives every call.
fn environment() -> Result<&'static Environment<'static>, minijinja::Error> {
    static ENVIRONMENT: OnceLock<Result<Environment<'static>, String>> = OnceLock::new();
    let environment = ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build();
        environment.set_syntax(syntax.map_err(|error| format!("{error:#}"))?);
        for (name, text) in FILES {
            environment
                .add_template(name, text)
                .map_err(|error| format!("{error:#}"))?;
        }
        Ok(environment)
    });
    environment
        .as_ref()
        .map_err(|text| minijinja::Error::new(minijinja::ErrorKind::SyntaxError, text.clone()))
}

/// The WGSL text of a variant: `shaders/<stem>.wgsl` with its includes, every constant available as a template variable,
/// `entry` the entry point's name, so that a file with several entry points renders only the one that is asked for, and
/// `dtype` the type of the operands that may be f16. A text of the caller's own is what it is.
///
/// # Errors
/// [`Error::Template`] if there is no such file or the template uses a constant that the variant does not give.
pub fn source(variant: &Variant) -> Result<String, Error> {
    if let Some(text) = variant.text {
        return Ok(text.to_owned());
    }
    let render = || -> Result<String, minijinja::Error> {
        let template = environment()?.get_template(&format!("{}.wgsl", variant.stem))?;
        let constants = variant
            .constants()
            .iter()
            .map(|&(name, value)| (name, Value::from(value)));
        let (dtype, head) = if variant.is_f16() {
            ("f16", "enable f16;\n")
        } else {
            ("f32", "")
        };
        let names = [("entry", variant.entry), ("dtype", dtype)].map(|(k, v)| (k, Value::from(v)));
        let context: BTreeMap<&str, Value> = constants.chain(names).collect();
        Ok(head.to_owned() + &template.render(context)?)
    };
    render().map_err(|error| Error::Template {
        variant: Box::new(*variant),
        source: Box::new(error),
    })
}

/// The WGSL text of a variant for a browser. WebGPU asks for `enable subgroups;` before subgroup operations; naga, which takes
/// them without, refuses the line (wgpu issue 5555).
///
/// # Errors
/// As for [`source`].
pub fn web_source(variant: &Variant) -> Result<String, Error> {
    let text = source(variant)?;
    if variant.needs_subgroups() {
        Ok(format!("enable subgroups;\n{text}"))
    } else {
        Ok(text)
    }
}

/// naga's module of a variant, not validated: that is done in the tests, and by wgpu again.
///
/// # Errors
/// [`Error::Template`] as for [`source`]; [`Error::Parse`] if the text is not WGSL.
pub fn parse(variant: &Variant) -> Result<naga::Module, Error> {
    let text = source(variant)?;
    naga::front::wgsl::parse_str(&text).map_err(|error| Error::Parse {
        variant: Box::new(*variant),
        message: error.emit_to_string(&text),
    })
}
