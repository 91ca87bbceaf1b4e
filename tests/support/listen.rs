//! A test's shop on a port of its own, for clients that need a network.

use std::net::SocketAddr;
use std::sync::Arc;

use ip2tor_shop::http::server::connection_limiter::ConnectionLimiter;
use ip2tor_shop::http::server::limits::ConnectionLimits;
use ip2tor_shop::http::server::listener::Listener;
use poem::listener::{Acceptor, Listener as _, TcpListener};

use super::TestShop;

/// Serves the shop until the test ends.
pub async fn listen(shop: &TestShop, limits: ConnectionLimits) -> SocketAddr {
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.expect("a port");
    let address = *acceptor.local_addr()[0].as_socket_addr().expect("an address");
    let app = Arc::clone(&shop.app);
    let listener = Listener::new(acceptor, app, ConnectionLimiter::new(limits));
    tokio::spawn(async move { listener.serve(std::future::pending()).await });
    address
}
