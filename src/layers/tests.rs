//! The layers around routes that answer in every way there is.
use actix_web::body::SizedStream;
use actix_web::http::Method;
use actix_web::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_METHOD, HOST};
use actix_web::test::{TestRequest, call_service, init_service, try_call_service};
use actix_web::{HttpResponse, error, web};
use actors::lifeline::Lifelines;
use bytes::Bytes;
use futures::stream;

use super::observe::recorder::Recorder;
use super::*;
use crate::budget::ByteBudget;
use crate::routes::TableOptions;
use crate::settings::AllowedOrigins;

fn layers(recorder: &Recorder) -> (Layers, Arc<ServiceState>) {
    layers_with(Observers::recording(recorder))
}

fn layers_with(observers: Observers) -> (Layers, Arc<ServiceState>) {
    let state = Arc::new(ServiceState::new(Lifelines::new()));
    let layers = Layers {
        options: Live::new(LayerOptions {
            origins: AllowedOrigins::Any,
            observers,
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
            web::route().to(move || async move { HttpResponse::Ok().body(SizedStream::new(7, empty())) }),
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
    let mut patterns = Patterns::default();
    for pattern in ["/things/{key}", "/stream", "/sized"] {
        patterns.add(pattern);
    }
    let app = init_service(layers(&recorder).0.around(App::new().configure(routes), patterns)).await;
    let preflight = || {
        TestRequest::with_uri("/things/secret")
            .method(Method::OPTIONS)
            .insert_header((ACCESS_CONTROL_REQUEST_METHOD, "GET"))
    };
    let odd = Method::from_bytes(b"SECRET").unwrap();
    for (request, expected) in [
        (
            TestRequest::with_uri("/things/secret?x=y"),
            "GET /things/{key}/ 200 Some(5)",
        ),
        (TestRequest::with_uri("/stream"), "GET /stream/ 200 None"),
        (TestRequest::with_uri("/sized"), "GET /sized/ 200 Some(7)"),
        (
            TestRequest::with_uri("/sized").method(Method::HEAD),
            "HEAD /sized/ 200 Some(0)",
        ),
        (TestRequest::with_uri("/nowhere/secret"), "GET - 404 Some(0)"),
        (
            TestRequest::with_uri("/nowhere").method(odd),
            "OTHER - 404 Some(0)",
        ),
        (preflight(), "OPTIONS /things/{key}/ 200 Some(0)"),
        (TestRequest::with_uri("/fails"), "GET - 418 None"),
    ] {
        let _ = try_call_service(&app, request.to_request()).await;
        assert_eq!(recorder.take(), [expected]);
    }
}

#[actix_web::test]
async fn a_drain_closes_what_the_layers_answer_themselves_too() {
    let (layers, state) = layers(&Recorder::default());
    let app = init_service(layers.around(App::new().configure(routes), Patterns::default())).await;
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

/// Any request: some of them find a route, most do not.
fn random_request(random: &mut fastrand::Rng) -> TestRequest {
    const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE"];
    const PATHS: [&str; 8] = [
        "/api/v1/flags",
        "/api/v1/identities/",
        "/api/v1//flags/",
        "/api/v1/traits/bulk",
        "/sse/environments/{}/stream",
        "/api/v1/sse/environments/{}/queue-change/",
        "/proxy/health/readiness",
        "/",
    ];
    let word: String = std::iter::repeat_with(|| random.alphanumeric())
        .take(12)
        .collect();
    let method = match random.usize(..8) {
        0 => word.to_uppercase(),
        _ => METHODS[random.usize(..METHODS.len())].to_owned(),
    };
    let path = match random.usize(..3) {
        0 => format!("/{word}/{}", random.u64(..)),
        _ => PATHS[random.usize(..PATHS.len())].replace("{}", &word),
    };
    TestRequest::with_uri(&format!("{path}?{word}={word}"))
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .insert_header((HOST, format!("{word}.example")))
        .insert_header(("x-environment-key", word))
}

#[actix_web::test]
async fn whatever_clients_send_the_number_of_series_is_bounded() {
    // `metrics::tests` has more of them, without the layers around.
    const REQUESTS: usize = 10_000;
    let metrics = Metrics::default();
    let (layers, _) = layers_with(Observers::counting(&metrics));
    let mut patterns = Patterns::default();
    let table = TableOptions::without_services();
    let routes = App::new().configure(|config| patterns = crate::routes::configure(config, &table));
    let count = patterns.count();
    let app = init_service(layers.around(routes, patterns)).await;
    let mut random = fastrand::Rng::with_seed(7);
    let mut series = Vec::new();
    for number in 1..=REQUESTS {
        let _ = try_call_service(&app, random_request(&mut random).to_request()).await;
        if number.is_multiple_of(REQUESTS / 4) {
            series.push(metrics.series());
        }
    }
    // Without services every route answers 503; 404, 405 and 200 (OPTIONS) are the others.
    assert!(series[0] <= count * 7 * 3, "{series:?} of {count} routes");
    assert!(series[0] > 20, "{series:?}: routes were found");
    assert_eq!(series[1], series[3], "random requests add no series: {series:?}");
}
