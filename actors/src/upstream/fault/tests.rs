use super::*;

#[test]
fn a_fault_is_found_in_the_errors_that_carry_it() {
    let io = || io::Error::from(Fault::TooManyFields);
    for error in [
        SendRequestError::Connect(ConnectError::Io(io())),
        SendRequestError::Send(io()),
        SendRequestError::Response(io().into()),
    ] {
        assert_eq!(Fault::of_sending(&error), Fault::TooManyFields, "{error:?}");
    }
    for error in [PayloadError::Io(io()), PayloadError::Incomplete(Some(io()))] {
        assert_eq!(Fault::of_body(&error), Fault::TooManyFields, "{error:?}");
    }
}

#[test]
fn what_a_server_says_of_the_handshake_has_its_name() {
    use AlertDescription as Alert;
    let refused = |said: &str| Fault::ClientCertificateRefused(said.to_owned());
    for (alert, expected) in [
        (Alert::CertificateRequired, Fault::ClientCertificateRequired),
        (Alert::UnknownCA, refused("UnknownCA")),
        (Alert::BadCertificate, refused("BadCertificate")),
        (Alert::CertificateExpired, refused("CertificateExpired")),
        (Alert::HandshakeFailure, Fault::HandshakeRefused),
        (Alert::ProtocolVersion, Fault::TlsVersion),
        (
            Alert::InternalError,
            Fault::Tls("received fatal alert: InternalError".to_owned()),
        ),
    ] {
        let error = io::Error::other(rustls::Error::AlertReceived(alert));
        assert_eq!(Fault::of_handshake(&error), expected);
        assert_eq!(Fault::of_sending(&SendRequestError::Send(error)), expected);
    }
}

/// One that has no version of TLS which is spoken here may say so, or answer with its own.
#[test]
fn a_server_of_old_versions_of_tls_is_told_of_those_that_are_spoken() {
    for why in [
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion),
        rustls::Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
    ] {
        assert_eq!(Fault::of_handshake(&io::Error::other(why)), Fault::TlsVersion);
    }
    let message = Fault::TlsVersion.to_string();
    assert!(
        message.contains("TLS 1.2") && message.contains("TLS 1.3"),
        "{message}"
    );
}

#[test]
fn every_message_says_what_to_do() {
    let why = || "why".to_owned();
    for fault in [
        Fault::NameUnknown(why()),
        Fault::Refused,
        Fault::Unreachable,
        Fault::System(why()),
        Fault::Late(Stage::Name),
        Fault::Late(Stage::Connect),
        Fault::Late(Stage::Handshake),
        Fault::Late(Stage::Head),
        Fault::Late(Stage::Body),
        Fault::Late(Stage::Memory),
        Fault::CertificateExpired,
        Fault::CertificateNotYetValid,
        Fault::CertificateForAnotherHost,
        Fault::CertificateAuthorityUnknown,
        Fault::CertificateOfAuthority,
        Fault::Certificate(why()),
        Fault::TlsVersion,
        Fault::TlsSpokenToHttp,
        Fault::HttpSpokenToTls,
        Fault::TlsClosed,
        Fault::Tls(why()),
        Fault::TlsFile("upstream.ca_file holds nothing; correct it".to_owned()),
        Fault::ClientCertificateRequired,
        Fault::ClientCertificateRefused(why()),
        Fault::HandshakeRefused,
        Fault::Proxy(ProxyFault::NotReached(Box::new(Fault::Refused))),
        Fault::Proxy(ProxyFault::CredentialsMissing),
        Fault::Proxy(ProxyFault::CredentialsRefused),
        Fault::Proxy(ProxyFault::AnotherAuthentication),
        Fault::Proxy(ProxyFault::Refused(403)),
        Fault::Proxy(ProxyFault::Failed(502)),
        Fault::Proxy(ProxyFault::Late),
        Fault::Proxy(ProxyFault::Closed),
        Fault::Proxy(ProxyFault::NotHttp),
        Fault::Proxy(ProxyFault::HeadTooLarge),
        Fault::Closed,
        Fault::ClosedMeanwhile,
        Fault::Cut,
        Fault::NotHttp,
        Fault::HeadTooLarge,
        Fault::TooManyFields,
        Fault::UnreadableLength,
        Fault::TransferCoding,
        Fault::Chunks,
        Fault::ContentCoding,
    ] {
        let message = fault.to_string();
        let (what, to_do) = message.split_once("; ").unwrap();
        assert!(!what.is_empty() && !to_do.is_empty(), "{message}");
    }
}
