//! What the shop demands of a node and how long it waits for it.

use std::time::Duration;

use ip2tor_domain::lightning::{Network, NodeError, NodeErrorKind};

/// Demands on a node and time limits of calls to it.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Accept a macaroon that could spend; off unless the configuration says so.
    pub allow_powerful_macaroon: bool,
    /// The only network whose invoices are accepted; `None` accepts any.
    pub expected_network: Option<Network>,
    /// For one connection, handshake included.
    pub connect_limit: Duration,
    /// For one call.
    pub call_limit: Duration,
    /// For the call that makes an invoice: a buyer waits for it.
    pub create_limit: Duration,
    /// How often an HTTP/2 connection with calls or streams in progress is probed. LND drops clients
    /// that probe more often than each 5 s, or while idle.
    pub probe_interval: Duration,
    /// How long a probe may stay unanswered before the connection counts as broken.
    pub probe_limit: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            allow_powerful_macaroon: false,
            expected_network: None,
            connect_limit: Duration::from_secs(4),
            call_limit: Duration::from_secs(10),
            create_limit: Duration::from_secs(5),
            probe_interval: Duration::from_secs(20),
            probe_limit: Duration::from_secs(10),
        }
    }
}

impl Policy {
    /// Limits for a node that is reached through Tor, where a connection alone takes seconds.
    #[must_use]
    pub fn patient(self) -> Self {
        Self {
            connect_limit: Duration::from_secs(30),
            call_limit: Duration::from_secs(40),
            create_limit: Duration::from_secs(40),
            probe_limit: Duration::from_secs(30),
            ..self
        }
    }

    /// Refuses a payment request of another network than expected.
    ///
    /// # Errors
    /// [`NodeErrorKind::WrongNetwork`].
    pub fn check_payment_request(&self, request: &str) -> Result<(), NodeError> {
        match Network::of_payment_request(request) {
            Some(network) => self.check_network(network),
            None => {
                let detail = "the node answered with something that is not a BOLT11 payment request";
                Err(NodeError::new(NodeErrorKind::Rejected, detail))
            }
        }
    }

    /// Refuses another network than expected.
    ///
    /// # Errors
    /// [`NodeErrorKind::WrongNetwork`].
    pub fn check_network(&self, network: Network) -> Result<(), NodeError> {
        match self.expected_network {
            Some(expected) if expected != network => {
                let detail = format!(
                    "wrong network: the node works on {}, the shop needs {} here",
                    network.name(),
                    expected.name()
                );
                Err(NodeError::new(NodeErrorKind::WrongNetwork, detail))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invoice_of_another_network_is_refused() {
        let policy = Policy { expected_network: Some(Network::Mainnet), ..Policy::default() };
        assert!(policy.check_payment_request("lnbc10n1abc").is_ok());
        let error = policy.check_payment_request("lnbcrt10n1abc").unwrap_err();
        assert_eq!(error.kind, NodeErrorKind::WrongNetwork);
        assert!(error.detail.contains("regtest") && error.detail.contains("mainnet"));
        assert!(Policy::default().check_payment_request("lntbs1abc").is_ok());
    }
}
