//! What goes on while a command takes its time: on a terminal one line that changes, elsewhere a line for each step.

use std::io::{self, IsTerminal, Write};

/// Steps of one command, on standard error. The line is gone when it is dropped.
pub(crate) struct Progress {
    what: &'static str,
    steps: usize,
    at: usize,
    on_terminal: bool,
}

impl Progress {
    /// Of a command that has so many steps.
    pub(crate) fn new(what: &'static str, steps: usize) -> Self {
        Self { what, steps, at: 0, on_terminal: io::stderr().is_terminal() }
    }

    /// Says which step begins.
    pub(crate) fn step(&mut self, words: &str) {
        self.at += 1;
        // Where nobody reads it, it does not matter.
        let _ = write!(io::stderr(), "{}", self.line(words));
    }

    fn line(&self, words: &str) -> String {
        let Self { what, steps, at, .. } = self;
        match self.on_terminal {
            // Over the line before.
            true => format!("\r\x1b[2K[{at}/{steps}] {what}: {words} …"),
            false => format!("{what}: {words} …\n"),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.on_terminal && self.at > 0 {
            let _ = write!(io::stderr(), "\r\x1b[2K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_has_one_line_and_a_file_one_for_each_step() {
        let mut progress = Progress { what: "bench", steps: 6, at: 2, on_terminal: true };
        assert_eq!(progress.line("bare channels"), "\r\x1b[2K[2/6] bench: bare channels …");
        progress.on_terminal = false;
        assert_eq!(progress.line("bare channels"), "bench: bare channels …\n");
    }
}
