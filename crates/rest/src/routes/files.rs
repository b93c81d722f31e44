//! FILES: bytes on their way in and out, in pieces; a whole file is never in memory.

use std::{
    future::ready,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::http::{HeaderValue, StatusCode, header};
use futures_util::{StreamExt, TryStreamExt};
use parking_lot::Mutex;
use wechaty_file_box::{FileBoxError, UuidStore};

use super::does;
use crate::{
    Scope, answer,
    call::Call,
    fault::too_large,
    part::{self, Known},
    problem::Problem,
    route::{Done, Gives, Kind, Param, Route, Takes},
};

const TAG: &str = "files";

/// Its routes.
pub(crate) const ROUTES: &[Route] = &[
    Route::post(
        "/upload",
        "upload",
        "Keeps a file for half an hour; its id can be sent as `{\"file\": {\"id\": …}}`",
        upload,
    )
    .of(TAG, Scope::Send)
    .query(&[Param { name: "name", what: "What it is called; its ending tells what it is", kind: Kind::Text(255) }])
    .takes(Takes::Bytes)
    .gives(Gives::Created("Upload")),
    Route::get("/download/{id}", "download", "An uploaded file", download).of(TAG, Scope::Read).gives(Gives::Bytes),
];

does! {
    upload = take;
    download = give;
}

async fn take(mut call: Call) -> Done {
    let options = call.rest.options();
    let limit = options.largest_file.min(options.upload_bytes);
    let declared = call.parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|size: u64| size > limit) {
        return Err(too_large(limit));
    }
    let body = std::mem::take(call.body.get_mut());
    let (uploads, clock) = (call.rest.uploads(), call.bot().clock());
    let room = Arc::new(Mutex::new(uploads.room(clock, declared)?));
    let (size, over) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(None)));
    let (counted, noted, taken) = (size.clone(), over.clone(), room.clone());
    let bytes = body.into_data_stream().map_err(io::Error::other).map(move |piece| {
        let piece = piece?;
        let all = counted.fetch_add(piece.len() as u64, Ordering::Relaxed) + piece.len() as u64;
        let too_much = if all > limit {
            Some(Over::File)
        } else if !taken.lock().grow(all) {
            Some(Over::All)
        } else {
            return Ok(piece);
        };
        *noted.lock() = too_much;
        Err(io::Error::other("there is no room for the file"))
    });
    let id = match uploads.folder(clock)?.save(bytes.boxed()).await {
        Ok(id) => id,
        Err(error) => return Err(not_kept(error, over.lock().take(), limit, || uploads.no_room(clock))),
    };
    let name = wechaty_file_box::base_name(call.asked("name").unwrap_or_default(), "file");
    let size = size.load(Ordering::Relaxed);
    let room = Arc::into_inner(room).ok_or_else(|| Problem::internal("an upload is still being read"))?.into_inner();
    uploads.keep(clock, room, id.clone(), name.clone(), size);
    answer::with(StatusCode::CREATED, &serde_json::json!({ "id": id, "name": name, "size": size }))
}

/// What an upload is too much for.
enum Over {
    /// For one file.
    File,
    /// For all of them.
    All,
}

/// Why a file is not kept.
fn not_kept(error: FileBoxError, over: Option<Over>, limit: u64, no_room: impl FnOnce() -> Problem) -> Problem {
    match (over, error) {
        (Some(Over::File), _) => too_large(limit),
        (Some(Over::All), _) => no_room(),
        (None, FileBoxError::Io { source, .. }) if source.get_ref().is_some() => {
            tracing::debug!(error = %source, "an upload broke off");
            Problem::new(StatusCode::BAD_REQUEST, "W400", "http-broken-off")
        }
        (None, error) => error.into(),
    }
}

async fn give(call: Call) -> Done {
    let id = call.at("id");
    let bytes = call.rest.uploads().folder(call.bot().clock())?.load(id).await?;
    let upload = call.rest.uploads().get(id);
    let known = Known {
        size: upload.as_ref().map(|upload| upload.size),
        tag: id,
        kind: HeaderValue::from_static("application/octet-stream"),
        name: upload.as_ref().map_or("file", |upload| &upload.name),
    };
    part::answer(&call, known, ready(Ok(bytes))).await
}
