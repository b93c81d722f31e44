//! ANNOUNCE: what the members of a room are told: a document of the old form, or of the new (docx), which the platform tells apart.

use std::{collections::HashMap, time::Duration};

use reqwest::Method;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};
use wechaty_puppet::{PuppetError, Result, Retry, RoomId, with_causes};

use crate::{
    api::{PAUSE, WAITING, seg},
    codes::{ANNOUNCED_IN_DOCX, about},
    events::passes,
    json::{at, list, number, some, text},
    puppet::Inner,
    rooms::path,
};

/// Most lines that one call takes.
const LINES: usize = 50;
/// A document takes three changes a second.
const PACE: Duration = Duration::from_millis(350);

/// Revision, words, and from where to where they are.
type Old = (String, String, Option<(i64, i64)>);

/// Whether it is refused because the announcement is of the new form.
fn is_of_new_form(error: &PuppetError) -> bool {
    matches!(error, PuppetError::Rejected { code, .. } if *code == ANNOUNCED_IN_DOCX.to_string())
}

fn document(room: &RoomId, more: &str) -> String {
    format!("docx/v1/chats/{}/announcement/blocks{more}", seg(room.as_str()))
}

/// A line, as a block.
fn block(line: &&str) -> Value {
    let run = json!({ "text_run": { "content": line, "text_element_style": {} } });
    json!({ "block_type": 2, "text": { "elements": [run], "style": {} } })
}

/// Whether a block is this line as we write it.
fn is_line(block: &Value, line: &str) -> bool {
    let is_bare = |run: &Value| {
        let styles = at(run, "text_run.text_element_style").as_object();
        styles.is_none_or(|styles| styles.values().all(|style| style == false))
    };
    let is_said = match list(block, "text.elements") {
        [] => line.is_empty(),
        [run] => {
            run.get("text_run").is_some()
                && text(run, "text_run.content").trim_end_matches('\n') == line
                && is_bare(run)
        }
        _ => false,
    };
    is_said && number(block, "block_type") == Some(2) && list(block, "children").is_empty()
}

/// By which the platform knows one change of a document again; `nonce`: of the words that are announced.
fn token(nonce: u128, at: usize, blocks: usize) -> String {
    let bits = format!("{:032x}", nonce ^ ((at as u128) << 32 | blocks as u128));
    format!("{}-{}-4{}-a{}-{}", &bits[..8], &bits[8..12], &bits[13..16], &bits[17..20], &bits[20..])
}

/// A document of the new form: a tree of blocks.
struct Document {
    /// The block that all others are below.
    root: String,
    blocks: HashMap<String, Value>,
}

impl Document {
    fn children(&self, id: &str) -> impl DoubleEndedIterator<Item = &str> {
        self.blocks.get(id).map_or(&[][..], |block| list(block, "children")).iter().filter_map(Value::as_str)
    }

    /// Its words, a line for each block that has some.
    fn words(&mut self, name: impl Fn(&str) -> Option<String>) -> String {
        let mut lines = Vec::new();
        let mut next: Vec<String> = self.children(&self.root).rev().map(str::to_owned).collect();
        while let Some(id) = next.pop() {
            next.extend(self.children(&id).rev().map(str::to_owned));
            // Each once, however they refer to each other.
            let Some(block) = self.blocks.remove(&id) else { continue };
            // Of whatever kind: what has words has them in elements.
            let elements = block.as_object().into_iter().flat_map(|block| block.values());
            if let Some(elements) = elements.filter_map(|kind| kind.get("elements")?.as_array()).next() {
                let words = elements.iter().map(|element| match some(element, "mention_user.user_id") {
                    Some(id) => format!("@{}", name(id).unwrap_or_else(|| id.to_owned())),
                    None => ["text_run", "equation"]
                        .iter()
                        .map(|kind| text(at(element, kind), "content"))
                        .collect::<String>(),
                });
                lines.push(words.collect::<String>().trim_end_matches('\n').to_owned());
            }
        }
        lines.join("\n")
    }
}

impl Inner {
    /// What the members are told.
    pub(crate) async fn announced(&self, room: &RoomId) -> Result<String> {
        match self.old_form(room).await {
            Err(error) if is_of_new_form(&error) => Ok(self.new_form(room).await?.words(|id| self.names.get(id))),
            found => Ok(found?.1),
        }
    }

    /// Puts words in the place of what the members are told.
    pub(crate) async fn announce(&self, room: &RoomId, words: &str) -> Result<()> {
        match self.old_form(room).await {
            Err(error) if is_of_new_form(&error) => self.announce_in_new_form(room, words).await,
            old => self.announce_in_old_form(room, old?, words).await,
        }
    }

    async fn new_form(&self, room: &RoomId) -> Result<Document> {
        let ask = about("reading an announcement", "room", room.as_str());
        let items = self.api.pages(ask, &document(room, "?page_size=500"), "items").await?;
        let root = items.iter().find(|block| number(block, "block_type") == Some(1));
        // One that nobody has written yet is named by its room.
        let root = root.and_then(|root| some(root, "block_id")).unwrap_or(room.as_str()).to_owned();
        let by_id = |block: Value| Some((some(&block, "block_id")?.to_owned(), block));
        Ok(Document { root, blocks: items.into_iter().filter_map(by_id).collect() })
    }

    /// Writes until it is written: whatever fails on the way, it goes on from what stands there by then.
    async fn announce_in_new_form(&self, room: &RoomId, words: &str) -> Result<()> {
        let (lines, clock) = (words.lines().collect::<Vec<_>>(), self.api.clock()?);
        let (mut nonce, end) = ([0; 16], clock.now() + WAITING);
        let failed = |_| PuppetError::Unreachable { context: "announcing", source: "there is no randomness".into() };
        SystemRandom::new().fill(&mut nonce).map_err(failed)?;
        loop {
            let error = match self.write_in_new_form(room, &lines, u128::from_be_bytes(nonce)).await {
                Err(error) if passes(&error) => error,
                done => return done,
            };
            if clock.now() >= end {
                tracing::warn!(room = %room, "an announcement may be half written, with the new lines above the old ones: \
                    announcing it again goes on with it");
                return Err(error);
            }
            tracing::info!(why = %with_causes(&error), "an announcement is not whole yet: going on with it");
            let pause = match error.retry() {
                Retry::After(pause) => pause,
                _ => PAUSE,
            };
            clock.sleep(pause.min(end.saturating_sub(clock.now()))).await;
        }
    }

    /// The new words come first, then the old ones go: if that fails, nothing that was there is lost. The first lines that
    /// stand there stay, which are ours where it has failed before.
    async fn write_in_new_form(&self, room: &RoomId, lines: &[&str], nonce: u128) -> Result<()> {
        let old = self.new_form(room).await?;
        let there: Vec<_> = old.children(&old.root).collect();
        let stands = |(id, line): &(&&str, &&str)| old.blocks.get(**id).is_some_and(|block| is_line(block, line));
        let mut written = there.iter().zip(lines).take_while(stands).count();
        let (root, mut blocks) = (seg(&old.root), there.len());
        let change = async |method, how, at, blocks, body| {
            let path = document(room, &format!("/{root}/children{how}?client_token={}", token(nonce, at, blocks)));
            self.api.call(about("announcing", "room", room.as_str()), method, &path, Some(&body)).await
        };
        for some in lines[written..].chunks(LINES) {
            let children: Vec<_> = some.iter().map(block).collect();
            change(Method::POST, "", written, blocks, json!({ "index": written, "children": children })).await?;
            (written, blocks) = (written + some.len(), blocks + some.len());
            self.api.clock()?.sleep(PACE).await;
        }
        if blocks > written {
            let body = json!({ "start_index": written, "end_index": blocks });
            change(Method::DELETE, "/batch_delete", written, blocks, body).await?;
        }
        Ok(())
    }

    async fn announce_in_old_form(&self, room: &RoomId, old: Old, words: &str) -> Result<()> {
        let (revision, _, range) = old;
        let mut requests = Vec::new();
        if let Some((from, to)) = range.filter(|(from, to)| from < to) {
            let range = json!({ "zoneId": "0", "startIndex": from, "endIndex": to });
            let delete = json!({ "requestType": "DeleteContentRangeRequestType", "deleteContentRangeRequest": { "deleteRange": range } });
            requests.push(delete.to_string());
        }
        let blocks: Vec<_> = words
            .split('\n')
            .map(|line| {
                let run = json!({ "type": "textRun", "textRun": { "text": line, "style": {} } });
                json!({ "type": "paragraph", "paragraph": { "elements": [run], "style": {} } })
            })
            .collect();
        let location = json!({ "zoneId": "0", "index": 0, "startOfZone": true });
        let payload = json!({ "blocks": blocks }).to_string();
        let insert = json!({ "requestType": "InsertBlocksRequestType", "insertBlocksRequest": { "payload": payload, "location": location } });
        requests.push(insert.to_string());
        let body = json!({ "revision": revision, "requests": requests });
        self.change("announcing", Method::PATCH, room, "/announcement", &body).await.map(drop)
    }

    /// One of the old form: its revision, its words, and from where to where they are.
    async fn old_form(&self, room: &RoomId) -> Result<Old> {
        let ask = about("reading an announcement", "room", room.as_str());
        let found = self.api.call(ask, Method::GET, &path(room, "/announcement?user_id_type=open_id"), None).await?;
        // A document, as text.
        let document: Value = serde_json::from_str(text(&found, "content")).unwrap_or_default();
        let (mut lines, mut range) = (Vec::new(), None::<(i64, i64)>);
        for block in list(&document, "body.blocks") {
            let paragraph = at(block, "paragraph");
            let words = list(paragraph, "elements").iter().map(|element| text(element, "textRun.text"));
            lines.push(words.collect::<String>().trim_end_matches('\n').to_owned());
            if let (Some(from), Some(to)) =
                (number(paragraph, "location.startIndex"), number(paragraph, "location.endIndex"))
            {
                range = Some(range.map_or((from, to), |(first, last)| (first.min(from), last.max(to))));
            }
        }
        // A document ends with an empty line, also where all that was in it is deleted.
        let words = lines.join("\n").trim_end_matches('\n').to_owned();
        Ok((text(&found, "revision").to_owned(), words, range))
    }
}
