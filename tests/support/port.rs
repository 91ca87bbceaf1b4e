//! Ports for servers that are ended and started again at the same address.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below those that the kernel gives to outgoing connections.
const FIRST: u16 = 10_500;
const COUNT: u16 = 21_500;

/// A free port that stays free while its server is down: no outgoing connection takes it, and nobody
/// else in this test binary is given it.
pub fn free_port() -> u16 {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(fastrand::u16(..COUNT)));
    let mut candidates = (0..1000).map(|_| FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    candidates.find(is_free).expect("a free port")
}
