use std::time::Duration;

use awc::error::PayloadError;
use awc::http::{Method, Uri, header, uri};
use awc::{Client, ClientRequest, ClientResponse, Connector};
use bytes::Bytes;
use futures::Stream;

use super::connect::Connect;
use super::port::{NoSuchPort, default_port, port};
use super::{ExtraHeaders, Fault, OutgoingProxy, UpstreamOptions, confided};
use crate::trace::{self, TraceContext};

/// What upstream, and a proxy before it, see as `User-Agent`.
pub(super) const USER_AGENT: &str = concat!("edge-proxy/", env!("CARGO_PKG_VERSION"));

/// How long a connection may idle before it is not used again: under the 75 s and 60 s that proxies before Flagsmith
/// close after, above the poll period of 10 s.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

/// Sends of one request when kept connections turn out to be closed.
const MAX_SENDS: usize = 3;

/// A client of one origin. Belongs to the thread that makes it; a clone shares its connections. It follows no redirect (awc's own
/// redirect layer would send `X-Environment-Key` along to any host) and sets no timeout but for connecting: callers bound the
/// whole call, body included.
#[derive(Clone)]
pub struct UpstreamClient {
    client: Client,
    /// For every request.
    headers: ExtraHeaders,
    /// What it goes through, which hears its own credentials and may answer in upstream's place.
    proxy: Option<OutgoingProxy>,
    needs_tls: bool,
}

impl UpstreamClient {
    /// For URLs of this one's origin. One connection may take `connect_timeout`, from the look-up of a name to the end of the
    /// last TLS handshake.
    pub(super) fn new(options: &UpstreamOptions, url: &Uri, connect_timeout: Duration) -> Self {
        let connect = Connect::new(options, url, connect_timeout);
        let proxy = connect.proxy.clone();
        let needs_tls = connect.is_tls || connect.proxy.as_ref().is_some_and(OutgoingProxy::is_tls);
        let connector = Connector::new()
            .connector(connect)
            // Ours ends before, and says what it waited for.
            .timeout(connect_timeout.saturating_mul(2))
            .conn_keep_alive(IDLE_CONNECTION)
            .conn_lifetime(options.connection_lifetime)
            // Environments are fetched one at a time each: their number is the bound.
            .limit(0);
        let client = Client::builder()
            .connector(connector)
            .disable_redirects()
            .disable_timeout()
            .add_default_header((header::USER_AGENT, USER_AGENT))
            .finish();
        Self {
            client,
            headers: options.headers.clone(),
            proxy,
            needs_tls,
        }
    }

    /// Whether its connections speak TLS with anybody.
    pub(super) fn needs_tls(&self) -> bool {
        self.needs_tls
    }

    /// Whether a text repeats a value of what each request carries, or the credentials of the proxy.
    pub(super) fn is_secret_in(&self, text: &str) -> bool {
        let authorization = self.proxy.as_ref().and_then(OutgoingProxy::authorization);
        let authorization = authorization.and_then(|value| std::str::from_utf8(value).ok());
        self.headers.is_secret_in(text)
            || authorization.is_some_and(|value| confided::is_repeated_in(text, value))
    }

    /// Sends a GET of this URL, which is of the client's origin, with what `complete` adds. A kept connection that upstream
    /// has closed meanwhile costs another attempt.
    ///
    /// # Errors
    /// Why there is no head of an answer.
    pub async fn get(
        &self,
        url: &Uri,
        complete: &dyn Fn(ClientRequest) -> ClientRequest,
    ) -> Result<ClientResponse<impl Stream<Item = Result<Bytes, PayloadError>> + Unpin + use<>>, Fault> {
        let mut sends = 0;
        loop {
            sends += 1;
            match complete(self.request(Method::GET, url)?).send().await {
                Ok(response) => return Ok(response),
                Err(error) => match Fault::of_sending(&error) {
                    Fault::ClosedMeanwhile if sends < MAX_SENDS => {}
                    fault => return Err(fault),
                },
            }
        }
    }

    /// Sends a POST that may be repeated to this URL, which is of the client's origin, with what `complete` adds.
    ///
    /// # Errors
    /// Why there is no head of an answer.
    pub async fn post(
        &self,
        url: &Uri,
        complete: &dyn Fn(ClientRequest) -> ClientRequest,
        body: &Bytes,
    ) -> Result<ClientResponse<impl Stream<Item = Result<Bytes, PayloadError>> + Unpin + use<>>, Fault> {
        self.send((&Method::POST, url), complete, body, true).await
    }

    /// Sends a request with a body to this URL, which is of the client's origin, with what `complete` adds. Where it may be
    /// repeated, a kept connection that upstream has closed meanwhile costs another attempt.
    ///
    /// That a kept connection ends in place of an answer does not tell whether upstream has read the request: HTTP has no other
    /// sign (RFC 9110, 9.2.2). What must not be done twice hence goes over a new connection, which no server closes for having
    /// been idle, and is never sent again.
    ///
    /// # Errors
    /// Why there is no head of an answer.
    pub(super) async fn send(
        &self,
        (method, url): (&Method, &Uri),
        complete: &dyn Fn(ClientRequest) -> ClientRequest,
        body: &Bytes,
        is_repeatable: bool,
    ) -> Result<ClientResponse<impl Stream<Item = Result<Bytes, PayloadError>> + Unpin + use<>>, Fault> {
        let mut sends = 0;
        loop {
            sends += 1;
            let request = complete(self.request(method.clone(), url)?);
            match request.send_body(body.clone()).await {
                Ok(response) => return Ok(response),
                Err(error) => match Fault::of_sending(&error) {
                    Fault::ClosedMeanwhile if is_repeatable && sends < MAX_SENDS => {}
                    fault => return Err(fault),
                },
            }
        }
    }

    fn request(&self, method: Method, url: &Uri) -> Result<ClientRequest, Fault> {
        // awc would take a port that there is not for none.
        let called = as_awc_calls(url).ok_or_else(|| Fault::NameUnknown(format!("the URL {NoSuchPort}")))?;
        let request = self.client.request(method, called);
        // awc's own decoder knows no bound.
        let mut request = request.no_decompress();
        for (name, value) in self.headers.iter() {
            request = request.insert_header((name.clone(), value.clone()));
        }
        if let Some(host) = host(url) {
            // awc leaves the ports 80 and 443 out, whatever the scheme is.
            request = request.insert_header((header::HOST, host));
        }
        // Of what this thread works on, where that is traced: upstream's spans become a part of it.
        for (name, value) in trace::current().iter().flat_map(TraceContext::fields) {
            request = request.insert_header((name, value));
        }
        Ok(request)
    }
}

/// RFC 9110, 7.2: without the port where it is the scheme's own.
fn host(url: &Uri) -> Option<String> {
    let host = url.host()?;
    Some(match port(url).filter(|port| Some(*port) != default_port(url)) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// The same URL as plain http: our connector makes TLS itself, and awc is to make none over it.
fn as_awc_calls(url: &Uri) -> Option<Uri> {
    let port = port(url)?;
    uri::Builder::new()
        .scheme("http")
        .authority(format!("{}:{port}", url.host()?))
        .path_and_query(url.path_and_query()?.clone())
        .build()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_requests_and_a_proxy_are_told_in_confidence_is_secret() {
        let mut options = UpstreamOptions::new("http://upstream.test/api/v1/");
        options
            .headers
            .add("Authorization", "Bearer s3cr3t-gateway")
            .unwrap();
        options.proxies.http = OutgoingProxy::parse("http://corp:pr0xy-pass@proxy.test:1").ok();
        let url: Uri = "http://upstream.test/".parse().unwrap();
        let client = UpstreamClient::new(&options, &url, Duration::from_secs(1));
        for said in [
            "no S3CR3T-GATEWAY",
            "no Y29ycDpwcjB4eS1wYXNz",
            "not PR0XY-PASS",
            "no user Corp",
        ] {
            assert!(client.is_secret_in(said), "{said}");
        }
        assert!(!client.is_secret_in("Organisation is disabled from serving flags."));
    }

    #[test]
    fn the_host_is_named_with_the_port_that_its_scheme_does_not_say() {
        for (url, called, named) in [
            ("http://a/x?y", "http://a:80/x?y", "a"),
            ("http://a:443/", "http://a:443/", "a:443"),
            ("https://user@a", "http://a:443/", "a"),
            ("https://[::1]:80/", "http://[::1]:80/", "[::1]:80"),
            ("https://a:/", "http://a:443/", "a"),
        ] {
            let url: Uri = url.parse().unwrap();
            assert_eq!(as_awc_calls(&url).unwrap(), called, "{url}");
            assert_eq!(host(&url).unwrap(), named, "{url}");
        }
        assert_eq!(as_awc_calls(&Uri::from_static("http://a:99999/")), None);
    }
}
