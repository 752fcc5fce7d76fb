//! The route table, asked through the services without a socket.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use ::http::{
    HeaderName, Method, Request, Response, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
};
use bytes::Bytes;
use http_body::Body as _;
use http_body_util::{BodyExt, Empty};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower_service::Service as _;

use crate::{
    config::Config,
    host::{Body, Host},
};

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

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
        ("/metrics", TEXT),
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

async fn metrics(
    host: &Host,
    method: Method,
    query: &str,
    headers: &[(HeaderName, &str)],
) -> Response<Body> {
    let mut asking = request(method, &format!("/metrics{query}"));
    for (name, value) in headers {
        asking.headers_mut().insert(name, value.parse().unwrap());
    }
    host.service().call(asking).await.unwrap()
}

/// A host whose page is longer than a frame.
async fn large_host() -> Host {
    let registry = prometheus::Registry::new();
    let opts = prometheus::Opts::new("large", "Many series.");
    let gauges = prometheus::IntGaugeVec::new(opts, &["i"]).unwrap();
    for i in 0..20_000 {
        gauges.with_label_values(&[format!("{i:040}")]).set(i);
    }
    registry.register(Box::new(gauges)).unwrap();
    Host::builder().registry(registry).start().await.unwrap()
}

#[tokio::test]
async fn codings_are_said_when_they_were_asked_for() {
    let (small, large) = (host().await, large_host().await);
    for (asked, said, magic) in [
        ("gzip", "gzip", &[0x1f, 0x8b][..]),
        ("zstd", "zstd", &[0x28, 0xb5, 0x2f, 0xfd]),
        ("gzip, zstd", "gzip", &[0x1f, 0x8b]),
    ] {
        for host in [&small, &large] {
            let response = metrics(host, Method::GET, "?x=1", &[(ACCEPT_ENCODING, asked)]).await;
            assert_eq!(response.headers()[CONTENT_ENCODING], said);
            assert!(body(response).await.starts_with(magic));
        }
    }
    for asked in ["*", "gzip;q=0", "br"] {
        let response = metrics(&small, Method::GET, "", &[(ACCEPT_ENCODING, asked)]).await;
        assert!(
            !response.headers().contains_key(CONTENT_ENCODING),
            "{asked}"
        );
    }
}

#[tokio::test]
async fn formats_are_said_when_they_were_asked_for() {
    let host = host().await;
    for (asked, said) in [
        ("text/html,*/*;q=0.8", TEXT),
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3",
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
        ),
        (
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; \
             escaping=underscores",
        ),
    ] {
        let response = metrics(&host, Method::GET, "", &[(ACCEPT, asked)]).await;
        assert_eq!(response.headers()[CONTENT_TYPE], said);
    }
}

#[tokio::test]
async fn large_pages_have_no_length_and_come_whole() {
    let host = large_host().await;
    let response = metrics(&host, Method::GET, "?name[]=large", &[]).await;
    assert!(!response.headers().contains_key(CONTENT_LENGTH));
    let page = body(response).await;
    assert_eq!(page.split(|b| *b == b'\n').count(), 20_000 + 3);
    assert!(page.ends_with(b"\n"));

    let head = metrics(&host, Method::HEAD, "?name[]=large", &[]).await;
    assert!(!head.headers().contains_key(CONTENT_LENGTH));
    assert_eq!(
        head.body().size_hint().exact(),
        None,
        "nobody may take it for empty"
    );
    assert!(body(head).await.is_empty());
}

/// Over a socket: what hyper makes of a body without a length, and of a HEAD for it.
#[tokio::test]
async fn large_pages_go_out_in_chunks() {
    let host = large_host().await;
    let listeners = crate::serve::bind(&["127.0.0.1:0".to_owned()])
        .await
        .unwrap();
    let address = listeners[0].local_addr().unwrap();
    let limits = crate::serve::Limits::from(&crate::config::WebConfig::default());
    let service = host.service();
    let server = tokio::spawn(crate::serve::serve(
        listeners,
        service,
        limits,
        std::future::pending(),
    ));
    let ask = async |method: &str, headers: &str| {
        let mut peer = tokio::net::TcpStream::connect(address).await.unwrap();
        let head =
            format!("{method} /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{headers}\r\n");
        peer.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        peer.read_to_end(&mut answer).await.unwrap();
        answer
    };
    for headers in ["", "accept-encoding: gzip\r\n", "accept-encoding: zstd\r\n"] {
        let page = ask("GET", headers).await;
        assert!(
            page.windows(26)
                .any(|part| part == b"transfer-encoding: chunked")
        );
        let end = &page[page.len() - 7..];
        assert_eq!(end, b"\r\n0\r\n\r\n", "{headers} {} bytes", page.len());
        let head = String::from_utf8(ask("HEAD", headers).await).unwrap();
        assert!(
            head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"),
            "{head}"
        );
        assert!(!head.contains("content-length"), "{head}");
    }
    server.abort();
}

#[tokio::test]
async fn queries_leave_families_and_plugins_out() {
    let host = host().await;
    let query = "?name%5B%5D=meterbox_build_info&name[]=gone";
    let page = body(metrics(&host, Method::GET, query, &[]).await).await;
    let page = String::from_utf8(page.to_vec()).unwrap();
    assert_eq!(page.matches("# HELP").count(), 1, "{page}");
    assert!(page.contains("\nmeterbox_build_info{"), "{page}");

    for (query, said) in [
        (
            "?collect[]=a&exclude[]=b",
            "Combined collect and exclude queries are not allowed.",
        ),
        (
            "?collect[]=a",
            "Couldn't create filtered metrics handler: couldn't create collector: missing collector: a",
        ),
    ] {
        let response = metrics(&host, Method::GET, query, &[]).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(body(response).await, said);
    }
    assert_eq!(
        metrics(&host, Method::GET, "?exclude[]=a", &[])
            .await
            .status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn pages_count_the_requests_before_them() {
    let host = host().await;
    for count in 0..3 {
        let response = metrics(&host, Method::GET, "", &[]).await;
        assert!(response.headers().contains_key("process-start-time-unix"));
        let page = String::from_utf8(body(response).await.to_vec()).unwrap();
        let line = format!("\nmeterbox_http_metrics_requests_total{{code=\"200\"}} {count}\n");
        assert!(page.contains(&line), "{page}");
        assert!(
            page.contains("\nmeterbox_http_metrics_requests_in_flight 1\n"),
            "{page}"
        );
    }
}

#[tokio::test]
async fn the_metrics_service_answers_at_every_path() {
    let mut service = host().await.metrics_service();
    for path in ["/", "/anything"] {
        let response = service.call(request(Method::GET, path)).await.unwrap();
        assert_eq!(response.headers()[CONTENT_TYPE], TEXT);
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
