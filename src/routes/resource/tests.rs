//! Every method at both spellings of a path.
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, web::Path};

use super::*;

async fn text(answer: &'static str) -> Outcome {
    Ok(HttpResponse::Ok().body(answer))
}

/// Sends one request to a resource at `/things/{name}`: status, `Allow` and body.
async fn ask(resource: Resource<impl Handlers>, method: Method, path: &str) -> (u16, String, String) {
    let app = init_service(App::new().configure(|table| resource.register(table))).await;
    let answer = call_service(&app, TestRequest::with_uri(path).method(method).to_request()).await;
    let allow = answer
        .headers()
        .get(ALLOW)
        .map(|allow| allow.to_str().unwrap().to_owned());
    let status = answer.status().as_u16();
    let body = String::from_utf8(read_body(answer).await.to_vec()).unwrap();
    (status, allow.unwrap_or_default(), body)
}

fn every_method() -> Resource<impl Handlers> {
    resource("/things/{name}")
        .get(|_| text("GET"))
        .head(|_| text("HEAD"))
        .post(|_, _| text("POST"))
        .on(Verb::Put, |_, _| text("PUT"))
        .on(Verb::Delete, |_, _| text("DELETE"))
}

#[actix_web::test]
async fn each_method_has_its_handler_at_both_spellings() {
    for path in ["/things/a", "/things/a/"] {
        for verb in Verb::ALL {
            let method = Method::from_bytes(verb.name().as_bytes()).unwrap();
            assert_eq!(Verb::of(&method), Some(verb));
            let (status, _, body) = ask(every_method(), method, path).await;
            assert_eq!((status, body.as_str()), (200, verb.name()), "{path}");
        }
    }
}

#[actix_web::test]
async fn allow_names_every_method_there_is() {
    let all = "GET, HEAD, POST, PUT, DELETE, OPTIONS";
    for (method, status) in [(Method::OPTIONS, 200), (Method::PATCH, 405), (Method::TRACE, 405)] {
        let (answered, allow, _) = ask(every_method(), method, "/things/a").await;
        assert_eq!((answered, allow.as_str()), (status, all));
    }
    let only_post = || resource("/things/{name}").post(|_, _| text("POST"));
    for method in [Method::GET, Method::HEAD, Method::PUT] {
        let (status, allow, _) = ask(only_post(), method, "/things/a").await;
        assert_eq!((status, allow.as_str()), (405, "POST, OPTIONS"));
    }
}

#[actix_web::test]
async fn get_answers_head_and_reads_the_paths_parameter() {
    let named = || {
        resource("/things/{name}").get(|request| async move {
            let name = Path::<String>::extract(&request).await.unwrap();
            Ok(HttpResponse::Ok().body(name.into_inner()))
        })
    };
    for method in [Method::GET, Method::HEAD] {
        let (status, _, body) = ask(named(), method, "/things/a%20b/").await;
        assert_eq!((status, body.as_str()), (200, "a b"));
    }
    let (_, allow, _) = ask(named(), Method::OPTIONS, "/things/a").await;
    assert_eq!(allow, "GET, HEAD, OPTIONS");
}
