//! The name of a shader: file, entry point and template constants. It says nothing about which device it suits.

use std::fmt;

/// The most constants that a variant can have.
const MAX_CONSTANTS: usize = 16;

/// One entry point of one template with the values of the template's constants.
///
/// It is small and `Copy`, so it serves as the key of a pipeline cache. Two variants are the same only if their constants
/// were given in the same order: make them with the functions of [`mod@crate::variants`] where a template has constants.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Variant {
    /// The file `shaders/<stem>.wgsl`.
    pub stem: &'static str,
    /// The entry point's name in it.
    pub entry: &'static str,
    constants: [(&'static str, u32); MAX_CONSTANTS],
    len: usize,
    f16: bool,
    /// The text of a shader that is not one of this crate's files.
    pub(crate) text: Option<&'static str>,
}

impl Variant {
    /// The entry point `entry` of `shaders/<stem>.wgsl`, without constants.
    #[must_use]
    pub const fn new(stem: &'static str, entry: &'static str) -> Self {
        Self {
            stem,
            entry,
            constants: [("", 0); MAX_CONSTANTS],
            len: 0,
            f16: false,
            text: None,
        }
    }

    /// The entry point `entry` of `text`, WGSL of the caller's own: neither a template nor known to guard its indices.
    #[must_use]
    pub const fn of_text(entry: &'static str, text: &'static str) -> Self {
        Self {
            text: Some(text),
            ..Self::new("custom", entry)
        }
    }

    /// Whether its text is the caller's own.
    #[must_use]
    pub const fn is_custom(&self) -> bool {
        self.text.is_some()
    }

    /// The same with f16 in memory, where the template says `dtype`; arithmetic stays in 32 bits. Only some
    /// templates do: [`variants()`](crate::variants()) lists those that make sense.
    #[must_use]
    pub const fn f16(self, f16: bool) -> Self {
        Self { f16, ..self }
    }

    /// Whether the shader takes f16, which not every adapter has.
    #[must_use]
    pub const fn is_f16(&self) -> bool {
        self.f16
    }

    /// The same with one more template constant. Flags are 0 or 1.
    ///
    /// # Panics
    /// If there are more constants than a variant can have, which is a bug in the family that makes it.
    #[must_use]
    pub const fn with(mut self, name: &'static str, value: u32) -> Self {
        assert!(
            self.len < MAX_CONSTANTS,
            "a variant has room for 16 constants"
        );
        self.constants[self.len] = (name, value);
        self.len += 1;
        self
    }

    /// The template constants in the order in which they were given.
    #[must_use]
    pub fn constants(&self) -> &[(&'static str, u32)] {
        &self.constants[..self.len]
    }

    /// The value of one constant, if the variant has it.
    #[must_use]
    pub fn constant(&self, name: &str) -> Option<u32> {
        self.constants()
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| *value)
    }

    /// Whether the shader uses subgroup operations, which not every adapter has. All others are in the portable tier.
    #[must_use]
    pub fn needs_subgroups(&self) -> bool {
        self.constant("subgroup").is_some_and(|size| size > 0)
    }

    /// Bytes of workgroup memory that the shader's tiles take: 4 (m + n) k. Beyond 16 KiB not every adapter has them.
    #[must_use]
    pub fn workgroup_bytes(&self) -> u32 {
        let size = |name| self.constant(name).unwrap_or(0);
        match self.constant("style") {
            Some(0) => 4 * (size("tile_m") + size("tile_n")) * size("tile_k"),
            _ => 0,
        }
    }
}

/// `gemm/gemm[trans_a=1 tile_m=64]`, which is also the label of its pipeline.
impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stem, self.entry)?;
        if self.f16 {
            write!(f, " f16")?;
        }
        if self.len == 0 {
            return Ok(());
        }
        for (index, (name, value)) in self.constants().iter().enumerate() {
            write!(f, "{}{name}={value}", if index == 0 { "[" } else { " " })?;
        }
        write!(f, "]")
    }
}

impl fmt::Debug for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Variant({self})")
    }
}
