//! What a handler says about those behind it.

use crate::{Error, Result};

/// Whether the handlers behind this one run. Observers always do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// They run.
    #[default]
    Continue,
    /// The event is answered: other plugins' handlers do not run, those of the same plugin still do.
    Handled,
    /// None runs.
    Stop,
}

/// What a handler may return: `()`, [`Flow`], or a `Result` of either.
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    note = "it returns `()`, `Flow`, `Result<(), E>` or `Result<Flow, E>` where `E` converts into `wechaty::Error`"
)]
pub trait IntoFlow {
    /// Whether it may be anything but [`Flow::Continue`].
    const MAY_STOP: bool;
    /// The flow.
    ///
    /// # Errors
    /// The handler's own.
    fn into_flow(self) -> Result<Flow>;
}

impl IntoFlow for () {
    const MAY_STOP: bool = false;
    fn into_flow(self) -> Result<Flow> {
        Ok(Flow::Continue)
    }
}

impl IntoFlow for Flow {
    const MAY_STOP: bool = true;
    fn into_flow(self) -> Result<Flow> {
        Ok(self)
    }
}

impl<T: IntoFlow, E: Into<Error>> IntoFlow for std::result::Result<T, E> {
    const MAY_STOP: bool = T::MAY_STOP;
    fn into_flow(self) -> Result<Flow> {
        self.map_err(Into::into)?.into_flow()
    }
}
