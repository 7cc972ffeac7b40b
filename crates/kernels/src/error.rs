//! What can go wrong in this crate, by cause. Each variant carries what a one-line message needs.

use crate::buffer::Width;

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a device, a buffer or an operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument of an operator has the wrong shape, size or value.
    #[error("{op}: {argument}: expected {expected}, got {got}")]
    Argument {
        /// The operator, by its stem.
        op: &'static str,
        /// The argument's name.
        argument: &'static str,
        /// What it must be.
        expected: String,
        /// What it was.
        got: String,
    },
    /// No device answers to the selector.
    #[error("no device '{selector}': {reason}")]
    NoDevice {
        /// The selector as given, such as `gpu:1` or `radeon`.
        selector: String,
        /// Why, and what there is instead.
        reason: String,
    },
    /// A buffer is bound twice in one dispatch, once of them for writing.
    #[error("{kernel}: a buffer that is written is bound a second time")]
    Aliased {
        /// The kernel's entry point.
        kernel: &'static str,
    },
    /// A buffer belongs to another device than the one it is used on.
    #[error("{kernel}: a buffer belongs to another device")]
    ForeignBuffer {
        /// The kernel's entry point, or the transfer's name.
        kernel: &'static str,
    },
    /// A binding is larger than the device allows and the operator could not cut it into windows.
    #[error("{kernel}: a binding of {bytes} bytes is over the device's limit of {limit}")]
    BindingTooLarge {
        /// The kernel's entry point.
        kernel: &'static str,
        /// Size of the binding.
        bytes: u64,
        /// The device's `max_storage_buffer_binding_size`.
        limit: u64,
    },
    /// A buffer's elements are not as wide as the kernel takes them.
    #[error("{kernel}: binding {binding} takes {expected}, got {got}")]
    Width {
        /// The kernel's entry point.
        kernel: &'static str,
        /// The binding's number; 0 is the parameters.
        binding: usize,
        /// What the shader declares.
        expected: Width,
        /// What was bound.
        got: Width,
    },
    /// The device's shaders have no f16.
    #[error("{device} has no f16: they need a GPU whose driver offers SHADER_F16")]
    NoF16 {
        /// The device's name.
        device: String,
    },
    /// The device has no room for a buffer.
    #[error("out of memory on {device}: {bytes} bytes asked for, {in_use} in use, {budget}")]
    OutOfMemory {
        /// The device's name.
        device: String,
        /// Size asked for.
        bytes: u64,
        /// Bytes this process holds on the device.
        in_use: u64,
        /// What bounds it: a budget, a limit or the driver.
        budget: String,
    },
    /// A shader could not be rendered or parsed.
    #[error(transparent)]
    Template(#[from] shaders::Error),
    /// A shader does not match its parameter struct, or is invalid.
    #[error("shader {entry}: {message}")]
    Shader {
        /// The entry point.
        entry: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// wgpu refused a call: a bug of this crate, or of a driver.
    #[error("{device}: {context}: {message}")]
    Gpu {
        /// The device's name.
        device: String,
        /// What was being done.
        context: &'static str,
        /// wgpu's own words.
        message: String,
    },
    /// The device went away (driver reset, unplugged, suspended).
    #[error("device lost: {device}: {message}")]
    DeviceLost {
        /// The device's name.
        device: String,
        /// The driver's own words.
        message: String,
    },
    /// A transfer or a second capture was asked for while a step is being captured.
    #[error("{action} is not possible while a step is being captured")]
    Capturing {
        /// What was asked for.
        action: &'static str,
    },
}

impl Error {
    /// An [`Error::Argument`]: `op: argument: expected …, got …`.
    pub fn argument(
        op: &'static str,
        argument: &'static str,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        Self::Argument {
            op,
            argument,
            expected: expected.into(),
            got: got.into(),
        }
    }
}

/// A size as the shaders have it.
pub(crate) fn size(op: &'static str, argument: &'static str, value: usize) -> Result<u32> {
    u32::try_from(value)
        .ok()
        .ok_or_else(|| Error::argument(op, argument, "a size under 2^32", value.to_string()))
}
