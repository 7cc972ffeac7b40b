//! What Windows is strict about: names that it keeps for devices or changes, and files that another program has open.
//! Elsewhere nothing here does anything.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path};
use std::thread::sleep;
use std::time::Duration;

/// Names of devices. With a number behind them: COM and LPT, 0 to 9.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
const NUMBERED: [&str; 2] = ["COM", "LPT"];

/// `ERROR_ACCESS_DENIED`, which moving a folder gives that has an open file in it.
const ACCESS_DENIED: i32 = 5;
/// `ERROR_SHARING_VIOLATION` and `ERROR_LOCK_VIOLATION`.
const SHARING: [i32; 2] = [32, 33];

/// How long to wait between attempts: virus scanners, indexers and the programs that look at a run close a file soon, a
/// spreadsheet does not. Five seconds in all.
const PAUSES_MS: [u64; 8] = [10, 40, 150, 300, 500, 1000, 1000, 2000];

/// Refuses a path to write or to read under, one of whose names Windows would take for something else: `aux.txt` is a
/// device, `run.` becomes `run`.
///
/// # Errors
/// [`ErrorKind::InvalidFilename`], with the name and what is wrong with it.
pub(crate) fn check_names(path: &Path) -> io::Result<()> {
    if !cfg!(windows) {
        return Ok(());
    }
    for component in path.components() {
        match component {
            // `\\?\` means: exactly these names.
            Component::Prefix(prefix) if prefix.kind().is_verbatim() => return Ok(()),
            Component::Normal(name) => {
                if let Some(fault) = fault(&name.to_string_lossy()) {
                    let name = crate::printable(name);
                    let what = format!("{name}: {fault}: choose another name");
                    return Err(io::Error::new(ErrorKind::InvalidFilename, what));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// What is wrong with a file's name on Windows ("Naming Files, Paths, and Namespaces" in Microsoft's documentation).
fn fault(name: &str) -> Option<&'static str> {
    if name.ends_with(['.', ' ']) {
        return Some("Windows drops a dot or a blank at the end of a name");
    }
    if name.contains(['<', '>', ':', '"', '|', '?', '*']) {
        return Some("Windows allows none of < > : \" | ? * in a name");
    }
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_uppercase();
    let is_numbered = |device: &str| {
        let number = stem.strip_prefix(device).map(|rest| rest.chars());
        number.is_some_and(|mut rest| {
            let digit = rest.next();
            let is_digit =
                digit.is_some_and(|c| c.is_ascii_digit() || "\u{b9}\u{b2}\u{b3}".contains(c));
            is_digit && rest.next().is_none()
        })
    };
    let is_device = DEVICES.contains(&stem.as_str()) || NUMBERED.iter().any(|it| is_numbered(it));
    is_device.then_some("a name that Windows keeps for a device")
}

/// Moves a file or a folder. What Windows refuses while another program has it open is tried again for five seconds.
///
/// # Errors
/// As [`fs::rename`]; after that time, with what to do.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    patiently(is_in_use, sleep, || fs::rename(from, to))
}

/// Removes a folder with all that is in it, as patiently as [`rename`].
///
/// # Errors
/// As [`fs::remove_dir_all`].
pub fn remove_folder(folder: &Path) -> io::Result<()> {
    patiently(is_in_use, sleep, || fs::remove_dir_all(folder))
}

fn is_in_use(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    cfg!(windows) && code.is_some_and(|code| code == ACCESS_DENIED || SHARING.contains(&code))
}

/// Repeats what fails because a file is in use, with pauses; what fails otherwise is not repeated.
fn patiently<T>(
    is_in_use: impl Fn(&io::Error) -> bool,
    pause: impl Fn(Duration),
    mut attempt: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    let mut pauses = PAUSES_MS.into_iter();
    loop {
        match attempt() {
            Err(error) if is_in_use(&error) => match pauses.next() {
                Some(ms) => pause(Duration::from_millis(ms)),
                None => {
                    let what = format!("{error}; if another program has it open, close it there");
                    return Err(io::Error::new(error.kind(), what));
                }
            },
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn names_of_devices_are_known_in_any_form() {
        for name in [
            "CON",
            "nul",
            "aux.txt",
            "Prn.tar.gz",
            "com1",
            "LPT9.log",
            "con .txt",
            "COM\u{b2}",
        ] {
            assert!(
                fault(name).is_some_and(|it| it.contains("device")),
                "{name}"
            );
        }
        for name in ["run.", "run ", "a:b", "what?", "<x>"] {
            assert!(fault(name).is_some(), "{name}");
        }
        for name in [
            "console",
            "com",
            "com10",
            "auxiliary.txt",
            "x.aux",
            ".nul",
            "r\u{e4}der 1",
            "a b",
        ] {
            assert_eq!(fault(name), None, "{name}");
        }
    }

    #[test]
    fn what_is_in_use_is_tried_again_and_nothing_else() {
        let attempts = Cell::new(0);
        let in_use = |error: &io::Error| error.kind() == ErrorKind::PermissionDenied;
        let waited = Cell::new(Duration::ZERO);
        let wait = |time| waited.set(waited.get() + time);
        let fails = |times: usize, kind: ErrorKind| {
            attempts.set(0);
            patiently(in_use, wait, || {
                attempts.set(attempts.get() + 1);
                if attempts.get() > times {
                    Ok(())
                } else {
                    Err(kind.into())
                }
            })
        };
        assert!(fails(3, ErrorKind::PermissionDenied).is_ok());
        assert_eq!(attempts.get(), 4);
        waited.set(Duration::ZERO);
        let error = fails(usize::MAX, ErrorKind::PermissionDenied).unwrap_err();
        assert_eq!(waited.get(), Duration::from_secs(5));
        assert!(error.to_string().contains("close it there"), "{error}");
        assert!(fails(1, ErrorKind::NotFound).is_err());
        assert_eq!(attempts.get(), 1, "not in use: no second attempt");
    }

    #[test]
    fn only_windows_refuses_its_names() {
        let refused = check_names(Path::new("folder/aux.txt"));
        assert_eq!(refused.is_err(), cfg!(windows), "{refused:?}");
        assert!(check_names(Path::new("./a/../b c")).is_ok());
        if cfg!(windows) {
            assert!(check_names(Path::new(r"\\?\C:\aux.txt")).is_ok());
            assert!(check_names(Path::new(r"C:\runs\a")).is_ok());
        }
    }
}
