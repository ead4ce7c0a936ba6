//! nginx as it is set up by many, above all with the usual websocket lines, which offer an upgrade on every request.
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::harness::{Edge, Flagsmith, Front, Tally, TempFolder, ask_all, installed, mixed_requests, offers};

/// Requests with each configuration.
const REQUESTS: usize = 3000;

/// Clients at a time.
const CLIENTS: usize = 8;

/// Lines as many configurations have them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines {
    /// Within `location`.
    location: &'static str,
    /// Within `upstream`.
    upstream: &'static str,
}

const KEPT: &str = "keepalive 16;";

/// nginx asks by HTTP/1.0 then, on a new connection each time.
const PLAIN: Lines = Lines {
    location: "",
    upstream: "",
};

const KEEPING: Lines = Lines {
    location: "proxy_http_version 1.1; proxy_set_header Connection \"\";",
    upstream: KEPT,
};

/// They offer an upgrade on every request, of whatever the client offers or of nothing.
const WEBSOCKET: &str = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
                         proxy_set_header Connection \"upgrade\";";

/// They pass on what the client offers.
const WEBSOCKET_BY_A_MAP: &str = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
                                  proxy_set_header Connection $connection_upgrade;";

/// All of them.
pub(crate) const ALL_LINES: [Lines; 6] = [
    PLAIN,
    KEEPING,
    Lines {
        location: WEBSOCKET,
        upstream: "",
    },
    Lines {
        location: WEBSOCKET,
        upstream: KEPT,
    },
    Lines {
        location: WEBSOCKET_BY_A_MAP,
        upstream: "",
    },
    Lines {
        location: WEBSOCKET_BY_A_MAP,
        upstream: KEPT,
    },
];

/// Starts nginx in front of the proxy at `edge`.
pub(crate) fn start(program: &Path, folder: &TempFolder, edge: SocketAddr, lines: Lines) -> Front {
    Front::start(|port| {
        let values = [
            ("EDGE", edge.to_string()),
            ("PORT", port.to_string()),
            ("LINES", lines.location.to_owned()),
            ("KEEPALIVE", lines.upstream.to_owned()),
        ];
        let configuration = folder.fill("nginx.conf", include_str!("nginx.conf"), &values);
        let mut command = Command::new(program);
        command
            .args(["-e", "stderr", "-p"])
            .arg(folder.path())
            .arg("-c")
            .arg(configuration);
        command
    })
}

#[test]
fn no_request_is_lost_behind_nginx_as_people_set_it_up() {
    let Some(program) = installed("nginx", "nginx") else {
        return;
    };
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    let mut requests = mixed_requests(edge.address);
    requests.extend(offers());
    for lines in ALL_LINES {
        let folder = TempFolder::new();
        let nginx = start(&program, &folder, edge.address, lines);
        let tally = Tally::default();
        ask_all(nginx.address, CLIENTS, &requests, &tally, |number| {
            number < REQUESTS && !tally.is_bad()
        });
        let wrong = tally.wrong();
        assert_eq!(
            tally.answered(),
            REQUESTS,
            "{lines:?}: {} are wrong: {:#?}",
            wrong.len(),
            wrong.iter().take(10).collect::<Vec<_>>()
        );
    }
}
