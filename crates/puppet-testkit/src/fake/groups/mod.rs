//! The capability groups, each backed by the fake world.

mod contact;
mod friendship;
mod load;
mod login;
mod message;
pub(super) mod posts;
mod room;
mod standing;
mod webhook;

/// `platform()` of every group.
macro_rules! of_the_fake {
    () => {
        fn platform(&self) -> wechaty_puppet::PlatformName {
            crate::fake::FakePuppet::NAME
        }
    };
}
use of_the_fake;

/// The picture of who has set none.
fn blank_picture() -> wechaty_puppet::FileBox {
    const BLANK: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>"#;
    wechaty_puppet::FileBox::from_bytes(BLANK, "blank.svg")
}
