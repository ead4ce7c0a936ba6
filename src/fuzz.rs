//! What holds of whatever a client sends, and of whatever a configuration says: fuzz targets, see `engine::fuzz`.
use crate::{routes, server, settings};

/// A configuration file.
pub fn settings_file(data: &[u8]) {
    settings::fuzz::file(data);
}

/// Environment variables, one a line.
pub fn settings_variables(data: &[u8]) {
    settings::fuzz::variables(data);
}

/// The begin of a connection that a PROXY protocol header may begin.
pub fn proxy_header(data: &[u8]) {
    server::fuzz::proxy_header(data);
}

/// Requests as they come over a connection.
pub fn requests(data: &[u8]) {
    server::fuzz::requests(data);
}

/// The body of `analytics/flags/`, of both versions.
pub fn analytics(data: &[u8]) {
    routes::fuzz::analytics(data);
}

/// A query string.
pub fn query(data: &[u8]) {
    routes::fuzz::query(data);
}

/// A body in gzip.
pub fn gzip_body(data: &[u8]) {
    routes::fuzz::gzip_body(data);
}

/// A date of `If-Modified-Since`.
pub fn http_date(data: &[u8]) {
    routes::fuzz::http_date(data);
}

#[cfg(test)]
mod tests {
    use test_support::mutation::run;

    #[test]
    fn configuration_files() {
        run("settings_file", super::settings_file);
    }

    #[test]
    fn environment_variables() {
        run("settings_variables", super::settings_variables);
    }

    #[test]
    fn proxy_headers() {
        run("proxy_header", super::proxy_header);
    }

    #[test]
    fn requests() {
        run("requests", super::requests);
    }

    #[test]
    fn counts() {
        run("analytics", super::analytics);
    }

    #[test]
    fn queries() {
        run("query", super::query);
    }

    #[test]
    fn bodies_in_gzip() {
        run("gzip_body", super::gzip_body);
    }

    #[test]
    fn dates() {
        run("http_date", super::http_date);
    }
}
