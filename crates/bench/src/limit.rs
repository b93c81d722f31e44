//! The bare limit: the same payloads through one task and one tokio channel a conversation, and back.

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc;
use wechaty::Clock;
use wechaty_types::{MessagePayload, SayablePayload};

use super::{CONVERSATIONS, IN_FLIGHT, TEXT};

/// Channel slots of a conversation.
const SLOTS: usize = 4;

/// Round trips a second.
pub(super) async fn speed(time: Duration) -> u64 {
    let clock = Clock::system();
    let (back, mut answers) = mpsc::channel::<(Arc<MessagePayload>, Arc<SayablePayload>)>(IN_FLIGHT);
    let conversations: Vec<_> = (0..CONVERSATIONS)
        .map(|_| {
            let (to, mut messages) = mpsc::channel::<Arc<MessagePayload>>(SLOTS);
            let back = back.clone();
            tokio::spawn(async move {
                while let Some(message) = messages.recv().await {
                    let answer = Arc::new(SayablePayload::text(TEXT));
                    if back.send((message.clone(), answer)).await.is_err() {
                        return;
                    }
                }
            });
            to
        })
        .collect();
    let began = clock.now();
    let (mut said, mut answered) = (0u64, 0u64);
    let mut batch = Vec::with_capacity(IN_FLIGHT);
    while clock.now() - began < time {
        while ((said - answered) as usize) < IN_FLIGHT {
            let talker = said as usize % CONVERSATIONS;
            let payload = MessagePayload::direct(format!("m{said}"), format!("c{talker}"), "bot", TEXT);
            if conversations[talker].send(Arc::new(payload)).await.is_err() {
                break;
            }
            said += 1;
        }
        answered += answers.recv_many(&mut batch, IN_FLIGHT).await as u64;
        batch.clear();
    }
    (answered as f64 / (clock.now() - began).as_secs_f64()) as u64
}
