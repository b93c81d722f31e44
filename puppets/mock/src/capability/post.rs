//! Posts and Taps.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use wechaty_puppet::{
    Capability, ContactId, DirtyType, MessageId, MessagePayload, Page, PageRequest, PlatformName, PostContent,
    PostCounter, PostFilter, PostId, PostPayload, Posts, PuppetError, Result, TapFilter, TapList, TapPayload, TapType,
    Taps, Timestamp,
};

use crate::{
    MockPuppet, PLATFORM,
    change::dirty,
    content::{Content, kept_in},
    puppet::Live,
    state::{Message, Post, State},
    world::WorldPost,
};

/// Of a page request that does not say.
const PAGE: usize = 20;

/// Whatever a page request says.
const MOST: usize = 100;

/// One page of `items`; the token is the offset of the next.
fn page<T>(items: Vec<T>, request: &PageRequest) -> Result<(Vec<T>, Option<String>)> {
    let size = request.page_size.map_or(PAGE, |size| (size as usize).clamp(1, MOST));
    let start = match &request.page_token {
        None => 0,
        Some(token) => token.parse::<usize>().ok().filter(|start| *start <= items.len()).ok_or_else(|| {
            PuppetError::Invalid { what: "page token", reason: format!("{token:?} is from no page before") }
        })?,
    };
    let next = (items.len() > start + size).then(|| (start + size).to_string());
    Ok((items.into_iter().skip(start).take(size).collect(), next))
}

impl State {
    /// With the counters as they are now.
    pub(crate) fn post_payload(&self, id: &PostId) -> Result<Arc<PostPayload>> {
        let post = self.post(id)?;
        let mut payload = PostPayload::clone(&post.post.payload);
        if let PostContent::Server { counter, .. } = &mut payload.content {
            let (children, descendant) = self.answers(id);
            let taps = post.taps.iter().map(|(kind, who)| (kind.number(), who.len() as u64)).collect();
            *counter = PostCounter { children, descendant, taps };
        }
        Ok(Arc::new(payload))
    }

    /// Direct answers, and answers of any depth.
    fn answers(&self, id: &PostId) -> (u64, u64) {
        let children = self.posts.iter().filter(|post| post.post.payload.parent_id.as_ref() == Some(id)).count();
        let mut thread = vec![id];
        let mut next = 0;
        while let Some(parent) = thread.get(next).copied() {
            next += 1;
            for post in self.posts.iter().filter(|post| post.post.payload.parent_id.as_ref() == Some(parent)) {
                // A world may say that two posts answer each other.
                if !thread.contains(&&post.post.id) {
                    thread.push(&post.post.id);
                }
            }
        }
        (children as u64, thread.len() as u64 - 1)
    }
}

/// Of a post as the platform serves it: who and when.
fn signed(post: &Post) -> (Option<&ContactId>, Timestamp) {
    match &post.post.payload.content {
        PostContent::Server { contact_id, timestamp, .. } => (Some(contact_id), *timestamp),
        PostContent::Client { .. } => (None, Timestamp::default()),
    }
}

fn matches(post: &Post, filter: &PostFilter) -> bool {
    let payload = &post.post.payload;
    filter.id.as_ref().is_none_or(|id| id == &post.post.id)
        && filter.contact_id.as_ref().is_none_or(|id| Some(id) == signed(post).0)
        && filter.kind.is_none_or(|kind| kind == payload.kind)
        && filter.parent_id.as_ref().is_none_or(|parent| parent == &payload.parent_id)
        && filter.root_id.as_ref().is_none_or(|root| root == &payload.root_id)
}

pub(crate) fn publish(live: &mut Live, who: &ContactId, post: PostPayload) -> Result<PostId> {
    live.state.contact(who)?;
    let PostContent::Client { sayable_list } = post.content else {
        let reason = "it is one that the platform has already".to_owned();
        return Err(PuppetError::Invalid { what: "post", reason });
    };
    if sayable_list.is_empty() {
        return Err(PuppetError::Invalid { what: "post", reason: "it says nothing".to_owned() });
    }
    for parent in post.parent_id.iter().chain(&post.root_id) {
        live.state.post(parent)?;
    }
    let now = live.now();
    let id = PostId::new(format!("post-{}-{}", now.as_millis(), live.number()));
    let mut parts = Vec::new();
    for what in sayable_list {
        let part = MessageId::new(format!("{id}-{}", parts.len() + 1));
        let mut payload = MessagePayload::direct(part.clone(), who.clone(), who.clone(), "");
        payload.kind = what.message_type();
        payload.text = what.as_text().map(str::to_owned);
        payload.filename = what.file_box().map(|file| file.name().to_owned());
        payload.timestamp = now;
        // A part of a post is part of what the post serves, whatever `storeSent` says: received, not sent.
        live.state.remember(Message::received(Arc::new(payload), Some(Content::Say(Arc::new(what)))));
        parts.push(part);
    }
    let content = PostContent::Server {
        id: id.clone(),
        contact_id: who.clone(),
        timestamp: now,
        sayable_list: parts,
        counter: PostCounter::default(),
    };
    let payload = PostPayload { parent_id: post.parent_id, root_id: post.root_id, kind: post.kind, content };
    let post = WorldPost { id: id.clone(), payload: Arc::new(payload), taps: BTreeMap::new() };
    live.state.posts.push(Post { post, taps: BTreeMap::new() });
    Ok(id)
}

pub(crate) fn tap(live: &mut Live, who: &ContactId, post: &PostId, kind: TapType, tapped: bool) -> Result<()> {
    let now = live.now();
    let taps = &mut live.state.post_mut(post)?.taps;
    if tapped {
        let kind = if kind == TapType::Unspecified { TapType::Like } else { kind };
        let all = taps.entry(kind).or_default();
        if !all.iter().any(|(id, _)| id == who) {
            all.push((who.clone(), now));
        }
    } else {
        let of_kind = |tap: &TapType| kind == TapType::Unspecified || *tap == kind;
        taps.iter_mut().filter(|(tap, _)| of_kind(tap)).for_each(|(_, all)| all.retain(|(id, _)| id != who));
    }
    live.waiting.push_back(dirty(DirtyType::Post, post));
    Ok(())
}

#[async_trait]
impl Posts for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    /// As many posts as messages are kept (builder), then no more; each part becomes a message.
    async fn publish(&self, mut post: PostPayload) -> Result<Option<PostId>> {
        if let PostContent::Client { sayable_list } = &mut post.content {
            for what in sayable_list {
                kept_in(what).await?;
            }
        }
        let most = self.0.world.posts.len() + self.0.keep;
        self.change(Capability::Post, |live| {
            if live.state.posts.len() >= most {
                let message = format!("there are {most} posts, and no more fit");
                return Err(PuppetError::Rejected { code: "full".to_owned(), message });
            }
            let me = live.state.me().clone();
            publish(live, &me, post).map(Some)
        })
    }

    /// Newest first, or by `order_by`: `timestamp` (oldest first) or `-timestamp`.
    async fn search(&self, filter: PostFilter, request: PageRequest) -> Result<Page<PostId>> {
        self.read(Capability::Post, |state| {
            let mut found: Vec<_> = state.posts.iter().filter(|post| matches(post, &filter)).collect();
            found.sort_by_key(|post| signed(post).1);
            match filter.order_by.as_deref() {
                Some("timestamp") => {}
                None | Some("" | "-timestamp") => found.reverse(),
                Some(other) => {
                    let reason = format!("{other:?} is neither timestamp nor -timestamp");
                    return Err(PuppetError::Invalid { what: "order", reason });
                }
            }
            let ids = found.into_iter().map(|post| post.post.id.clone()).collect();
            let (response, next_page_token) = page(ids, &request)?;
            Ok(Page { next_page_token, response })
        })
    }
}

#[async_trait]
impl Taps for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    async fn is_tapped(&self, post: &PostId, kind: TapType) -> Result<bool> {
        self.read(Capability::Tap, |state| {
            let taps = &state.post(post)?.taps;
            Ok(taps.iter().any(|(tap, who)| {
                (kind == TapType::Unspecified || *tap == kind) && who.iter().any(|(id, _)| id == state.me())
            }))
        })
    }

    /// `Unspecified` takes back taps of every type, and taps as a like.
    async fn set_tapped(&self, post: &PostId, kind: TapType, tapped: bool) -> Result<()> {
        self.change(Capability::Tap, |live| {
            let me = live.state.me().clone();
            tap(live, &me, post, kind, tapped)
        })
    }

    async fn search(
        &self,
        post: &PostId,
        filter: TapFilter,
        request: PageRequest,
    ) -> Result<(TapPayload, Option<String>)> {
        self.read(Capability::Tap, |state| {
            let any = |kind: &TapType| *kind == TapType::Unspecified;
            let mut found = Vec::new();
            for (kind, who) in &state.post(post)?.taps {
                if filter.kind.as_ref().is_none_or(|wanted| any(wanted) || wanted == kind) {
                    let of = who.iter().filter(|(id, _)| filter.contact_id.as_ref().is_none_or(|wanted| wanted == id));
                    found.extend(of.map(|tap| (*kind, tap.clone())));
                }
            }
            let (taps, next) = page(found, &request)?;
            let mut lists = BTreeMap::<i32, TapList>::new();
            for (kind, (id, time)) in taps {
                let list = lists.entry(kind.number()).or_default();
                list.contact_id.push(id);
                list.timestamp.push(time);
            }
            Ok((TapPayload(lists), next))
        })
    }
}
