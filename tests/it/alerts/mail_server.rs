//! A mail server on loopback, as the standard has it: STARTTLS, and no name and password before it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// How it encrypts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encrypts {
    /// After STARTTLS.
    Later,
    /// At once.
    AtOnce,
    /// Never, whatever it is asked.
    Never,
}

/// The server.
#[derive(Clone)]
pub struct MailServer {
    /// Where it listens.
    pub address: SocketAddr,
    tls: TlsAcceptor,
    encrypts: Encrypts,
    /// Every line that it was told, `+` before those that came encrypted.
    heard: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    /// One for `localhost`; its certificate lies in `dir/smtp.pem` then.
    pub async fn start(dir: &Path, encrypts: Encrypts) -> Self {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        std::fs::write(dir.join("smtp.pem"), made.cert.pem()).expect("a file");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a configuration");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = Self { address, tls: TlsAcceptor::from(Arc::new(config)), encrypts, heard: Arc::default() };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move { serving.serve(stream).await });
            }
        });
        server
    }

    /// All that it was told.
    pub fn heard(&self) -> String {
        self.heard.lock().join("\n")
    }

    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        if self.encrypts == Encrypts::AtOnce {
            let stream = self.tls.accept(stream).await.ok()?;
            return self.talk(stream, true, true).await.map(drop);
        }
        if self.talk(&mut stream, false, true).await? {
            let stream = self.tls.accept(stream).await.ok()?;
            self.talk(stream, true, false).await?;
        }
        Some(())
    }

    /// Whether STARTTLS has ended it.
    async fn talk(&self, stream: impl AsyncRead + AsyncWrite + Unpin, is_secret: bool, greets: bool) -> Option<bool> {
        let mut stream = BufReader::new(stream);
        if greets {
            stream.write_all(b"220 mail.example ready\r\n").await.ok()?;
        }
        let (mut in_mail, mut line) = (false, String::new());
        loop {
            line.clear();
            stream.read_line(&mut line).await.ok().filter(|count| *count > 0)?;
            let said = line.trim_end().to_owned();
            self.heard.lock().push(format!("{}{said}", if is_secret { "+" } else { "" }));
            if in_mail {
                if said == "." {
                    in_mail = false;
                    stream.write_all(b"250 taken\r\n").await.ok()?;
                }
                continue;
            }
            let word = said.split(' ').next().unwrap_or_default().to_uppercase();
            let offers = match (is_secret, self.encrypts) {
                (true, _) => "AUTH PLAIN LOGIN",
                (false, Encrypts::Never) => "SIZE",
                (false, _) => "STARTTLS",
            };
            let answer = match word.as_str() {
                "EHLO" => format!("250-mail.example\r\n250-8BITMIME\r\n250 {offers}"),
                "STARTTLS" => "220 go ahead".to_owned(),
                "AUTH" if !is_secret => "538 not in the clear".to_owned(),
                "AUTH" => "235 welcome".to_owned(),
                "DATA" => "354 go on".to_owned(),
                "QUIT" => "221 bye".to_owned(),
                _ => "250 ok".to_owned(),
            };
            in_mail = word == "DATA";
            stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
            match word.as_str() {
                "STARTTLS" => return Some(true),
                "QUIT" => return Some(false),
                _ => {}
            }
        }
    }
}
