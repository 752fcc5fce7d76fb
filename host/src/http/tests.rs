//! The route table, asked through the services without a socket.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use ::http::{
    Method, Request, Response, StatusCode,
    header::{ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use tower_service::Service as _;

use crate::{
    config::Config,
    host::{Body, Host},
};

async fn host() -> Host {
    Host::start(&Config::default()).await.unwrap()
}

fn request(method: Method, path: &str) -> Request<Empty<Bytes>> {
    Request::builder()
        .method(method)
        .uri(path)
        .body(Empty::new())
        .unwrap()
}

async fn ask(host: &Host, method: Method, path: &str) -> Response<Body> {
    host.service().call(request(method, path)).await.unwrap()
}

async fn body(response: Response<Body>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn own_pages_answer_get_and_head() {
    let host = host().await;
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
        ("/-/healthy", "text/plain; charset=utf-8"),
        ("/-/ready", "text/plain; charset=utf-8"),
    ] {
        let get = ask(&host, Method::GET, path).await;
        assert_eq!(get.status(), StatusCode::OK, "{path}");
        assert_eq!(get.headers()[CONTENT_TYPE], content_type, "{path}");
        let length: usize = get.headers()[CONTENT_LENGTH]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(body(get).await.len(), length, "{path}");

        let head = ask(&host, Method::HEAD, path).await;
        assert_eq!(head.status(), StatusCode::OK, "{path}");
        assert_eq!(head.headers()[CONTENT_TYPE], content_type, "{path}");
        assert!(head.headers().contains_key(CONTENT_LENGTH), "{path}");
        assert!(body(head).await.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn other_methods_are_told_what_is_allowed() {
    let host = host().await;
    for path in ["/", "/metrics", "/-/healthy", "/-/ready"] {
        let response = ask(&host, Method::POST, path).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(response.headers()[ALLOW], "GET, HEAD", "{path}");
    }
}

#[tokio::test]
async fn other_paths_are_not_found() {
    let host = host().await;
    for path in ["/metrics/", "/hello", "/-/", "//"] {
        let response = ask(&host, Method::GET, path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn gzip_is_said_when_it_was_asked_for() {
    let mut service = host().await.service();
    let mut asking = request(Method::GET, "/metrics?x=1");
    asking
        .headers_mut()
        .insert(ACCEPT_ENCODING, "gzip".parse().unwrap());
    let response = service.call(asking).await.unwrap();
    assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
    assert!(body(response).await.starts_with(&[0x1f, 0x8b]));

    let response = service
        .call(request(Method::GET, "/metrics"))
        .await
        .unwrap();
    assert!(!response.headers().contains_key(CONTENT_ENCODING));
}

#[tokio::test]
async fn the_metrics_service_answers_at_every_path() {
    let mut service = host().await.metrics_service();
    for path in ["/", "/anything"] {
        let response = service.call(request(Method::GET, path)).await.unwrap();
        assert_eq!(
            response.headers()[CONTENT_TYPE],
            "text/plain; version=0.0.4; charset=utf-8"
        );
    }
    let response = service.call(request(Method::PUT, "/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_host_that_shut_down_is_healthy_but_not_ready() {
    let host = host().await;
    host.shutdown();
    let ready = ask(&host, Method::GET, "/-/ready").await;
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body(ready).await, "Not ready\n");
    let healthy = ask(&host, Method::GET, "/-/healthy").await;
    assert_eq!(body(healthy).await, "Healthy\n");
}

#[tokio::test]
async fn axum_mounts_both_services() {
    let host = host().await;
    let mut router = axum::Router::new()
        .route_service("/numbers", host.metrics_service())
        .nest_service("/meterbox", host.service());
    for path in [
        "/numbers",
        "/meterbox/metrics",
        "/meterbox/-/ready",
        "/meterbox/",
    ] {
        let response = router.call(request(Method::GET, path)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
    }
}
