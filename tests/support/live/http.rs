//! A small HTTP/1.1 client: one request per connection, as `curl` in the scripts of buyers and
//! hosts does. An answer that was cut off is an error, never half an answer.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// No answer takes longer than this, whatever happens to the shop.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a request sends.
pub enum Body<'a> {
    None,
    Form(&'a [(&'a str, &'a str)]),
    Json(Value),
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

/// Speaks to one shop, with or without a host's token.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    /// The header that says who asks.
    authorization: Option<String>,
}

impl Client {
    /// Speaks as the public.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, authorization: None }
    }

    /// Speaks as a host.
    pub fn as_host(&self, token: &str) -> Self {
        Self { address: self.address, authorization: Some(format!("Token {token}")) }
    }

    /// Speaks as somebody who runs the shop.
    pub fn as_person(&self, name: &str, password: &str) -> Self {
        let secret = STANDARD.encode(format!("{name}:{password}"));
        Self { address: self.address, authorization: Some(format!("Basic {secret}")) }
    }

    /// Speaks as a program of somebody's who runs the shop, with a token.
    pub fn as_program(&self, token: &str) -> Self {
        Self { address: self.address, authorization: Some(format!("Bearer {token}")) }
    }

    pub fn get(&self, path: &str) -> io::Result<Answer> {
        self.send("GET", path, &Body::None)
    }

    /// Sends a request and reads the whole answer.
    pub fn send(&self, method: &str, path: &str, body: &Body<'_>) -> io::Result<Answer> {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(&self.request(method, path, body))?;
        read_answer(&mut stream)
    }

    fn request(&self, method: &str, path: &str, body: &Body<'_>) -> Vec<u8> {
        let (kind, content) = match body {
            Body::None => ("", String::new()),
            Body::Form(fields) => ("application/x-www-form-urlencoded", form(fields)),
            Body::Json(value) => ("application/json", value.to_string()),
        };
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        if let Some(authorization) = &self.authorization {
            head.push_str(&format!("Authorization: {authorization}\r\n"));
        }
        if !kind.is_empty() {
            head.push_str(&format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", content.len()));
        }
        format!("{head}\r\n{content}").into_bytes()
    }
}

/// Reads until the answer is whole: some servers leave the connection open whatever they are told.
fn read_answer(stream: &mut TcpStream) -> io::Result<Answer> {
    let (mut answer, mut piece) = (Vec::new(), [0; 16 << 10]);
    loop {
        let length = stream.read(&mut piece)?;
        answer.extend_from_slice(&piece[..length]);
        if let Some(answer) = parse(&answer) {
            return Ok(answer);
        }
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    serde_urlencoded::to_string(fields).expect("text fields can be encoded")
}

/// An answer whose body is as long as its head says.
fn parse(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length: usize = header(&head, "content-length")?.parse().ok()?;
    let body = &answer[end + 4..];
    (body.len() == length).then(|| Answer { status, head, body: String::from_utf8_lossy(body).into_owned() })
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}
