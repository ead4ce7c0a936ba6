//! What requests cost as SDKs send them, beside a bare handler on actix-web's server and on the proxy's own.
use std::io;
use std::rc::Rc;

use bench::child::{BareOn, Server, Start};
use bench::clients::{self, Client};
use bench::comparison::{Subject, measure as measure_subjects};
use bench::documents::SIZING;
use test_support::http::ask;

use super::options::Options;
use super::report::{Asked, Report};
use super::requests::start_proxy_with;

/// The rows of a short run: kept and new connections, short and long heads.
const SHORT: [&str; 4] = [
    "client-python-flags",
    "client-python-identities",
    "client-browser-identities",
    "client-ruby-flags",
];

/// A request of a client.
struct Row<'a> {
    client: &'a Client,
    is_identity: bool,
}

impl Row<'_> {
    fn name(&self) -> String {
        let what = if self.is_identity { "identities" } else { "flags" };
        format!("client-{}-{what}", self.client.name)
    }

    fn subject(&self, server: Rc<Server>) -> Subject {
        let request = match self.is_identity {
            true => self.client.identity(server.address),
            false => self.client.flags(server.address),
        };
        Subject {
            connects_anew: self.client.connects_anew,
            ..Subject::new(server, request)
        }
    }
}

/// Measures every row that is wanted.
pub(crate) fn measure(options: &Options, report: &mut Report) -> io::Result<()> {
    let rows = clients::ALL
        .iter()
        .flat_map(|client| [false, true].map(|is_identity| Row { client, is_identity }));
    let rows: Vec<Row<'_>> = rows
        .filter(|row| options.wants(&row.name()))
        .filter(|row| !options.quick || options.only.is_some() || SHORT.contains(&row.name().as_str()))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let proxy = Rc::new(start_proxy_with(SIZING, Start::default())?);
    for row in rows {
        if let Err(error) = measure_row(&row, &proxy, options, report) {
            report.failed(&row.name(), &error);
        }
    }
    Ok(())
}

fn measure_row(row: &Row<'_>, proxy: &Rc<Server>, options: &Options, report: &mut Report) -> io::Result<()> {
    let own = row.subject(Rc::clone(proxy));
    let answer = ask(proxy.address, &own.request)?;
    if answer.status != 200 {
        return Err(io::Error::other(format!("answered {}", answer.status)));
    }
    let what = if row.is_identity {
        "POST identities"
    } else {
        "GET flags"
    };
    if let Some(build) = options.beside.as_deref() {
        let start = Start {
            build: Some(build),
            ..Start::default()
        };
        let other = row.subject(Rc::new(start_proxy_with(SIZING, start)?));
        if let [own, other] = measure_subjects(&[&own, &other], &options.plan)?.as_slice() {
            let what = format!("{what}, sizing, {}", row.client.title);
            report.compare(&row.name(), &what, own, "the other build", other);
        }
        return Ok(());
    }
    let (method, path) = match row.is_identity {
        true => ("POST", "/api/v1/identities/"),
        false => ("GET", "/api/v1/flags/"),
    };
    let bare =
        |on| io::Result::Ok(row.subject(Rc::new(Server::start_bare(on, method, path, &answer.bytes())?)));
    let (on_actix, on_proxy) = (bare(BareOn::Actix)?, bare(BareOn::Proxy)?);
    let costs = measure_subjects(&[&own, &on_actix, &on_proxy], &options.plan)?;
    if let [own_cost, on_actix, on_proxy] = costs.as_slice() {
        let asked = Asked {
            client: row.client.title,
            what,
            request: own.request.bytes().len(),
            answer: &format!(
                "{} {}",
                answer.body.len(),
                answer.header("content-encoding").unwrap_or("plain")
            ),
        };
        report.client(&row.name(), &asked, own_cost, on_actix, on_proxy);
    }
    Ok(())
}
