//! Posts and taps on them.

use wechaty_puppet::{EventPayload, PageRequest, PostContent, PostFilter, PostId, TapFilter, TapType};

use crate::conformance::{
    Deed,
    case::{Verdict, cases, ensure, failed, group},
    lab::Lab,
    sample,
    session::Session,
};

cases! { POSTS = Posts:
    a_published_post_is_found [Post];
    a_published_post_can_be_loaded [Post, LoadPost];
    pages_of_posts_overlap_nowhere [Post];
    an_empty_post_is_refused [Post];
    a_post_of_a_person_arrives [LoadPost] optional [Publish];
}

cases! { TAPS = Taps:
    a_tap_is_kept_and_taken_back [Tap, Post];
    a_tap_is_found_with_its_contact [Tap, Post];
    a_tap_on_an_unknown_post_is_not_found [Tap];
}

/// The ids of all own posts, page by page of `size`.
async fn own_posts(lab: &Lab, session: &Session<'_>, size: Option<u32>) -> Verdict<Vec<PostId>> {
    let mut found = Vec::new();
    let mut page_token = None;
    for _ in 0..100 {
        let filter = PostFilter { contact_id: session.me(), ..PostFilter::default() };
        let request = PageRequest { page_size: size, page_token };
        let page = lab.ok("searching posts", group!(session, posts).search(filter, request)).await?;
        found.extend(page.response);
        page_token = page.next_page_token;
        if page_token.is_none() {
            return Ok(found);
        }
    }
    failed("searching posts gave a hundred pages for a few posts: the pages do not end")
}

/// Publishes; the id that was returned, or else found.
async fn publish(lab: &Lab, session: &Session<'_>) -> Verdict<PostId> {
    let before = own_posts(lab, session, None).await?;
    let post = sample::post(&lab.text("a post"));
    if let Some(id) = lab.ok("publishing a post", group!(session, posts).publish(post)).await? {
        return Ok(id);
    }
    let after = own_posts(lab, session, None).await?;
    match after.into_iter().find(|id| !before.contains(id)) {
        Some(id) => Ok(id),
        None => failed("a post was published, but is not found among the own posts"),
    }
}

async fn a_published_post_is_found(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let id = publish(lab, &session).await?;
    let found = own_posts(lab, &session, None).await?;
    ensure!(found.contains(&id), "post {id} was published, but is not found among the own posts");
    Ok(())
}

async fn a_published_post_can_be_loaded(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let id = publish(lab, &session).await?;
    let post = lab.ok("loading a post", group!(session, loader).post(&id)).await?;
    let PostContent::Server { id: loaded, contact_id, sayable_list, .. } = &post.content else {
        return failed("a loaded post must have the server's form");
    };
    ensure!(*loaded == id, "loaded post {id}, but got {loaded}");
    ensure!(Some(contact_id) == session.me().as_ref(), "an own post is {contact_id}'s");
    ensure!(!sayable_list.is_empty(), "a loaded post is empty");
    Ok(())
}

async fn pages_of_posts_overlap_nowhere(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    for _ in 0..5 {
        publish(lab, &session).await?;
    }
    let whole = own_posts(lab, &session, None).await?;
    let paged = own_posts(lab, &session, Some(2)).await?;
    ensure!(whole == paged, "all at once there are {whole:?}, by pages of two {paged:?}");
    Ok(())
}

async fn an_empty_post_is_refused(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let mut post = sample::post("nothing");
    post.content = PostContent::Client { sayable_list: Vec::new() };
    let error = lab.err("publishing an empty post", group!(session, posts).publish(post)).await?;
    ensure!(error.is_certain(), "publishing an empty post ended in doubt: {error}");
    Ok(())
}

async fn a_post_of_a_person_arrives(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (mark, by) = (lab.mark(), lab.person()?);
    lab.act(Deed::Publish { by: by.clone(), text: lab.text("news") }).await?;
    let id = session.event("the post event", mark, |entry| match &entry.event.what {
        EventPayload::Post(post) => Some(post.post_id.clone()),
        _ => None,
    });
    let id = id.await?;
    let post = lab.ok("loading a post", group!(session, loader).post(&id)).await?;
    match &post.content {
        PostContent::Server { contact_id, .. } => {
            ensure!(*contact_id == by, "{by} published it, but the post is {contact_id}'s");
            Ok(())
        }
        PostContent::Client { .. } => failed("a loaded post must have the server's form"),
    }
}

async fn a_tap_is_kept_and_taken_back(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (id, taps) = (publish(lab, &session).await?, group!(session, taps));
    for tapped in [true, false] {
        lab.ok("tapping a post", taps.set_tapped(&id, TapType::Like, tapped)).await?;
        let got = lab.ok("reading a tap", taps.is_tapped(&id, TapType::Like)).await?;
        ensure!(got == tapped, "the tap was set to {tapped}, but is {got}");
    }
    Ok(())
}

async fn a_tap_is_found_with_its_contact(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (id, taps) = (publish(lab, &session).await?, group!(session, taps));
    lab.ok("tapping a post", taps.set_tapped(&id, TapType::Like, true)).await?;
    let search = taps.search(&id, TapFilter::default(), PageRequest::default());
    let (found, _) = lab.ok("searching taps", search).await?;
    let likes = found.0.get(&TapType::Like.number());
    let (me, who) = (session.me(), likes.map(|likes| likes.contact_id.clone()).unwrap_or_default());
    ensure!(who.iter().any(|id| Some(id) == me.as_ref()), "we tapped the post, but the taps are of {who:?}");
    let parallel = likes.is_none_or(|likes| likes.contact_id.len() == likes.timestamp.len());
    ensure!(parallel, "the lists of who tapped and when have different lengths");
    Ok(())
}

async fn a_tap_on_an_unknown_post_is_not_found(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let id = PostId::from(lab.world.unknown.as_str());
    lab.not_found("taps().set_tapped", group!(session, taps).set_tapped(&id, TapType::Like, true)).await
}
