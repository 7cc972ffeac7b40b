//! Signals that ask a run to stop: it saves and ends, so that it can be resumed.

use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};

use crate::commands::INTERRUPTED;
use crate::progress::without_bars;

/// What Ctrl-C (SIGINT), SIGTERM, SIGHUP and SIGQUIT ask for. The second of them ends the program at once, and so does the
/// first where nothing can be saved.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    is_asked: AtomicBool,
    is_heeded: AtomicBool,
}

impl Stop {
    /// Runs something that looks at the flag, and saves where it is when that is set.
    pub(crate) fn heeded<T>(&self, run: impl FnOnce(&AtomicBool) -> T) -> T {
        self.is_heeded.store(true, Ordering::Relaxed);
        let value = run(&self.is_asked);
        self.is_heeded.store(false, Ordering::Relaxed);
        value
    }

    fn ask(&self) {
        let is_heeded = self.is_heeded.load(Ordering::Relaxed);
        if self.is_asked.swap(true, Ordering::Relaxed) || !is_heeded {
            // The user has asked twice and waits, or nothing would answer.
            without_bars::<()>(|| exit(INTERRUPTED.into()));
        }
    }
}

/// Begins to listen, if nobody does yet.
pub(crate) fn listen() -> Result<Arc<Stop>> {
    static LISTENING: Mutex<Option<Arc<Stop>>> = Mutex::new(None);
    let mut listening = LISTENING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(stop) = &*listening {
        return Ok(Arc::clone(stop));
    }
    let stop = Arc::<Stop>::default();
    let asked = Arc::clone(&stop);
    ctrlc::set_handler(move || asked.ask()).context("cannot listen for Ctrl-C")?;
    #[cfg(unix)]
    listen_for_quit(Arc::clone(&stop))?;
    *listening = Some(Arc::clone(&stop));
    Ok(stop)
}

/// Ctrl-\ and service managers send SIGQUIT, which `ctrlc` leaves to end the program with a core dump.
#[cfg(unix)]
fn listen_for_quit(stop: Arc<Stop>) -> Result<()> {
    use signal_hook::consts::SIGQUIT;
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGQUIT]).context("cannot listen for SIGQUIT")?;
    std::thread::Builder::new()
        .name("quit".to_owned())
        .spawn(move || {
            for _ in signals.forever() {
                stop.ask();
            }
        })
        .context("cannot listen for SIGQUIT")?;
    Ok(())
}
