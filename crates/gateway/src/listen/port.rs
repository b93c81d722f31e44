//! The port: the one asked for, or the first that is free from Wechaty's own on.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use tokio::net::{TcpListener, TcpSocket};

/// Where Wechaty's gateways listen.
pub const PORT: u16 = 8788;
/// Who has connected and waits to be accepted. With a short queue, a crowd makes everybody wait for seconds.
const QUEUE: u32 = 4096;
/// So many ports are tried.
const TRIES: u16 = 100;

/// Takes this port of the address; without one, [`PORT`] or the next that is free.
///
/// Needs a runtime.
///
/// # Errors
/// The system's, for the last port that was tried.
pub fn bind(ip: IpAddr, port: Option<u16>) -> io::Result<TcpListener> {
    if let Some(port) = port {
        return listener(SocketAddr::new(ip, port));
    }
    first_free(ip, PORT, TRIES)
}

fn first_free(ip: IpAddr, first: u16, tries: u16) -> io::Result<TcpListener> {
    let mut taken = io::Error::from(io::ErrorKind::AddrInUse);
    for port in (first..=u16::MAX).take(tries.into()) {
        match listener(SocketAddr::new(ip, port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => taken = error,
            other => return other,
        }
    }
    Err(taken)
}

fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Elsewhere it means that two may have the port.
    if cfg!(unix) {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(address)?;
    socket.listen(QUEUE)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn a_port_that_is_taken_is_passed_over_only_where_nobody_asked_for_it() {
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let taken = bind(ip, Some(0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_eq!(bind(ip, Some(port)).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert_eq!(first_free(ip, port, 1).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert_ne!(bind(ip, None).unwrap().local_addr().unwrap().port(), port);
    }
}
