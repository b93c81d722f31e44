//! Posts and taps on them.

use super::capability_trait;
use crate::{Page, PageRequest, PostFilter, PostId, PostPayload, TapFilter, TapPayload, TapType};

capability_trait! {
    /// Posts.
    Posts {
        /// Publishes; the id, where the platform tells it. Spec: TS `postPublish`.
        publish(post: PostPayload) -> Option<PostId> = Post;
        /// Finds. Spec: TS `postSearch`.
        search(filter: PostFilter, page: PageRequest) -> Page<PostId> = Post;
    }
}

capability_trait! {
    /// Taps on posts.
    Taps {
        /// Whether we tapped. Spec: TS `tap` get.
        is_tapped(post: &PostId, kind: TapType) -> bool = Tap;
        /// Taps, or takes it back. Spec: TS `tap` set.
        set_tapped(post: &PostId, kind: TapType, tapped: bool) -> () = Tap;
        /// Who tapped. Spec: TS `tapSearch`.
        search(post: &PostId, filter: TapFilter, page: PageRequest) -> (TapPayload, Option<String>) = Tap;
    }
}
