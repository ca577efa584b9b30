//! Ports of loopback.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context, Result, bail};

/// An error when something listens there (0 is any port that is free).
///
/// Envoy would not notice a second Envoy on its port: both would listen, and share the requests.
///
/// # Errors
/// Something listens there, or nothing may; `flag` is named as the way out.
pub fn check_free(whose: &str, port: u16, flag: &str) -> Result<()> {
    match listen(port) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "port {port} of 127.0.0.1, meant for {whose}, is taken by another program: stop that one, or choose a port with `{flag} N`"
        ),
        Err(error) => {
            Err(error).with_context(|| format!("{whose} cannot listen on 127.0.0.1:{port}"))
        }
    }
}

/// So many ports, all different, that nobody listens on now. For what has to know its own address before it listens.
///
/// # Errors
/// The system has none.
pub fn free<const N: usize>() -> Result<[u16; N]> {
    // All are held until each is known, or the same one could come twice.
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = listen(0).context("no port of 127.0.0.1 is free")?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

fn listen(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}
