//! CRASH: named points at which the crash tests end the process. Without the feature `crash-points` they are nothing.
//!
//! `WECHATY_CRASH=name:nth` arms one of them: whoever passes it for the nth time gets SIGKILL, as if somebody had pulled
//! the plug. Only the harness in `crates/crash` turns the feature on.

/// Whether points are compiled in.
pub const ENABLED: bool = cfg!(feature = "crash-points");

/// Passes a point.
#[inline(always)]
pub fn point(name: &str) {
    #[cfg(feature = "crash-points")]
    armed::pass(name);
    #[cfg(not(feature = "crash-points"))]
    let _ = name;
}

#[cfg(feature = "crash-points")]
mod armed {
    //! What the environment has armed.

    use std::sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    };

    struct Armed {
        name: String,
        nth: u64,
        passed: AtomicU64,
    }

    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

    fn from_env() -> Option<Armed> {
        let text = std::env::var("WECHATY_CRASH").ok()?;
        let (name, nth) = text.split_once(':')?;
        Some(Armed { name: name.to_owned(), nth: nth.parse().ok()?, passed: AtomicU64::new(0) })
    }

    pub(super) fn pass(name: &str) {
        let Some(armed) = ARMED.get_or_init(from_env).as_ref().filter(|armed| armed.name == name) else { return };
        if armed.passed.fetch_add(1, Ordering::SeqCst) + 1 == armed.nth {
            die();
        }
    }

    fn die() -> ! {
        #[cfg(unix)]
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // Reached where there is no such signal.
        std::process::abort()
    }
}
