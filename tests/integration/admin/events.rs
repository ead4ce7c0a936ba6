//! What pages that are open are told.
use serde_json::{Value, json};
use test_support::documents::fixture;

use super::app;
use crate::harness::{App, Connection, Request};

/// The most pages that may follow.
const MOST: usize = 16;

/// A page that follows the status.
struct Follower(Connection);

fn follow(app: &App) -> Follower {
    let admin = app.admin.unwrap();
    let mut connection = Connection::open(admin);
    connection.write_request(&Request::get("/status/events").header("Host", &admin.to_string()));
    let head = connection.read_head();
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    Follower(connection)
}

impl Follower {
    /// The next changes; `None`: the stream has ended.
    fn changes(&mut self) -> Option<Value> {
        loop {
            let frame = self.0.chunk()?;
            let mut lines = frame.lines();
            if lines.any(|line| line == "event: changes") {
                let data = frame
                    .lines()
                    .find_map(|line| line.strip_prefix("data: "))
                    .unwrap();
                return Some(serde_json::from_str(data).unwrap());
            }
        }
    }
}

#[test]
fn a_page_is_told_of_everything_once_and_of_changes_from_then_on() {
    let app = app(json!({}));
    let mut page = follow(&app);
    let first = page.changes().unwrap();
    assert_eq!(first["order"], json!(["1"]));
    let row = |changes: &Value| changes["environments"][0][1].as_str().map(str::to_owned);
    let name = fixture()["name"].as_str().unwrap().to_owned();
    assert_eq!(first["environments"][0][0], "1");
    assert!(row(&first).unwrap().contains(&name), "{first}");
    assert!(
        first["summary"].as_str().unwrap().contains("up to date"),
        "{first}"
    );
    assert!(first["process"].as_str().unwrap().contains("serving"), "{first}");

    let mut changed = fixture();
    changed["name"] = json!("Another <name>");
    app.publish(&changed);
    loop {
        let changes = page.changes().unwrap();
        assert!(changes.get("order").is_none(), "the same environments: {changes}");
        assert!(changes.get("summary").is_none(), "as well as before: {changes}");
        if row(&changes).is_some_and(|row| row.contains("Another")) {
            assert!(!row(&changes).unwrap().contains("<name>"), "escaped: {changes}");
            break;
        }
    }
}

#[test]
fn so_many_pages_follow_and_who_leaves_makes_room() {
    let app = app(json!({}));
    let mut pages: Vec<_> = (0..MOST).map(|_| follow(&app)).collect();
    for page in &mut pages {
        page.changes().unwrap();
    }
    let refused = app.ask_admin(Request::get("/status/events"));
    assert_eq!(refused.status, 503);
    assert!(refused.text().contains("close one of them"), "{}", refused.text());
    assert_eq!(app.ask_admin(Request::get("/status.json")).status, 200);
    drop(pages.pop());
    // It is found out when there is something to tell.
    app.wait_until_answered(|app| {
        let admin = app.admin.unwrap();
        let mut connection = Connection::open(admin);
        connection.write_request(&Request::get("/status/events").header("Host", &admin.to_string()));
        connection.read_head().status == 200
    });
}

#[test]
fn it_ends_with_the_process_in_good_order() {
    let mut app = app(json!({}));
    let mut page = follow(&app);
    page.changes().unwrap();
    app.ask_to_stop();
    while page.changes().is_some() {}
    app.wait();
}

#[test]
fn it_asks_for_the_token_too() {
    let app = app(json!({"token": "sesame"}));
    assert_eq!(app.ask_admin(Request::get("/status/events")).status, 401);
    let head = Request::new("HEAD", "/status/events").header("Authorization", "Bearer sesame");
    assert_eq!(app.ask_admin(head).status, 200);
}
