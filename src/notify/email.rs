//! E-mail, over any way out. Name and password are only sent over a connection that is encrypted, or to a server near by.

use std::error::Error;
use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;

use super::mail_stream::MailStream;
use super::outcome::failed;
use crate::config::alerts::{self, MailTls};
use crate::domain::alert_message::Message;
use crate::lightning::connector::{Connector, NodeAddress};
use crate::lightning::credentials::Source;
use crate::lightning::dial::{BoxedIo, Dial};
use crate::services::alert_messages::Refusal;

/// For all of it. Mail servers may let strangers wait before they greet.
const TIME_LIMIT: Duration = Duration::from_secs(120);
/// Which protocol is meant, where a server asks.
const SMTP: &[u8] = b"smtp";

/// A mail server.
#[derive(Debug)]
pub struct Email {
    pub(super) dial: Dial,
    pub(super) config: alerts::Email,
}

impl Email {
    pub(super) fn place(&self) -> String {
        format!("{} by {}", self.config.to.join(", "), self.config.server)
    }

    pub(super) async fn send(&self, message: &Message) -> Result<(), Refusal> {
        let sent = tokio::time::timeout(TIME_LIMIT, self.deliver(message)).await;
        let sent = sent.map_err(|_| format!("the mail server has not done within {} s", TIME_LIMIT.as_secs()));
        sent.and_then(std::convert::identity).map_err(failed)
    }

    async fn deliver(&self, message: &Message) -> Result<(), String> {
        let mail = self.mail(message)?;
        let name = ClientId::Domain(self.domain()?);
        let stream = Box::new(MailStream::new(self.connect().await?));
        let mut server = AsyncSmtpConnection::connect_with_transport(stream, &name).await.map_err(said)?;
        if self.config.tls == MailTls::StartTls {
            if !server.can_starttls() {
                server.abort().await;
                return Err("the mail server offers no STARTTLS: nothing was sent".to_owned());
            }
            server.starttls(self.tls().await?, &name).await.map_err(said)?;
        }
        if let (Some(user), Some(password)) = (&self.config.user, &self.config.password) {
            let credentials = Credentials::new(user.clone(), password.read()?.reveal().to_owned());
            server.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await.map_err(said)?;
        }
        server.send(mail.envelope(), &mail.formatted()).await.map_err(said)?;
        // It has taken the message; whether it says goodbye is all the same.
        let _ = server.quit().await;
        Ok(())
    }

    fn mail(&self, message: &Message) -> Result<lettre::Message, String> {
        let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|error| format!("{text}: {error}"));
        let made_at = SystemTime::UNIX_EPOCH + Duration::from_secs(message.made_at.secs().unsigned_abs());
        let mut mail = MessageBuilder::new()
            .from(mailbox(&self.config.from)?)
            .subject(&message.title)
            .date(made_at)
            .message_id(Some(format!("<{}@{}>", message.key, self.domain()?)))
            .header(ContentType::TEXT_PLAIN)
            // Nobody is to answer it by a machine.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        for to in &self.config.to {
            mail = mail.to(mailbox(to)?);
        }
        mail.body(format!("{}\n", message.text)).map_err(|error| error.to_string())
    }

    /// The domain of the sender: the name of the machine is nobody's business.
    fn domain(&self) -> Result<String, String> {
        let from = self.config.from.parse::<Mailbox>().map_err(|error| error.to_string())?;
        Ok(from.email.domain().to_owned())
    }

    async fn connect(&self) -> Result<BoxedIo, String> {
        let alerts::Email { server, port, .. } = &self.config;
        let address = NodeAddress { host: server.clone(), port: *port };
        if self.config.tls == MailTls::Implicit {
            let certificate = self.config.certificate.clone().map(Source::File);
            let connector = Connector::new(address, certificate, self.dial.clone(), SMTP, TIME_LIMIT);
            let stream = connector.connect().await.map_err(|error| error.to_string())?;
            return Ok(Box::new(stream));
        }
        self.dial.open(server, *port).await.map_err(|error| format!("{address} can't be reached: {error}"))
    }

    async fn tls(&self) -> Result<TlsParameters, String> {
        let mut tls = TlsParameters::builder(self.config.server.clone());
        if let Some(path) = &self.config.certificate {
            let pem = Source::File(path.clone()).read("certificate").await.map_err(|error| error.to_string())?;
            let certificate = Certificate::from_pem(&pem).map_err(said)?;
            tls = tls.certificate_store(CertificateStore::None).add_root_certificate(certificate);
        }
        tls.build().map_err(said)
    }
}

/// What the mail server has said, or what has failed, down to the reason.
fn said(error: lettre::transport::smtp::Error) -> String {
    let mut text = format!("the mail server: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
