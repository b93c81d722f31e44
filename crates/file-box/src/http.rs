//! Loading URL boxes: redirects by hand, so that each hop's address is checked and headers stay with their origin.

use std::{
    error::Error,
    net::SocketAddr,
    sync::{LazyLock, OnceLock},
};

use futures_util::TryStreamExt;
use reqwest::{
    Client, Method, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
    redirect::Policy,
};
use url::{Host, Url};

use crate::{
    ByteStream, FileBox, FileBoxError, LoadOptions, Result,
    address::is_public,
    name::{from_disposition, told_media},
};

/// What a server tells about a file.
pub(crate) struct Found {
    pub(crate) name: Option<String>,
    pub(crate) media_type: Option<String>,
    pub(crate) size: Option<u64>,
}

/// Resolves names and leaves out what is not public: the address that is checked is the one that is used.
struct PublicOnly;

#[derive(Debug, thiserror::Error)]
#[error("every address of the host is private")]
struct AllPrivate;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(Box::new(AllPrivate) as Box<dyn Error + Send + Sync>);
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Setting up TLS takes longer than a small file: one client for each rule about addresses serves all loads with the
/// usual limit for connecting, which no single request can set. It keeps no connection (an idle one would belong to
/// the runtime that opened it), so that each request looks its host up, and has the address checked, by itself.
fn client(name: &str, options: &LoadOptions) -> Result<Client> {
    static SHARED: [OnceLock<Client>; 2] = [const { OnceLock::new() }; 2];
    if options.connect_timeout != LoadOptions::CONNECT_TIMEOUT {
        return new_client(name, options);
    }
    let shared = &SHARED[usize::from(options.allow_private)];
    match shared.get() {
        Some(client) => Ok(client.clone()),
        None => {
            let client = new_client(name, options)?;
            Ok(shared.get_or_init(|| client).clone())
        }
    }
}

fn new_client(name: &str, options: &LoadOptions) -> Result<Client> {
    static PROVIDER: LazyLock<()> = LazyLock::new(|| {
        // Whoever was first (a `main`, a test) stays; an error only says that somebody was.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    LazyLock::force(&PROVIDER);
    let mut builder = Client::builder()
        .redirect(Policy::none())
        .connect_timeout(options.connect_timeout)
        .pool_max_idle_per_host(0)
        .no_proxy();
    if !options.allow_private {
        builder = builder.dns_resolver(std::sync::Arc::new(PublicOnly));
    }
    builder.build().map_err(|source| failure(name, "the HTTP client", source))
}

fn failure(name: &str, host: &str, source: reqwest::Error) -> FileBoxError {
    let (name, host) = (name.to_owned(), host.to_owned());
    if source.is_timeout() {
        return FileBoxError::TimedOut { name };
    }
    let mut cause: Option<&(dyn Error + 'static)> = Some(&source);
    while let Some(error) = cause {
        if error.is::<AllPrivate>() {
            return FileBoxError::PrivateAddress { host };
        }
        cause = error.source();
    }
    // The URL may hold a secret; the host is enough to act on.
    FileBoxError::Http { name, host, source: Box::new(source.without_url()) }
}

async fn request(
    method: Method,
    file: &FileBox,
    url: &Url,
    headers: &[(String, String)],
    options: &LoadOptions,
) -> Result<Response> {
    let client = client(file.name(), options)?;
    let (origin, mut at) = (url.origin(), url.clone());
    for _ in 0..=options.max_redirects {
        let host = at.host_str().unwrap_or_default().to_owned();
        let literal = match at.host() {
            Some(Host::Ipv4(v4)) => Some(v4.into()),
            Some(Host::Ipv6(v6)) => Some(v6.into()),
            _ => None,
        };
        if !options.allow_private && literal.is_some_and(|address| !is_public(address)) {
            return Err(FileBoxError::PrivateAddress { host });
        }
        let mut request = client.request(method.clone(), at.clone());
        if at.origin() == origin {
            for (name, value) in headers.iter().filter(|(name, _)| !is_of_the_connection(name)) {
                request = request.header(name, value);
            }
        }
        let response = request.send().await.map_err(|source| failure(file.name(), &host, source))?;
        // Some servers send UTF-8 here, which `to_str` would refuse.
        let next = response.headers().get(LOCATION).and_then(|next| std::str::from_utf8(next.as_bytes()).ok());
        match next {
            Some(next) if matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) => {
                let invalid = |error| FileBoxError::Invalid { what: "redirect", reason: format!("{host}: {error}") };
                at = at.join(next).map_err(|error| invalid(error.to_string()))?;
                if !matches!(at.scheme(), "http" | "https") {
                    return Err(invalid(format!("to `{}:`", at.scheme())));
                }
            }
            _ if response.status().is_success() => return Ok(response),
            _ => {
                let status = response.status().as_u16();
                return Err(FileBoxError::Status { name: file.name().to_owned(), host, status });
            }
        }
    }
    Err(FileBoxError::Redirects { name: file.name().to_owned(), limit: options.max_redirects })
}

/// Headers of the connection, which a box from outside must not set: another `Host` reaches another site.
fn is_of_the_connection(name: &str) -> bool {
    ["host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer"]
        .iter()
        .any(|own| name.eq_ignore_ascii_case(own))
        || name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("proxy-"))
}

fn media_type(response: &Response) -> Option<String> {
    let header = response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    Some(header.split(';').next()?.trim().to_owned()).filter(|media| !media.is_empty())
}

pub(crate) async fn get(
    file: &FileBox,
    url: &Url,
    headers: &[(String, String)],
    options: &LoadOptions,
) -> Result<ByteStream> {
    let response = request(Method::GET, file, url, headers, options).await?;
    let media = told_media(media_type(&response), file.media_type());
    if !options.accepts(&media) {
        return Err(file.unwanted(&media, options));
    }
    if response.content_length().is_some_and(|length| length > options.max_bytes) {
        return Err(FileBoxError::TooLarge { name: file.name().to_owned(), limit: options.max_bytes });
    }
    let (name, host) = (file.name().to_owned(), url.host_str().unwrap_or_default().to_owned());
    Ok(Box::pin(response.bytes_stream().map_err(move |source| std::io::Error::other(failure(&name, &host, source)))))
}

pub(crate) async fn head(
    file: &FileBox,
    url: &Url,
    headers: &[(String, String)],
    options: &LoadOptions,
) -> Result<Found> {
    let response = match request(Method::HEAD, file, url, headers, options).await {
        // Servers that know no HEAD are asked with GET; the body is not read.
        Err(FileBoxError::Status { status: 403 | 404 | 405 | 501, .. }) => {
            request(Method::GET, file, url, headers, options).await?
        }
        other => other?,
    };
    let header = |name| response.headers().get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    Ok(Found {
        name: header(CONTENT_DISPOSITION).and_then(from_disposition),
        media_type: media_type(&response),
        size: header(CONTENT_LENGTH).and_then(|length| length.parse().ok()),
    })
}
