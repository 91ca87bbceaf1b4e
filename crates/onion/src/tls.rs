//! The process-wide choice that rustls asks for.

/// Makes ring the crypto provider of rustls for this process. Neither arti nor tonic brings one.
/// May be called any number of times; the first call (or an earlier choice) stands.
pub fn install_provider() {
    // An error means that there is a provider already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
