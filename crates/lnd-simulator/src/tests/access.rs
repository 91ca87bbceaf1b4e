//! Certificates and macaroons.

use std::os::unix::fs::PermissionsExt;

use fedimint_tonic_lnd::invoicesrpc::LookupInvoiceMsg;
use fedimint_tonic_lnd::invoicesrpc::invoices_client::InvoicesClient;
use fedimint_tonic_lnd::lnrpc::lightning_client::LightningClient;
use fedimint_tonic_lnd::lnrpc::{ChannelBalanceRequest, GetInfoRequest, ListInvoiceRequest, WalletBalanceRequest};
use tonic::Code;

use super::{Macaroon, Sim, start};
use crate::MACAROONS;
use ip2tor_lightning::macaroon::Macaroon as Token;

async fn get_info_with(sim: &Sim, token: &[u8]) -> tonic::Status {
    let mut client = LightningClient::with_interceptor(sim.channel().await, Macaroon::new(token));
    client.get_info(GetInfoRequest {}).await.unwrap_err()
}

#[tokio::test]
async fn the_stock_invoice_macaroon_may_not_get_info() {
    let sim = start().await;
    let mut client = sim.lightning("invoice.macaroon").await;
    let refused = client.get_info(GetInfoRequest {}).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::Unknown, "permission denied"));
    client.list_invoices(ListInvoiceRequest::default()).await.unwrap();
    let refused = client.channel_balance(ChannelBalanceRequest {}).await.unwrap_err();
    assert_eq!(refused.message(), "permission denied");
}

#[tokio::test]
async fn other_macaroons_may_get_info() {
    let sim = start().await;
    for name in ["shop.macaroon", "readonly.macaroon", "admin.macaroon"] {
        let info = sim.lightning(name).await.get_info(GetInfoRequest {}).await.unwrap().into_inner();
        assert_eq!(info.chains[0].network, "regtest");
        assert_eq!(info.identity_pubkey.len(), 66);
        assert!(info.synced_to_chain);
    }
}

#[tokio::test]
async fn a_read_only_macaroon_may_not_look_up_by_the_second_version_as_with_lnd() {
    let sim = start().await;
    let token = Macaroon::new(&sim.macaroon("readonly.macaroon"));
    let mut client = InvoicesClient::with_interceptor(sim.channel().await, token);
    let refused = client.lookup_invoice_v2(LookupInvoiceMsg::default()).await.unwrap_err();
    assert_eq!(refused.message(), "permission denied");
}

#[tokio::test]
async fn a_macaroon_of_another_node_is_refused() {
    let (sim, other) = (start().await, start().await);
    let refused = get_info_with(&sim, &other.macaroon("admin.macaroon")).await;
    assert_eq!(refused.code(), Code::Unknown);
    assert_eq!(refused.message(), "verification failed: signature mismatch after caveat verification");
}

#[tokio::test]
async fn calls_without_a_macaroon_or_with_rubbish_are_refused() {
    let sim = start().await;
    let mut bare = LightningClient::new(sim.channel().await);
    let refused = bare.get_info(GetInfoRequest {}).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::Unknown, "expected 1 macaroon, got 0"));
    assert_eq!(get_info_with(&sim, b"rubbish").await.code(), Code::Unknown);
}

#[tokio::test]
async fn a_macaroon_ends_with_its_time_before_caveat() {
    let sim = start().await;
    let admin = Token::parse(&sim.macaroon("admin.macaroon")).unwrap();
    let later = admin.clone().with_caveat("time-before 2100-01-01T00:00:00Z").encode();
    let mut client = LightningClient::with_interceptor(sim.channel().await, Macaroon::new(&later));
    client.get_info(GetInfoRequest {}).await.unwrap();
    let over = admin.with_caveat("time-before 2020-01-01T00:00:00Z").encode();
    assert!(get_info_with(&sim, &over).await.message().ends_with("macaroon has expired"));
}

#[tokio::test]
async fn calls_that_do_not_exist_are_unimplemented() {
    let sim = start().await;
    let refused = sim.lightning("admin.macaroon").await.wallet_balance(WalletBalanceRequest::default()).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn keys_and_macaroons_are_for_the_owner_alone() {
    let sim = start().await;
    let secrets = ["tls.key", "node.key", "macaroons.key", "journal.jsonl", "simulator.sock"];
    for name in MACAROONS.iter().map(|(name, _)| *name).chain(secrets) {
        let mode = std::fs::metadata(sim.dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_restart_keeps_certificate_key_and_macaroons() {
    let sim = start().await;
    let before = (sim.macaroon("tls.cert"), sim.macaroon("admin.macaroon"), sim.running.node().identity.public_key);
    let sim = sim.restart().await;
    let after = (sim.macaroon("tls.cert"), sim.macaroon("admin.macaroon"), sim.running.node().identity.public_key);
    assert_eq!(before, after);
}

#[tokio::test]
async fn an_expired_certificate_is_renewed_by_a_restart() {
    let sim = start().await;
    let before = sim.macaroon("tls.cert");
    sim.clock.advance_secs(15 * 30 * 24 * 3600);
    let sim = sim.restart().await;
    assert_ne!(sim.macaroon("tls.cert"), before);
    sim.channel().await;
}

#[tokio::test]
async fn a_renewed_certificate_is_served_to_new_connections_while_old_ones_go_on() {
    let sim = start().await;
    let mut old = sim.lightning("admin.macaroon").await;
    let before = sim.macaroon("tls.cert");
    sim.running.renew_certificate(3600).unwrap();
    assert_ne!(sim.macaroon("tls.cert"), before);
    sim.lightning("admin.macaroon").await.get_info(GetInfoRequest {}).await.unwrap();
    old.get_info(GetInfoRequest {}).await.unwrap();
    std::fs::write(sim.dir.path().join("tls.cert"), before).unwrap();
    assert!(sim.try_channel().await.is_err(), "the old certificate is no longer served");
}
