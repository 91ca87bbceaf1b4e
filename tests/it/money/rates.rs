//! Exchange rates: shown when they are known and fresh, and never waited for.

use std::sync::Arc;

use ip2tor_shop::background;
use ip2tor_shop::domain::fiat::RateRules;
use ip2tor_shop::domain::fiat::{Currency, InvoiceRates};
use ip2tor_shop::lightning::dial::Dial;
use ip2tor_shop::rates::Provider;
use ip2tor_shop::services::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::money::rig::{Rig, Setup};

const ANSWER: &str = r#"{"bitcoin":{"eur":90000,"usd":100000.5}}"#;

async fn rig() -> Rig {
    let (tax, info) = (Currency::EUR, Currency::parse("USD").expect("a currency"));
    let rules = RateRules { tax, info, max_age_secs: 3600 };
    let setup = Setup::default();
    Rig::new(Setup { settings: Settings { rates: Some(rules), ..setup.settings }, ..setup }).await
}

/// A provider that answers once; the receiver gets the request.
async fn provider(answer: &'static str) -> (Provider, oneshot::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/api/v3/simple/price", listener.local_addr().expect("an address"));
    let (sender, request) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let mut buffer = vec![0; 4096];
        let read = stream.read(&mut buffer).await.expect("a request");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", answer.len());
        stream.write_all(format!("{head}{answer}").as_bytes()).await.expect("written");
        let _ = sender.send(String::from_utf8_lossy(&buffer[..read]).into_owned());
    });
    (Provider::new(&url, Dial::direct()).expect("a provider"), request)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_keeps_the_rates_of_its_creation() {
    let rig = rig().await;
    let (provider, request) = provider(ANSWER).await;
    rig.tasks.spawn(background::rates::run(rig.shop.clone(), Arc::new(provider)));
    let asked = request.await.expect("it is asked");
    assert!(asked.starts_with("GET /api/v3/simple/price?ids=bitcoin&vs_currencies=eur,usd HTTP/1.1"), "{asked}");
    rig.wait_until("the rates are stored", || rig.count("SELECT count(*) FROM rate") == 2).await;

    let (order, _) = rig.ordered().await;
    let invoice = rig.view(order).purchase.invoice;
    let fields = invoice.rates.fields(invoice.amount);
    assert_eq!(
        (fields.tax_currency_ex_rate.as_str(), fields.info_currency_ex_rate.as_str()),
        ("90000.00", "100000.50")
    );
    assert_eq!((fields.price_in_tax_currency.as_str(), fields.price_in_info_currency.as_str()), ("€0.02", "$0.03"));

    rig.clock.advance_secs(-7200);
    rig.check_in().await;
    let (earlier, _) = rig.ordered().await;
    assert_eq!(rig.view(earlier).purchase.invoice.rates, InvoiceRates::default(), "of unknown age");
    rig.clock.advance_secs(7200);

    rig.clock.advance_secs(3601);
    rig.check_in().await;
    let (later, _) = rig.ordered().await;
    assert_eq!(rig.view(later).purchase.invoice.rates, InvoiceRates::default(), "stale rates are hidden");
    assert_eq!(rig.view(order).purchase.invoice.rates, invoice.rates, "frozen");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_order_waits_for_a_provider_that_fails() {
    let rig = rig().await;
    let (provider, request) = provider("<html>too many requests</html>").await;
    rig.tasks.spawn(background::rates::run(rig.shop.clone(), Arc::new(provider)));
    request.await.expect("it is asked");
    let (order, _) = rig.ordered().await;
    assert_eq!(rig.order_status(order), "T");
    let fields = rig.view(order).purchase.invoice.rates.fields(rig.view(order).purchase.price);
    assert_eq!((fields.tax_currency_ex_rate.as_str(), fields.price_in_tax_currency.as_str()), ("0.00", "€0.00"));
}
