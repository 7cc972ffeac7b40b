//! Panics that are caught here and become errors, and so are nothing to print.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Has panics within [`caught`] not printed. The hook of a program stays in force for all others, unless it is set later.
pub(super) fn prepare() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !IS_QUIET.get() {
                before(info);
            }
        }));
    });
}

/// The value of a call; `None` if it panics.
pub(super) fn caught<T>(call: impl FnOnce() -> T) -> Option<T> {
    let before = IS_QUIET.replace(true);
    let value = catch_unwind(AssertUnwindSafe(call));
    IS_QUIET.set(before);
    value.ok()
}
