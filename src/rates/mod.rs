//! Asks a provider for exchange rates, in CoinGecko's simple-price format:
//! `{"bitcoin":{"eur":91234.5,"usd":99000}}`. Over the web directly, or through Tor by another dial.

use std::time::Duration;

use bytes::Bytes;
use http::{Uri, header};
use serde_json::Value;

use crate::domain::fiat::{Currency, Rate};
use crate::lightning::dial::Dial;
use crate::web::{self, Server};

/// Between two fetches.
pub const INTERVAL: Duration = Duration::from_secs(600);

/// Where rates come from.
#[derive(Clone, Debug)]
pub struct Provider {
    url: Uri,
    server: Server,
}

impl Provider {
    /// The provider at `url`, an `https://` (or `http://`, for one's own machine and for onion
    /// services) address without the query.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn new(url: &str, dial: Dial) -> Result<Self, String> {
        Ok(Self { url: parse(url)?, server: Server::new(dial) })
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
        let codes: Vec<String> = currencies.iter().map(|currency| currency.code().to_lowercase()).collect();
        let request = http::Request::get(format!("{}?ids=bitcoin&vs_currencies={}", self.url, codes.join(",")))
            .header(header::ACCEPT, "application/json")
            .body(Bytes::new())
            .map_err(|error| error.to_string())?;
        let answer = self.server.ask(request).await?;
        if answer.is_success() { read(&answer.body, currencies) } else { Err(answer.problem()) }
    }
}

fn parse(url: &str) -> Result<Uri, String> {
    let url = web::parse(url)?;
    if url.query().is_none() { Ok(url) } else { Err("the URL must have no query".to_owned()) }
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
