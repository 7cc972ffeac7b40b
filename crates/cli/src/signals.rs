//! Signals that ask a run to stop: it saves and ends, so that it can be resumed.

use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};

use crate::commands::INTERRUPTED;

/// A flag that Ctrl-C (SIGINT), SIGTERM, SIGHUP and SIGQUIT set. The second of them ends the program at once.
pub(crate) fn stop_flag() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&stop);
    ctrlc::set_handler(move || ask(&set)).context("cannot listen for Ctrl-C")?;
    #[cfg(unix)]
    listen_for_quit(Arc::clone(&stop))?;
    Ok(stop)
}

fn ask(stop: &AtomicBool) {
    if stop.swap(true, Ordering::Relaxed) {
        #[expect(clippy::exit, reason = "the user has asked twice, and waits")]
        exit(INTERRUPTED.into());
    }
}

/// Ctrl-\ and service managers send SIGQUIT, which `ctrlc` leaves to end the program with a core dump.
#[cfg(unix)]
fn listen_for_quit(stop: Arc<AtomicBool>) -> Result<()> {
    use signal_hook::consts::SIGQUIT;
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGQUIT]).context("cannot listen for SIGQUIT")?;
    std::thread::Builder::new()
        .name("quit".to_owned())
        .spawn(move || {
            for _ in signals.forever() {
                ask(&stop);
            }
        })
        .context("cannot listen for SIGQUIT")?;
    Ok(())
}
