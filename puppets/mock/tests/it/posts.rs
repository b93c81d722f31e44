//! Posts and taps, an extension of the world file.

use serde_json::json;
use wechaty_puppet::{
    PageRequest, PostContent, PostFilter, PostPayload, PostType, Puppet, SayablePayload, TapFilter, TapType,
};

use crate::support::{Stage, dirty, unsupported};

fn moment(text: &str, parent: Option<&str>) -> PostPayload {
    PostPayload {
        parent_id: parent.map(Into::into),
        root_id: parent.map(Into::into),
        kind: PostType::Moment,
        content: PostContent::Client { sayable_list: vec![SayablePayload::text(text)] },
    }
}

#[tokio::test]
async fn a_published_post_is_found_loaded_and_tapped() {
    let stage = Stage::with(json!({})).await;
    let (posts, taps, loader) =
        (stage.puppet.posts().unwrap(), stage.puppet.taps().unwrap(), stage.puppet.loader().unwrap());
    let answer = posts.publish(moment("cheers", Some("p-cup"))).await.unwrap().unwrap();
    let PostContent::Server { sayable_list, contact_id, .. } = &loader.post(&answer).await.unwrap().content.clone()
    else {
        panic!("served by the platform")
    };
    assert_eq!(contact_id.as_str(), "bot");
    assert_eq!(loader.message(&sayable_list[0]).await.unwrap().text.as_deref(), Some("cheers"));

    let originals = PostFilter { parent_id: Some(None), ..PostFilter::default() };
    assert_eq!(posts.search(originals, PageRequest::default()).await.unwrap().response, ["p-cup".into()]);
    let one = |token| PageRequest { page_size: Some(1), page_token: token };
    let first = posts.search(PostFilter::default(), one(None)).await.unwrap();
    assert_eq!(first.response, std::slice::from_ref(&answer), "newest first");
    let second = posts.search(PostFilter::default(), one(first.next_page_token)).await.unwrap();
    assert_eq!((second.response, second.next_page_token), (vec!["p-cup".into()], None));
    assert!(posts.search(PostFilter::default(), one(Some("x".into()))).await.is_err());

    let cup = "p-cup".into();
    assert!(!taps.is_tapped(&cup, TapType::Like).await.unwrap());
    taps.set_tapped(&cup, TapType::Like, true).await.unwrap();
    assert_eq!(stage.happened().await, [dirty(6, "p-cup")]);
    assert!(taps.is_tapped(&cup, TapType::Unspecified).await.unwrap());
    let (who, next) = taps.search(&cup, TapFilter::default(), PageRequest::default()).await.unwrap();
    assert_eq!((who.0[&1].contact_id.as_slice(), next), (["c-mei".into(), "bot".into()].as_slice(), None));
    let PostContent::Server { counter, .. } = &loader.post(&cup).await.unwrap().content.clone() else {
        panic!("served")
    };
    assert_eq!((counter.children, counter.descendant, counter.taps[&1]), (1, 1, 2));
}

#[tokio::test]
async fn a_world_may_have_no_posts() {
    let stage = Stage::with(json!({ "posts": false })).await;
    assert!(stage.puppet.posts().is_none() && stage.puppet.taps().is_none());
    unsupported(wechaty_puppet::Posts::publish(&stage.puppet, moment("a", None)).await);
    unsupported(stage.puppet.loader().unwrap().post(&"p-cup".into()).await);
}
