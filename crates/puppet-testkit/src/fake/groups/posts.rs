//! Posts and taps on them.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use wechaty_puppet::{
    Capability, ContactId, Page, PageRequest, PostContent, PostCounter, PostFilter, PostId, PostPayload, PostType,
    Posts, PuppetError, Result, SayablePayload, TapFilter, TapPayload, TapType, Taps, Timestamp,
};

use super::of_the_fake;
use crate::fake::{
    FakePuppet,
    heard::{Place, Said},
    world::World,
};

#[derive(Debug)]
struct PostState {
    payload: PostPayload,
    author: ContactId,
    taps: BTreeMap<(i32, ContactId), Timestamp>,
}

/// Everything that was posted, oldest first.
#[derive(Debug, Default)]
pub(in crate::fake) struct Wall(Vec<PostState>);

impl Wall {
    fn get(&self, id: &PostId) -> Option<&PostState> {
        self.0.iter().find(|post| post.payload.id() == Some(id))
    }

    pub(in crate::fake) fn payload(&self, id: &PostId) -> Option<PostPayload> {
        let mut payload = self.get(id)?.payload.clone();
        let children = self.0.iter().filter(|post| post.payload.parent_id.as_ref() == Some(id)).count() as u64;
        let descendant = self.0.iter().filter(|post| post.payload.root_id.as_ref() == Some(id)).count() as u64;
        let mut taps = BTreeMap::new();
        for (kind, _) in self.get(id)?.taps.keys() {
            *taps.entry(*kind).or_insert(0) += 1;
        }
        if let PostContent::Server { counter, .. } = &mut payload.content {
            *counter = PostCounter { children, descendant, taps };
        }
        Some(payload)
    }

    /// False: no such post.
    pub(in crate::fake) fn tap(
        &mut self,
        id: &PostId,
        kind: TapType,
        who: &ContactId,
        on: bool,
        at: Timestamp,
    ) -> bool {
        let Some(post) = self.0.iter_mut().find(|post| post.payload.id() == Some(id)) else { return false };
        let key = (kind.number(), who.clone());
        if on {
            post.taps.entry(key).or_insert(at);
        } else {
            post.taps.remove(&key);
        }
        true
    }
}

impl World {
    pub(in crate::fake) fn publish(
        &mut self,
        author: &ContactId,
        parts: Vec<SayablePayload>,
        parent: Option<(PostId, Option<PostId>)>,
        kind: PostType,
    ) -> (PostId, Arc<PostPayload>) {
        let mut sayable_list = Vec::new();
        for what in parts {
            let said = Arc::new(Said {
                id: self.next_id("msg").into(),
                talker: author.clone(),
                place: Place::Direct(author.clone()),
                what: Arc::new(what),
                quote: None,
                timestamp: self.clock.wall(),
                at: self.clock.now(),
                key: None,
                words: OnceLock::new(),
            });
            sayable_list.push(said.id.clone());
            self.remember(said);
        }
        let id = PostId::new(self.next_id("post"));
        let content = PostContent::Server {
            id: id.clone(),
            contact_id: author.clone(),
            timestamp: self.clock.wall(),
            sayable_list,
            counter: PostCounter::default(),
        };
        let (parent_id, root_id) = match parent {
            Some((parent, root)) => (Some(parent.clone()), Some(root.unwrap_or(parent))),
            None => (None, None),
        };
        let payload = PostPayload { parent_id, root_id, kind, content };
        self.wall.0.push(PostState { payload: payload.clone(), author: author.clone(), taps: BTreeMap::new() });
        (id, Arc::new(payload))
    }
}

/// A page of `all`: its token is the number of the first item.
fn page<T>(all: Vec<T>, request: &PageRequest) -> Result<(Vec<T>, Option<String>)> {
    let from = match request.page_token.as_deref().map(str::parse::<usize>) {
        None => 0,
        Some(Ok(from)) => from,
        Some(Err(error)) => return Err(PuppetError::Invalid { what: "page token", reason: error.to_string() }),
    };
    let size = request.page_size.map_or(usize::MAX, |size| size.max(1) as usize);
    let total = all.len();
    let items: Vec<T> = all.into_iter().skip(from).take(size).collect();
    let next = from + items.len();
    Ok((items, (next < total).then(|| next.to_string())))
}

#[async_trait]
impl Posts for FakePuppet {
    of_the_fake!();

    async fn publish(&self, post: PostPayload) -> Result<Option<PostId>> {
        let mut world = self.call(Capability::Post, || "publish".to_owned())?;
        let PostContent::Client { sayable_list } = post.content else {
            return Err(PuppetError::Invalid { what: "post", reason: "it is published already".into() });
        };
        if sayable_list.is_empty() {
            return Err(PuppetError::Invalid { what: "post", reason: "it is empty".into() });
        }
        let parent = match post.parent_id {
            Some(parent) if world.wall.get(&parent).is_none() => return Err(PuppetError::not_found("post", parent)),
            parent => parent.map(|parent| (parent, post.root_id)),
        };
        let bot = world.bot(self.account).clone();
        Ok(Some(world.publish(&bot, sayable_list, parent, post.kind).0))
    }

    async fn search(&self, filter: PostFilter, request: PageRequest) -> Result<Page<PostId>> {
        let world = self.call(Capability::Post, || format!("search {filter:?}"))?;
        let found = world.wall.0.iter().filter(|post| {
            filter.contact_id.as_ref().is_none_or(|author| *author == post.author)
                && filter.id.as_ref().is_none_or(|id| post.payload.id() == Some(id))
                && filter.parent_id.as_ref().is_none_or(|parent| *parent == post.payload.parent_id)
                && filter.root_id.as_ref().is_none_or(|root| *root == post.payload.root_id)
                && filter.kind.is_none_or(|kind| kind == post.payload.kind)
        });
        let ids = found.filter_map(|post| post.payload.id().cloned()).collect();
        let (response, next_page_token) = page(ids, &request)?;
        Ok(Page { next_page_token, response })
    }
}

#[async_trait]
impl Taps for FakePuppet {
    of_the_fake!();

    async fn is_tapped(&self, post: &PostId, kind: TapType) -> Result<bool> {
        let world = self.call(Capability::Tap, || post.to_string())?;
        let me = world.bot(self.account);
        let post = world.wall.get(post).ok_or_else(|| PuppetError::not_found("post", post))?;
        Ok(post.taps.keys().any(|(k, who)| who == me && (kind == TapType::Unspecified || *k == kind.number())))
    }

    async fn set_tapped(&self, post: &PostId, kind: TapType, tapped: bool) -> Result<()> {
        let mut world = self.call(Capability::Tap, || format!("{post} {kind} {tapped}"))?;
        let (me, at) = (world.bot(self.account).clone(), world.next_stamp());
        world.wall.tap(post, kind, &me, tapped, at).then_some(()).ok_or_else(|| PuppetError::not_found("post", post))
    }

    async fn search(
        &self,
        post: &PostId,
        filter: TapFilter,
        request: PageRequest,
    ) -> Result<(TapPayload, Option<String>)> {
        let world = self.call(Capability::Tap, || format!("search {post}"))?;
        let post = world.wall.get(post).ok_or_else(|| PuppetError::not_found("post", post))?;
        let wanted = |kind: i32, who: &ContactId| {
            filter.contact_id.as_ref().is_none_or(|id| id == who)
                && filter.kind.is_none_or(|k| k == TapType::Unspecified || k.number() == kind)
        };
        let found = post.taps.iter().filter(|((kind, who), _)| wanted(*kind, who)).collect();
        let (found, next) = page(found, &request)?;
        let mut payload = TapPayload::default();
        for ((kind, who), at) in found {
            let taps = payload.0.entry(*kind).or_default();
            taps.contact_id.push(who.clone());
            taps.timestamp.push(*at);
        }
        Ok((payload, next))
    }
}
