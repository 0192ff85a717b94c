//! Which certificates are accepted: the platform's, those of `ca_file`, or one fingerprint.

use crate::config::Server;
use rustls_platform_verifier::Verifier;
use std::{
    io,
    path::Path,
    sync::{Arc, OnceLock},
};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme, SupportedCipherSuite,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
    },
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

/// The fingerprint of the certificate that a server showed, for the hint.
pub(super) type Seen = Arc<OnceLock<String>>;

/// What is wrong before a connection is tried, and what helps.
type Refusal = (String, Option<String>);

/// Makes the TLS settings for one server.
pub(super) fn client(server: &Server) -> Result<(ClientConfig, Seen), Refusal> {
    let provider = Arc::new(ring::default_provider());
    let seen = Seen::default();
    let verifier = Trust {
        proof: proof(server, &provider)?,
        algorithms: provider.signature_verification_algorithms,
        seen: seen.clone(),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| (e.to_string(), None))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok((config, seen))
}

/// Makes the TLS settings for web services, which anybody may run: the platform says whom to trust.
pub(super) fn web() -> Result<ClientConfig, Refusal> {
    let provider = Arc::new(ring::default_provider());
    let verifier = platform(&[], &provider)?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| (e.to_string(), None))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// Makes the platform's verifier, with further authorities.
fn platform(own: &[CertificateDer<'static>], provider: &Arc<CryptoProvider>) -> Result<Verifier, Refusal> {
    Verifier::new_with_extra_roots(own.iter().cloned(), provider.clone()).map_err(|e| {
        (e.to_string(), Some("install the package `ca-certificates`, or set ca_file".to_owned()))
    })
}

/// What proves that a server is the right one.
#[derive(Debug)]
enum Proof {
    Fingerprint([u8; 32]),
    /// An authority vouches for it, or it shows one of `own` itself.
    Authority {
        verifier: Verifier,
        own: Vec<CertificateDer<'static>>,
    },
}

fn proof(server: &Server, provider: &Arc<CryptoProvider>) -> Result<Proof, Refusal> {
    if let Some(fingerprint) = server.fingerprint {
        return Ok(Proof::Fingerprint(fingerprint));
    }
    let own = server.ca_file.as_deref().map_or(Ok(Vec::new()), read_certificates)?;
    Ok(Proof::Authority { verifier: platform(&own, provider)?, own })
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Refusal> {
    let hint =
        Some("ca_file names a file of certificates in PEM, relative to the config's folder".to_owned());
    let failed = |why: String| (format!("{} cannot be read: {why}", path.display()), hint.clone());
    let found = CertificateDer::pem_file_iter(path).map_err(|e| failed(e.to_string()))?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(|e| failed(e.to_string()))?;
    if found.is_empty() { Err(failed("it holds no certificate".to_owned())) } else { Ok(found) }
}

/// Says what helps against a refused handshake.
pub(super) fn cure(server: &Server, error: &io::Error, seen: &Seen) -> Option<String> {
    let reason = error.get_ref().and_then(|e| e.downcast_ref::<Error>());
    let pin = |why: &str| {
        let fingerprint = seen.get().map_or("sha256:…", String::as_str);
        Some(format!("{why}; if it is yours, set ca_file, or fingerprint = \"{fingerprint}\""))
    };
    match reason? {
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            pin("the certificate has expired, or the clock of this machine is wrong")
        }
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => pin(&format!("the certificate is not for {}", server.host)),
        Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure) => {
            let shown = seen.get().map_or("", String::as_str);
            Some(format!("the certificate is not the one in `fingerprint`; the server shows {shown}"))
        }
        Error::InvalidCertificate(_) => pin("nobody this machine trusts has signed the certificate"),
        Error::InvalidMessage(_) => {
            Some("the server does not speak TLS on this port; it may want start_tls = true".to_owned())
        }
        _ => None,
    }
}

/// Decides about a server's certificate.
#[derive(Debug)]
struct Trust {
    proof: Proof,
    algorithms: WebPkiSupportedAlgorithms,
    seen: Seen,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let digest = sha256(end_entity);
        self.seen.get_or_init(|| digest.as_deref().map_or(String::new(), written));
        match &self.proof {
            Proof::Fingerprint(wanted) if digest.as_deref() == Some(wanted) => {
                Ok(ServerCertVerified::assertion())
            }
            Proof::Fingerprint(_) => {
                Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
            // A self-signed certificate is refused as an end entity when it calls itself an authority.
            Proof::Authority { own, .. } if own.iter().any(|one| one == end_entity) => {
                Ok(ServerCertVerified::assertion())
            }
            Proof::Authority { verifier, .. } => {
                verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Hashes with the SHA-256 of the TLS library.
fn sha256(data: &[u8]) -> Option<Vec<u8>> {
    match ring::cipher_suite::TLS13_AES_128_GCM_SHA256 {
        SupportedCipherSuite::Tls13(suite) => Some(suite.common.hash_provider.hash(data).as_ref().to_vec()),
        SupportedCipherSuite::Tls12(_) => None,
    }
}

fn written(digest: &[u8]) -> String {
    digest.iter().fold("sha256:".to_owned(), |text, octet| format!("{text}{octet:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_a_sha256() {
        let digest = sha256(b"abc").unwrap();
        assert_eq!(
            written(&digest),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
