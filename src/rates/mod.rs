//! Asks a provider for exchange rates, in CoinGecko's simple-price format:
//! `{"bitcoin":{"eur":91234.5,"usd":99000}}`. Over the web directly, or through Tor by another dial.

use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use crate::domain::fiat::{Currency, Rate};
use crate::lightning::connector::{Connector, NodeAddress};
use crate::lightning::dial::{BoxedIo, Dial};

/// Between two fetches.
pub const INTERVAL: Duration = Duration::from_secs(600);
/// Largest answer that is read.
const MAX_ANSWER: usize = 64 * 1024;
/// Connection and answer, each.
const TIME_LIMIT: Duration = Duration::from_secs(40);

/// Where rates come from.
#[derive(Clone, Debug)]
pub struct Provider {
    url: Uri,
    dial: Dial,
}

impl Provider {
    /// The provider at `url`, an `https://` (or `http://`, for one's own machine and for onion
    /// services) address without the query.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn new(url: &str, dial: Dial) -> Result<Self, String> {
        Ok(Self { url: parse(url)?, dial })
    }

    /// Whether `url` can be asked.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(url: &str) -> Result<(), String> {
        parse(url).map(drop)
    }

    /// The rates of these currencies; those that the provider does not know are left out.
    ///
    /// # Errors
    /// One line that says what went wrong.
    pub async fn fetch(&self, currencies: &[Currency]) -> Result<Vec<Rate>, String> {
        let asked = tokio::time::timeout(TIME_LIMIT, self.ask(currencies));
        let answer = asked.await.map_err(|_| format!("no answer within {} s", TIME_LIMIT.as_secs()))??;
        read(&answer, currencies)
    }

    async fn ask(&self, currencies: &[Currency]) -> Result<Bytes, String> {
        let host = self.url.host().unwrap_or_default().to_owned();
        let codes: Vec<String> = currencies.iter().map(|currency| currency.code().to_lowercase()).collect();
        let request = http::Request::get(format!("{}?ids=bitcoin&vs_currencies={}", self.url.path(), codes.join(",")))
            .header(http::header::HOST, &host)
            .header(http::header::ACCEPT, "application/json")
            .header(http::header::USER_AGENT, "ip2tor-shop")
            .body(Empty::<Bytes>::new())
            .map_err(|error| error.to_string())?;
        let io = TokioIo::new(self.connect(host).await?);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.map_err(|e| e.to_string())?;
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(|error| error.to_string());
        let body = match answer {
            Ok(answer) if answer.status().is_success() => {
                Limited::new(answer.into_body(), MAX_ANSWER).collect().await.map_err(|error| error.to_string())
            }
            Ok(answer) => Err(format!("the provider answered with status {}", answer.status().as_u16())),
            Err(error) => Err(error),
        };
        connection.abort();
        body.map(http_body_util::Collected::to_bytes)
    }

    async fn connect(&self, host: String) -> Result<BoxedIo, String> {
        if self.url.scheme_str() == Some("http") {
            let port = self.url.port_u16().unwrap_or(80);
            return self.dial.open(&host, port).await.map_err(|error| error.to_string());
        }
        let address = NodeAddress { host, port: self.url.port_u16().unwrap_or(443) };
        let connector = Connector::new(address, None, self.dial.clone(), b"http/1.1", TIME_LIMIT);
        Ok(Box::new(connector.connect().await.map_err(|error| error.to_string())?))
    }
}

fn parse(url: &str) -> Result<Uri, String> {
    let url: Uri = url.parse().map_err(|_| format!("{url:?} is not a URL"))?;
    let has_scheme = matches!(url.scheme_str(), Some("http" | "https"));
    if has_scheme && url.host().is_some() && url.query().is_none() {
        return Ok(url);
    }
    Err("the URL must start with https:// and have no query".to_owned())
}

fn read(answer: &[u8], currencies: &[Currency]) -> Result<Vec<Rate>, String> {
    let not_rates = || "the answer has no rates in CoinGecko's simple-price format".to_owned();
    let answer: Value = serde_json::from_slice(answer).map_err(|_| not_rates())?;
    let prices = answer.get("bitcoin").ok_or_else(not_rates)?;
    let rate = |currency: &Currency| {
        let cents = (prices.get(currency.code().to_lowercase())?.as_f64()? * 100.0).round();
        // What is not a price is no rate: zero, negative, beyond all measure.
        (1.0..1e15).contains(&cents).then_some(Rate { currency: *currency, cents: cents as u64 })
    };
    Ok(currencies.iter().filter_map(rate).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currencies() -> Vec<Currency> {
        ["EUR", "USD"].into_iter().filter_map(Currency::parse).collect()
    }

    #[test]
    fn prices_become_hundredths_and_nonsense_no_rate() {
        let rates = read(br#"{"bitcoin":{"eur":91234.505,"usd":-1}}"#, &currencies()).unwrap();
        assert_eq!(rates.iter().map(|rate| rate.cents).collect::<Vec<_>>(), [9_123_451]);
        assert!(read(b"<html>", &currencies()).is_err());
        assert!(read(br#"{"status":{"error_code":429}}"#, &currencies()).is_err());
    }

    #[test]
    fn an_address_needs_a_scheme_and_no_query() {
        assert!(Provider::new("https://rates.example/api/v3/simple/price", Dial::direct()).is_ok());
        for wrong in ["rates.example", "ftp://rates.example/", "https://rates.example/?ids=bitcoin", "https://"] {
            assert!(Provider::new(wrong, Dial::direct()).is_err(), "{wrong}");
        }
    }
}
