//! A token is in no log and in no byte that is sent back.

use std::{
    cell::RefCell,
    io::{Result, Write},
    pin::Pin,
    sync::{Arc, Mutex, Once},
    task::{Context, Poll},
    thread,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    runtime,
    sync::oneshot,
};
use tracing_subscriber::{
    Layer as _, Registry,
    filter::dynamic_filter_fn,
    fmt::{self, MakeWriter},
    layer::SubscriberExt as _,
};

use crate::door::{Gateway, SECOND, TOKEN, Wish, bare};

/// What stands behind the name of each token, and of one that is wrong.
const SECRETS: [&str; 3] = ["1b9d6bcd-bbfd", "9b1deb4d-3b7d", "7c9e6679-7425"];
const WRONG: &str = "insecure_7c9e6679-7425-40de-944b-e07fc1f90ae7";

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

thread_local! {
    /// Where the logs of this thread go.
    static LOG: RefCell<Option<Heard>> = const { RefCell::new(None) };
}

/// Hears all logs of the process, so that no test that runs beside this one decides what is logged; keeps those of
/// threads that want it.
pub(crate) fn hear() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let wanted = dynamic_filter_fn(|_, _| LOG.with_borrow(Option::is_some));
        let layer = fmt::layer().with_writer(Ears).with_filter(wanted);
        tracing::subscriber::set_global_default(Registry::default().with(layer)).unwrap();
    });
}

struct Ears;

impl MakeWriter<'_> for Ears {
    type Writer = Box<dyn Write>;
    fn make_writer(&self) -> Box<dyn Write> {
        match LOG.with_borrow(Clone::clone) {
            Some(heard) => Box::new(heard),
            None => Box::new(std::io::sink()),
        }
    }
}

impl Write for Heard {
    fn write(&mut self, buf: &[u8]) -> Result<usize> {
        self.0.lock().unwrap().extend_from_slice(buf);
        Ok(buf.len())
    }
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Heard {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// A connection that keeps what it reads.
struct Tapped(TcpStream, Heard);

impl AsyncRead for Tapped {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.0).poll_read(cx, buf);
        self.1.write_all(&buf.filled()[before..])?;
        read
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Calls from another thread, so that only the gateway is logged.
async fn called(gateway: &Gateway, path: &'static str, authority: String, header: Option<String>) -> String {
    let (address, (tell, told)) = (gateway.address, oneshot::channel());
    thread::spawn(move || {
        let client = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        client.block_on(async {
            let heard = Heard::default();
            let tapped = Tapped(TcpStream::connect(address).await.unwrap(), heard.clone());
            let headers: Vec<_> = header.iter().map(|header| ("authorization", header.as_str())).collect();
            let answer = bare(tapped, &format!("http://{authority}/{path}"), &headers).await;
            let _ = tell.send(format!("{answer} {}", heard.text()));
        });
    });
    told.await.unwrap()
}

#[tokio::test]
async fn no_log_and_no_answer_holds_a_token() {
    let log = Heard::default();
    LOG.set(Some(log.clone()));
    let gateway = Gateway::open(Wish::default()).await;
    let here = gateway.address.to_string();
    let mut answers = String::new();
    for path in ["wechaty.Puppet/Ding", "no.such/Method", "grpc.health.v1.Health/Check"] {
        for token in [TOKEN, SECOND, WRONG] {
            answers += &*called(&gateway, path, token.to_owned(), None).await;
            for scheme in ["Wechaty", "Bearer", "wechaty "] {
                let header = Some(format!("{scheme} {token}"));
                answers += &*called(&gateway, path, here.clone(), header.clone()).await;
                answers += &*called(&gateway, path, token.to_owned(), header).await;
            }
            answers += &*called(&gateway, path, here.clone(), Some(token.to_owned())).await;
        }
    }
    let log = log.text();
    assert!(log.contains("this logs all there is of a request"), "nothing was logged");
    assert!(answers.contains("grpc-status"), "nothing was answered");
    for secret in SECRETS {
        assert!(!log.contains(secret), "in a log: {}", log.lines().find(|line| line.contains(secret)).unwrap());
        assert!(!answers.contains(secret), "in an answer");
    }
}
