//! Names whose answers change: what a lookup leads to is checked each time, and connected to as it was checked.

use std::{
    net::{IpAddr, SocketAddr},
    sync::atomic::AtomicUsize,
};

use ::http::Request;
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi_http::Error;

use super::{
    dns::{Answer, LookupError, Resolver},
    *,
};

/// Gives these answers, one after the other, and the last one again and again.
struct Changing(Vec<Vec<IpAddr>>, AtomicUsize);

impl Resolver for Changing {
    fn addresses(&self, _: &str) -> Answer {
        let turn = self.1.fetch_add(1, Relaxed);
        let answer = self.0[turn.min(self.0.len() - 1)].clone();
        Box::pin(async move { Ok(answer) })
    }
}

fn granted(toml: &str, answers: &[&[&str]]) -> Arc<Granted> {
    let config: Grants = toml::from_str(toml).expect("grants");
    let limits = Limits::default();
    let log = Arc::new(LogQuota::new(&limits, Instant::now()));
    let granted = Granted::new("p", &config, &limits, log).expect("nothing is missing");
    let answers = answers.iter().map(|answer| {
        let answer = answer
            .iter()
            .map(|address| address.parse().expect("an address"));
        answer.collect()
    });
    let resolver = Changing(answers.collect(), AtomicUsize::new(0));
    Arc::new(granted.with_resolver(Box::new(resolver)))
}

fn connects(granted: &Granted, to: &str) -> bool {
    let to: SocketAddr = to.parse().expect("an address");
    granted.may_use(to, SocketAddrUse::TcpConnect)
}

#[tokio::test]
async fn a_name_that_moves_inside_is_not_followed() {
    let answers: [&[&str]; 4] = [
        &["192.0.2.1"],
        &["127.0.0.1", "192.0.2.2"],
        &["169.254.169.254"],
        &["::ffff:10.0.0.1"],
    ];
    let granted = granted("tcp = ['a.example:80']", &answers);
    assert!(!connects(&granted, "192.0.2.1:80"), "nobody looked it up");
    let first = granted.look_up("a.example").await.expect("public");
    assert_eq!(first, ["192.0.2.1".parse::<IpAddr>().expect("an address")]);
    assert!(connects(&granted, "192.0.2.1:80"));
    assert!(
        connects(&granted, "[::ffff:192.0.2.1]:80"),
        "it is the same"
    );
    assert!(!connects(&granted, "192.0.2.1:81"));
    let second = granted.look_up("a.example").await.expect("one of two");
    assert_eq!(second, ["192.0.2.2".parse::<IpAddr>().expect("an address")]);
    for _ in 0..2 {
        let inside = granted.look_up("A.example.").await;
        assert!(matches!(inside, Err(LookupError::Denied)), "{inside:?}");
    }
    for inside in [
        "127.0.0.1:80",
        "169.254.169.254:80",
        "10.0.0.1:80",
        "[::ffff:127.0.0.1]:80",
    ] {
        assert!(!connects(&granted, inside), "{inside}");
    }
    assert_eq!(
        (granted.uses(Grant::Dns), granted.denials(Grant::Dns)),
        (4, 2)
    );
    assert_eq!(
        (granted.uses(Grant::Tcp), granted.denials(Grant::Tcp)),
        (2, 6)
    );
}

#[tokio::test]
async fn an_answer_to_one_name_does_not_widen_another_grant() {
    let granted = granted(
        "dns = ['b.example']\ntcp = ['a.example:80', '198.51.100.0/24:443']",
        &[&["203.0.113.5", "127.0.0.1"]],
    );
    let all = granted
        .look_up("b.example")
        .await
        .expect("granted by itself");
    assert_eq!(all.len(), 2);
    assert!(
        !connects(&granted, "203.0.113.5:80"),
        "it is of another name"
    );
    assert!(connects(&granted, "198.51.100.9:443"));
    let other = granted.look_up("c.example").await;
    assert!(matches!(other, Err(LookupError::Denied)), "{other:?}");
}

#[tokio::test]
async fn a_request_goes_to_what_was_checked() {
    let answers: [&[&str]; 3] = [&["192.0.2.1", "10.0.0.1"], &["127.0.0.1"], &["127.0.0.1"]];
    let granted = granted(
        "http = ['http://a.example:8080/v1', { url = 'http://b.example', private = true }]",
        &answers,
    );
    let request = |uri: &str| Request::get(uri).body(()).expect("a request");
    let (wanted, matching) = granted
        .find(&request("http://A.example:8080/v1/x"))
        .expect("granted");
    let addresses = granted
        .addresses(&wanted, &matching)
        .await
        .expect("one of two");
    assert_eq!(
        addresses,
        ["192.0.2.1:8080".parse::<SocketAddr>().expect("an address")]
    );
    let moved = granted.addresses(&wanted, &matching).await;
    assert!(
        matches!(moved, Err(Error::DestinationIpProhibited)),
        "{moved:?}"
    );
    let (wanted, matching) = granted
        .find(&request("http://b.example/"))
        .expect("granted");
    assert!(granted.addresses(&wanted, &matching).await.is_ok());
    for denied in [
        "http://a.example/v1",
        "https://a.example:8080/v1",
        "http://b.example:8080/v1",
        "http://a.example:8080/v2",
        "http://a.example:8080/v1/%2E%2e/v2",
        "http://c.example/",
    ] {
        let found = granted.find(&request(denied));
        assert!(
            matches!(found, Err(Error::HttpRequestDenied)),
            "{denied}: {found:?}"
        );
    }
}

#[tokio::test]
async fn a_plugin_serves_nobody() {
    let granted = granted("tcp = ['0.0.0.0/0:*']\nudp = ['0.0.0.0/0:*']", &[]);
    let any: SocketAddr = "0.0.0.0:0".parse().expect("an address");
    let port: SocketAddr = "0.0.0.0:8080".parse().expect("an address");
    assert!(granted.may_use(any, SocketAddrUse::TcpBind));
    assert!(granted.may_use(any, SocketAddrUse::UdpBind));
    for purpose in [SocketAddrUse::TcpListen, SocketAddrUse::TcpAccept] {
        assert!(!granted.may_use(any, purpose), "{purpose:?}");
    }
    for purpose in [SocketAddrUse::TcpBind, SocketAddrUse::UdpBind] {
        assert!(!granted.may_use(port, purpose), "{purpose:?}");
    }
}
