//! Tries what its config `try` lists, one attempt in a line, and shows what each came to: for the tests of grants.

use meterbox_plugin::prelude::*;
use wasip2::{
    cli::{environment, stderr, stdout},
    clocks::monotonic_clock,
    filesystem::{
        preopens,
        types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags},
    },
    http::{
        outgoing_handler,
        types::{
            Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingRequest, Scheme,
        },
    },
    io::streams::{InputStream, StreamError},
    sockets::{
        instance_network::instance_network,
        ip_name_lookup::resolve_addresses,
        network::{
            ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress,
            Ipv6SocketAddress,
        },
        tcp_create_socket::create_tcp_socket,
        udp::OutgoingDatagram,
        udp_create_socket::create_udp_socket,
    },
};

struct Tries(Family);

/// What an attempt came to, or how it was refused.
type Outcome = std::result::Result<String, String>;

impl Collector for Tries {
    fn register(registry: &mut Registry) -> Result<Self> {
        let desc = Desc::gauge(
            "attempt",
            "1, labelled by what was tried and what it came to.",
        );
        Ok(Self(registry.desc(desc.labels(&["what", "outcome"]))))
    }

    fn collect(&mut self, samples: &mut Samples) -> Result<()> {
        for what in config::get("try").unwrap_or_default().lines() {
            let outcome = attempt(what).unwrap_or_else(|error| format!("error: {error}"));
            samples.gauge(&self.0, &[what, &outcome], 1.0);
        }
        Ok(())
    }
}

fn attempt(what: &str) -> Outcome {
    let words: Vec<_> = what.split(' ').collect();
    match words[..] {
        ["env", name] => env(name),
        ["read", folder, path] => read(folder, path),
        ["write", folder, path] => write(folder, path),
        ["tcp", address] => tcp(address),
        ["listen", address] => listen(address),
        ["udp", address] => udp(address),
        ["dns", name] => dns(name),
        ["http", method, url] => http(method, url),
        ["together", count, url] => together(count, url),
        ["print", text] => print(&stdout::get_stdout(), text),
        ["eprint", text] => print(&stderr::get_stderr(), text),
        ["arguments"] => Ok(format!("{:?}", environment::get_arguments())),
        ["sleep"] => {
            monotonic_clock::subscribe_duration(3_600_000_000_000).block();
            Ok("awake".into())
        }
        _ => Err("no such attempt".into()),
    }
}

/// The name of an error code, or all of another error.
fn shown(error: impl std::fmt::Debug) -> String {
    let text = format!("{error:?}");
    let name = text.split("name: \"").nth(1);
    let name = name.and_then(|rest| rest.split('"').next());
    name.map_or(text.clone(), str::to_owned)
}

fn env(name: &str) -> Outcome {
    let all = environment::get_environment();
    let found = all.into_iter().find(|(each, _)| each == name);
    found
        .map(|(_, value)| value)
        .ok_or_else(|| "not set".into())
}

fn folder(name: &str) -> std::result::Result<Descriptor, String> {
    let all = preopens::get_directories();
    let found = all.into_iter().find(|(_, each)| each == name);
    found
        .map(|(folder, _)| folder)
        .ok_or_else(|| "no folder".into())
}

fn read(name: &str, path: &str) -> Outcome {
    let folder = folder(name)?;
    let follow = PathFlags::SYMLINK_FOLLOW;
    let file = folder.open_at(follow, path, OpenFlags::empty(), DescriptorFlags::READ);
    let (bytes, _) = file.map_err(shown)?.read(1000, 0).map_err(shown)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn write(name: &str, path: &str) -> Outcome {
    let folder = folder(name)?;
    let file = folder.open_at(
        PathFlags::empty(),
        path,
        OpenFlags::CREATE,
        DescriptorFlags::WRITE,
    );
    file.map_err(shown)?.write(b"written", 0).map_err(shown)?;
    Ok("written".into())
}

fn print(stream: &wasip2::io::streams::OutputStream, text: &str) -> Outcome {
    // A line end, and what the tests cannot say in a line.
    let text = text.replace("\\n", "\n").replace("\\e", "\u{1b}");
    let text = text.replace("LONG", &"x".repeat(10_000));
    let bytes: Vec<u8> = text
        .bytes()
        .map(|b| if b == b'?' { 0xff } else { b })
        .collect();
    for piece in bytes.chunks(4096) {
        stream.blocking_write_and_flush(piece).map_err(shown)?;
    }
    Ok("printed".into())
}

fn address(text: &str) -> std::result::Result<IpSocketAddress, String> {
    let address: std::net::SocketAddr = text.parse().map_err(shown)?;
    Ok(match address {
        std::net::SocketAddr::V4(v4) => {
            let [a, b, c, d] = v4.ip().octets();
            IpSocketAddress::Ipv4(Ipv4SocketAddress {
                port: v4.port(),
                address: (a, b, c, d),
            })
        }
        std::net::SocketAddr::V6(v6) => {
            let [a, b, c, d, e, f, g, h] = v6.ip().segments();
            IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port: v6.port(),
                flow_info: 0,
                address: (a, b, c, d, e, f, g, h),
                scope_id: 0,
            })
        }
    })
}

fn family(address: &IpSocketAddress) -> IpAddressFamily {
    match address {
        IpSocketAddress::Ipv4(_) => IpAddressFamily::Ipv4,
        IpSocketAddress::Ipv6(_) => IpAddressFamily::Ipv6,
    }
}

/// All that the peer sends.
fn tcp(to: &str) -> Outcome {
    let to = address(to)?;
    let socket =
        create_tcp_socket(family(&to)).map_err(|code| format!("socket {}", shown(code)))?;
    let network = instance_network();
    socket.start_connect(&network, to).map_err(shown)?;
    let (input, _output) = loop {
        match socket.finish_connect() {
            Ok(streams) => break streams,
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            Err(code) => return Err(shown(code)),
        }
    };
    Ok(rest(&input))
}

fn listen(at: &str) -> Outcome {
    let at = address(at)?;
    let socket =
        create_tcp_socket(family(&at)).map_err(|code| format!("socket {}", shown(code)))?;
    socket.start_bind(&instance_network(), at).map_err(shown)?;
    socket.finish_bind().map_err(shown)?;
    socket.start_listen().map_err(shown)?;
    socket.finish_listen().map_err(shown)?;
    Ok("listens".into())
}

/// What is answered to a "ping".
fn udp(to: &str) -> Outcome {
    let to = address(to)?;
    let socket =
        create_udp_socket(family(&to)).map_err(|code| format!("socket {}", shown(code)))?;
    let any = match to {
        IpSocketAddress::Ipv4(_) => address("0.0.0.0:0")?,
        IpSocketAddress::Ipv6(_) => address("[::]:0")?,
    };
    socket.start_bind(&instance_network(), any).map_err(shown)?;
    socket.finish_bind().map_err(shown)?;
    let (incoming, outgoing) = socket.stream(None).map_err(shown)?;
    outgoing.subscribe().block();
    outgoing.check_send().map_err(shown)?;
    let ping = OutgoingDatagram {
        data: b"ping".to_vec(),
        remote_address: Some(to),
    };
    outgoing.send(&[ping]).map_err(shown)?;
    incoming.subscribe().block();
    let answers = incoming.receive(1).map_err(shown)?;
    let answer = answers.first().ok_or("no answer")?;
    Ok(String::from_utf8_lossy(&answer.data).into_owned())
}

fn dns(name: &str) -> Outcome {
    let lookup = resolve_addresses(&instance_network(), name).map_err(shown)?;
    let mut addresses = Vec::new();
    loop {
        match lookup.resolve_next_address() {
            Ok(Some(IpAddress::Ipv4((a, b, c, d)))) => addresses.push(format!("{a}.{b}.{c}.{d}")),
            Ok(Some(IpAddress::Ipv6(_))) => {}
            Ok(None) => return Ok(addresses.join(" ")),
            Err(ErrorCode::WouldBlock) => lookup.subscribe().block(),
            Err(code) => return Err(shown(code)),
        }
    }
}

fn request(method: &str, url: &str) -> std::result::Result<OutgoingRequest, String> {
    let (scheme, rest_of_url) = url.split_once("://").ok_or("no URL")?;
    let slash = rest_of_url.find('/').unwrap_or(rest_of_url.len());
    let (authority, path) = rest_of_url.split_at(slash);
    let request = OutgoingRequest::new(Fields::new());
    let method = match method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        other => Method::Other(other.into()),
    };
    request.set_method(&method).map_err(|()| "method")?;
    let scheme = if scheme == "https" {
        Scheme::Https
    } else {
        Scheme::Http
    };
    request.set_scheme(Some(&scheme)).map_err(|()| "scheme")?;
    request
        .set_authority(Some(authority))
        .map_err(|()| "authority")?;
    request
        .set_path_with_query(Some(path))
        .map_err(|()| "path")?;
    Ok(request)
}

fn response(response: &FutureIncomingResponse) -> std::result::Result<IncomingResponse, String> {
    let response = loop {
        match response.get() {
            Some(response) => break response,
            None => response.subscribe().block(),
        }
    };
    response.map_err(|()| "taken twice")?.map_err(shown)
}

/// What so many requests that are made at once come to, sorted.
fn together(count: &str, url: &str) -> Outcome {
    let count: usize = count.parse().map_err(shown)?;
    let mut responses = Vec::new();
    for _ in 0..count {
        let request = request("GET", url)?;
        responses.push(outgoing_handler::handle(request, None).map_err(shown)?);
    }
    let mut outcomes: Vec<_> = responses
        .iter()
        .map(|each| match response(each) {
            Ok(response) => response.status().to_string(),
            Err(error) => error,
        })
        .collect();
    outcomes.sort_unstable();
    Ok(outcomes.join(" "))
}

/// Status and body.
fn http(method: &str, url: &str) -> Outcome {
    let request = request(method, url)?;
    let response = response(&outgoing_handler::handle(request, None).map_err(shown)?)?;
    let status = response.status();
    let location = response.headers().get("location");
    let location = location
        .first()
        .map(|value| String::from_utf8_lossy(value).into_owned());
    let body = response.consume().map_err(|()| "no body")?;
    let text = match &location {
        Some(location) => location.clone(),
        None => whole(&body.stream().map_err(|()| "no stream")?)?,
    };
    Ok(format!("{status} {text}"))
}

fn whole(input: &InputStream) -> Outcome {
    let mut text = Vec::new();
    loop {
        match input.blocking_read(4096) {
            Ok(more) => text.extend(more),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                let code = wasip2::http::types::http_error_code(&error);
                return Err(format!("{code:?}"));
            }
        }
    }
    text.truncate(200);
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn rest(input: &InputStream) -> String {
    whole(input).unwrap_or_default()
}

meterbox_plugin::export!(Tries: Collector);
