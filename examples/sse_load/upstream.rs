//! An upstream that serves one environment document, with a thread for each of the proxy's few connections.
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use engine::UpdatedAt;

/// Its document has so many features, which makes a body of flags of about 1.1 kB.
const FEATURES: usize = 10;

pub struct Upstream {
    pub address: SocketAddr,
    document: Arc<Mutex<String>>,
}

impl Upstream {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let document = Arc::new(Mutex::new(String::new()));
        let served = Arc::clone(&document);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let served = Arc::clone(&served);
                std::thread::spawn(move || answer(connection, &served));
            }
        });
        let upstream = Self { address, document };
        upstream.change();
        upstream
    }

    /// New content under a new `updated_at`.
    pub fn change(&self) -> UpdatedAt {
        let updated_at = UpdatedAt::now();
        *self.document.lock().expect("no panic while held") = document(updated_at);
        updated_at
    }
}

fn answer(mut connection: TcpStream, document: &Mutex<String>) {
    let mut lines = BufReader::new(connection.try_clone().expect("a second handle"));
    let mut line = String::new();
    while lines.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
        if line.trim().is_empty() {
            let body = document.lock().expect("no panic while held").clone();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            if connection.write_all((head + &body).as_bytes()).is_err() {
                return;
            }
        }
        line.clear();
    }
}

fn document(updated_at: UpdatedAt) -> String {
    let feature_states: Vec<_> = (1..=FEATURES)
        .map(|id| {
            serde_json::json!({
                "feature": {"id": id, "name": format!("feature_{id}"), "type": "STANDARD"},
                "enabled": true, "django_id": id, "feature_segment": null,
                "featurestate_uuid": format!("00000000-0000-0000-0000-{id:012}"),
                "feature_state_value": format!("as of {updated_at}"),
                "multivariate_feature_state_values": []
            })
        })
        .collect();
    serde_json::json!({
        "id": 1, "name": "load", "api_key": super::server::CLIENT_SIDE_KEY, "updated_at": updated_at.to_rfc3339(),
        "hide_disabled_flags": null, "hide_sensitive_data": false, "allow_client_traits": true,
        "use_identity_composite_key_for_hashing": true, "identity_overrides": [],
        "project": {
            "id": 1, "name": "load", "hide_disabled_flags": false, "enable_realtime_updates": true,
            "server_key_only_feature_ids": [], "segments": [],
            "organisation": {
                "id": 1, "name": "load", "feature_analytics": false, "stop_serving_flags": false,
                "persist_trait_data": true
            }
        },
        "feature_states": feature_states
    })
    .to_string()
}
