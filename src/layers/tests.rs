//! The layers around routes that answer in every way there is.
use actix_web::body::SizedStream;
use actix_web::http::Method;
use actix_web::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_METHOD};
use actix_web::test::{TestRequest, call_service, init_service, try_call_service};
use actix_web::{HttpResponse, error, web};
use actors::lifeline::Lifelines;
use bytes::Bytes;
use futures::stream;

use super::observe::recorder::Recorder;
use super::*;
use crate::budget::ByteBudget;
use crate::settings::AllowedOrigins;

fn layers(recorder: &Recorder) -> (Layers, Arc<ServiceState>) {
    let state = Arc::new(ServiceState::new(Lifelines::new()));
    let layers = Layers {
        options: Live::new(LayerOptions {
            origins: AllowedOrigins::Any,
            observers: Observers::recording(recorder),
        }),
        closing_answers: ClosingAnswers::new(Arc::clone(&state)),
        overload: Overload::new(
            &Budgets {
                request_bodies: ByteBudget::new(0),
                unsent_answers: ByteBudget::new(1),
            },
            "",
        ),
    };
    (layers, state)
}

fn routes(table: &mut web::ServiceConfig) {
    let empty = || stream::empty::<Result<Bytes, actix_web::Error>>();
    table
        .route("/things/{key}", web::get().to(|| async { "hello" }))
        .route(
            "/stream",
            web::get().to(move || async move { HttpResponse::Ok().streaming(empty()) }),
        )
        .route(
            "/sized",
            web::get().to(move || async move { HttpResponse::Ok().body(SizedStream::new(7, empty())) }),
        )
        .service(
            web::scope("/fails")
                .wrap_fn(|_, _| async { Err::<ServiceResponse, _>(error::ErrorImATeapot("refused")) })
                .route("", web::get().to(HttpResponse::Ok)),
        );
}

#[actix_web::test]
async fn the_observers_hear_of_every_request() {
    let recorder = Recorder::default();
    let app = init_service(layers(&recorder).0.around(App::new().configure(routes))).await;
    let preflight = || {
        TestRequest::with_uri("/things/secret")
            .method(Method::OPTIONS)
            .insert_header((ACCESS_CONTROL_REQUEST_METHOD, "GET"))
    };
    let odd = Method::from_bytes(b"SECRET").unwrap();
    for (request, expected) in [
        (
            TestRequest::with_uri("/things/secret?x=y"),
            "GET /things/{key} 200 Some(5)",
        ),
        (TestRequest::with_uri("/stream"), "GET /stream 200 None"),
        (TestRequest::with_uri("/sized"), "GET /sized 200 Some(7)"),
        (TestRequest::with_uri("/nowhere/secret"), "GET - 404 Some(0)"),
        (
            TestRequest::with_uri("/nowhere").method(odd),
            "OTHER - 404 Some(0)",
        ),
        (preflight(), "OPTIONS /things/{key} 200 Some(0)"),
        (TestRequest::with_uri("/fails"), "GET - 418 None"),
    ] {
        let _ = try_call_service(&app, request.to_request()).await;
        assert_eq!(recorder.take(), [expected]);
    }
}

#[actix_web::test]
async fn a_drain_closes_what_the_layers_answer_themselves_too() {
    let (layers, state) = layers(&Recorder::default());
    let app = init_service(layers.around(App::new().configure(routes))).await;
    for keeps_alive in [true, false] {
        if !keeps_alive {
            state.start_draining();
        }
        for request in [
            TestRequest::with_uri("/things/a"),
            TestRequest::with_uri("/things/a")
                .method(Method::OPTIONS)
                .insert_header((ACCESS_CONTROL_REQUEST_METHOD, "GET")),
        ] {
            let answer = call_service(&app, request.to_request()).await;
            assert!(answer.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
            assert_eq!(answer.response().head().keep_alive(), keeps_alive);
        }
    }
}
