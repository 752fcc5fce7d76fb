//! Requests at the door, with answers that wait, hang and fail.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::future::{pending, ready};

use http_body::Body as _;
use meterbox_metrics::{
    Registry, View,
    encode::{Escaping, Format},
};

use super::*;

fn admission(registry: &Registry, max_requests: usize, timeout: Option<Duration>) -> Admission {
    let config = WebConfig {
        max_requests,
        request_timeout: timeout,
        ..WebConfig::default()
    };
    Admission::new(HttpMetrics::new(registry).unwrap(), &config)
}

fn ok() -> Response<Body> {
    reply::text(StatusCode::OK, "fine\n")
}

async fn text(response: Response<Body>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

/// `meterbox_http_metrics_requests_total` of a code, and how many are in flight.
fn page(registry: &Registry, code: &str) -> (f64, f64) {
    let page = registry.page(|_| View::All);
    let page = String::from_utf8(page.to_bytes(Format::Text, Escaping::default())).unwrap();
    let number = |series: &str| {
        let line = page.lines().find_map(|line| line.strip_prefix(series));
        line.unwrap().trim().parse().unwrap()
    };
    (
        number(&format!(
            "meterbox_http_metrics_requests_total{{code=\"{code}\"}}"
        )),
        number("meterbox_http_metrics_requests_in_flight "),
    )
}

#[tokio::test]
async fn a_place_is_held_until_the_body_is_gone() {
    let registry = Registry::default();
    let door = admission(&registry, 2, None);
    let first = door.answer(ready(ok())).await;
    let second = door.answer(ready(ok())).await;
    assert_eq!(page(&registry, "200"), (0.0, 2.0));

    let refused = door
        .answer(async { unreachable!("nobody works for it") })
        .await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key(PROCESS_START));
    assert_eq!(
        text(refused).await,
        "Limit of concurrent requests reached (2), try again later.\n"
    );
    assert_eq!(page(&registry, "503"), (1.0, 2.0));

    assert_eq!(text(first).await, "fine\n");
    assert_eq!(page(&registry, "200"), (1.0, 1.0));
    let third = door.answer(ready(ok())).await;
    assert_eq!(third.status(), StatusCode::OK);
    drop((second, third));
    assert_eq!(page(&registry, "200"), (3.0, 0.0));
}

#[tokio::test]
async fn zero_is_no_limit() {
    let door = admission(&Registry::default(), 0, None);
    let mut held = Vec::new();
    for _ in 0..1_000 {
        held.push(door.answer(ready(ok())).await);
    }
    assert!(
        held.iter()
            .all(|response| response.status() == StatusCode::OK)
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_too_long_is_given_up() {
    let registry = Registry::default();
    let door = admission(&registry, 1, Some(Duration::from_millis(2_500)));
    for _ in 0..2 {
        let late = door.answer(pending()).await;
        assert_eq!(late.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(text(late).await, "Exceeded configured timeout of 2.5s.\n");
    }
    let in_time = door.answer(async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        ok()
    });
    assert_eq!(in_time.await.status(), StatusCode::OK);
    assert_eq!(page(&registry, "503"), (2.0, 0.0));
}

#[tokio::test]
async fn who_leaves_before_the_answer_is_not_counted() {
    let registry = Registry::default();
    let door = admission(&registry, 1, None);
    let mut waiting = Box::pin(door.answer(pending()));
    let polled = std::future::poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx))).await;
    assert!(polled.is_pending());
    assert_eq!(page(&registry, "200"), (0.0, 1.0));
    drop(waiting);
    assert_eq!(page(&registry, "200"), (0.0, 0.0));
    assert_eq!(door.answer(ready(ok())).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn lengths_stay_known() {
    let door = admission(&Registry::default(), 1, None);
    let response = door.answer(ready(ok())).await;
    assert_eq!(response.body().size_hint().exact(), Some(5));
}

#[test]
fn the_process_started_before_now_and_after_the_machine() {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    assert!((1..=now).contains(&process_start()), "{}", process_start());
}
