//! A tiny HTTP server on loopback: answers by path what a test told it, and keeps the requests.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Raw requests, in order.
pub(crate) type Requests = Arc<Mutex<Vec<String>>>;

/// Listens until dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) requests: Requests,
    task: JoinHandle<()>,
}

impl Server {
    /// `answer` gets method and path and gives the raw response; `None` leaves the caller without one.
    pub(crate) async fn start(answer: impl Fn(&str, &str) -> Option<String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Requests::default();
        let (answer, kept) = (Arc::new(answer), requests.clone());
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (answer, kept) = (answer.clone(), kept.clone());
                tokio::spawn(async move { serve(socket, &*answer, &kept).await });
            }
        });
        Self { address, requests, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut socket: TcpStream, answer: &(dyn Fn(&str, &str) -> Option<String> + Sync), kept: &Requests) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match socket.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    kept.lock().unwrap().push(request.clone());
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match answer(method, path) {
        // The caller may have gone.
        Some(response) => {
            drop(socket.write_all(response.as_bytes()).await);
            // Without this promise it stays open: an answer that is not whole never becomes so.
            if !response.contains("Connection: close") {
                std::future::pending().await
            }
        }
        None => std::future::pending().await,
    }
}

/// A 200 with these headers (each ended by a line break) and body.
pub(crate) fn ok(headers: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
}

/// A redirect.
pub(crate) fn to(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

/// An empty answer with this status.
pub(crate) fn status(line: &str) -> String {
    format!("HTTP/1.1 {line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
}
