//! What is not declared refuses with `Unsupported` and its name: never Ok, never a hang.

use crate::conformance::{
    Case,
    calls::{refuse, refuse_ding, refuse_extras, refuse_kinds},
    case::{Group, Verdict},
    lab::Lab,
};

macro_rules! table {
    ($table:ident: $($name:ident $group:ident;)*) => {
        pub(super) const $table: &[Case] = &[$(Case {
            name: stringify!($name),
            group: Group::$group,
            needs: &[],
            optional: &[],
            run: |lab| Box::pin($name(lab)),
        }),*];
    };
}

table! { CORE:
    undeclared_kinds_of_sends_refuse Core;
    undeclared_mentions_and_quotes_refuse Core;
}

async fn undeclared_kinds_of_sends_refuse(lab: &Lab) -> Verdict {
    refuse_kinds(lab, &lab.connect().await?).await
}

async fn undeclared_mentions_and_quotes_refuse(lab: &Lab) -> Verdict {
    refuse_extras(lab, &lab.connect().await?).await
}

async fn undeclared_ding_refuses(lab: &Lab) -> Verdict {
    refuse_ding(lab).await
}

macro_rules! groups {
    ($($name:ident $accessor:ident $group:ident;)*) => {
        table! { GROUPS: $($name $group;)* undeclared_ding_refuses Ding; }
        $(async fn $name(lab: &Lab) -> Verdict {
            refuse(lab, stringify!($accessor)).await
        })*
    };
}

groups! {
    undeclared_loader_calls_refuse loader Loader;
    undeclared_directory_calls_refuse directory Directory;
    undeclared_contact_profile_calls_refuse contact_profile ContactProfile;
    undeclared_self_profile_calls_refuse self_profile SelfProfile;
    undeclared_friendship_calls_refuse friendships Friendships;
    undeclared_room_calls_refuse rooms Rooms;
    undeclared_room_invitation_calls_refuse room_invitations RoomInvitations;
    undeclared_media_calls_refuse media Media;
    undeclared_recall_calls_refuse recall Recall;
    undeclared_edit_calls_refuse edits Edits;
    undeclared_reaction_calls_refuse reactions Reactions;
    undeclared_typing_calls_refuse typing Typing;
    undeclared_read_mark_calls_refuse read_marks ReadMarks;
    undeclared_tag_calls_refuse tags Tags;
    undeclared_post_calls_refuse posts Posts;
    undeclared_tap_calls_refuse taps Taps;
    undeclared_login_calls_refuse login Login;
    undeclared_pin_calls_refuse pins Pins;
    undeclared_reader_calls_refuse readers Readers;
    undeclared_growing_calls_refuse growing Growing;
}
