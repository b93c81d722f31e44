//! The capability traits: related calls that a platform either offers or not.
//!
//! Every method that a puppet does not override fails with [`PuppetError::Unsupported`](crate::PuppetError).

mod contact;
mod friendship;
mod load;
mod login;
mod message;
mod post;
mod room;

pub use contact::{ContactProfile, SelfProfile, Tags};
pub use friendship::{FriendRequest, Friendships};
pub use load::{Directory, Loader};
pub use login::LoginControl;
pub use message::{Growing, MessageEdits, MessageMedia, MessageRecall, Pins, Reactions, ReadMarks, Readers, Typing};
pub use post::{Posts, Taps};
pub use room::{RoomAdmin, RoomInvitations, RoomPermission};

/// A capability trait whose methods default to `Unsupported`.
macro_rules! capability_trait {
    ($(#[$doc:meta])* $name:ident { $($(#[$mdoc:meta])* $method:ident($($arg:ident: $type:ty),*) -> $out:ty = $capability:ident;)* }) => {
        $(#[$doc])*
        #[async_trait::async_trait]
        pub trait $name: Send + Sync {
            /// The platform, for the default errors.
            fn platform(&self) -> crate::PlatformName;
            $(
                $(#[$mdoc])*
                ///
                /// # Errors
                /// [`Unsupported`](crate::PuppetError::Unsupported) unless the capability is declared; else what the
                /// platform says.
                async fn $method(&self, $($arg: $type),*) -> crate::Result<$out> {
                    $(let _ = $arg;)*
                    Err(crate::PuppetError::unsupported($name::platform(self), crate::Capability::$capability))
                }
            )*
        }
    };
}
pub(crate) use capability_trait;
