//! The server, by raw requests: what it answers, what it refuses, and that nobody can hold it up.

use miscela_play::{Init, Points, Server, Start};
use proptest::prelude::*;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const POINTS: &str = "[[0,0],[0.1,0],[0,0.1],[5,5],[5.1,5],[5,5.1]]";
const SETTINGS: &str = r#"{"covariance":"full","weights":"free","temperature":1}"#;
const PARAMETERS: &str = r#"{"weights":[0.5,0.5],"means":[[0,0],[5,5]],"covariances":[[[1,0],[0,1]],[[1,0],[0,1]]]}"#;

/// A server on a thread of its own, until the end of the test.
struct Running {
    address: SocketAddr,
    token: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn new() -> Self {
        let start = Start { k: 2, init: Init::KMeansPlusPlus, seed: 42 };
        let server = Server::bind(0, &Points::built_in(), start).unwrap();
        let url = server.url();
        let (host, token) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let (address, token) = (host.parse().unwrap(), token.trim_end_matches('/').to_string());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = Some(thread::spawn(move || server.run(|| stopped.load(Ordering::SeqCst)).unwrap()));
        Self { address, token, stop, thread }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// What comes back for these bytes, until the server closes.
    fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        // The server may close before it has read all.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Answer(String::from_utf8_lossy(&answer).into_owned())
    }

    fn request(&self, method: &str, path: &str, body: &str) -> Answer {
        self.raw(self.head(method, path, &[("Content-Length", &body.len().to_string())], body).as_bytes())
    }

    fn head(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n{body}", self.address)
    }

    fn step(&self, step: &str, body: &str) -> Answer {
        self.request("POST", &format!("/{}/{step}", self.token), body)
    }

    fn page(&self) -> Answer {
        self.request("GET", &format!("/{}/", self.token), "")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || thread::panicking(), "the server went down");
    }
}

#[derive(Debug)]
struct Answer(String);

impl Answer {
    fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let head = self.0.split_once("\r\n\r\n").map_or("", |(head, _)| head);
        head.lines()
            .find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v))
    }

    /// One sentence of text.
    fn refuses(&self, status: u16, words: &str) {
        assert_eq!(self.status(), status, "{self:?}");
        assert!(self.body().contains(words), "{self:?}");
        assert_eq!(self.body().trim_end().lines().count(), 1, "{self:?}");
        assert_eq!(self.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(self.header("referrer-policy"), Some("no-referrer"));
    }
}

#[test]
fn the_page_and_its_steps_are_served_safely() {
    let server = Running::new();
    assert!(server.address.ip().is_loopback());
    let page = server.page();
    assert_eq!(page.status(), 200);
    assert!(page.body().starts_with("<!doctype html>") && page.body().ends_with("</html>\n"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("access-control-allow-origin"), None);
    assert!(!page.body().contains(&server.token), "the page need not know the token");

    let started =
        server.step("start", &format!(r#"{{"points":{POINTS},"start":{{"k":2,"init":"k-means++","seed":1}}}}"#));
    assert_eq!(started.status(), 200, "{started:?}");
    assert!(started.body().contains("\"labels\":["), "{started:?}");
    let from = format!(r#"{{"points":{POINTS},"centres":[[0,0],[5,5]],"settings":{SETTINGS}}}"#);
    assert!(server.step("begin", &from).body().contains("\"log_likelihood\":"));
    let run = server.step("run", &from);
    assert!(run.body().contains("\"settled\":true") && run.body().contains("\"shares\":\"aaabbb\""), "{run:?}");
    let at = format!(r#"{{"points":{POINTS},"parameters":{PARAMETERS},"settings":{SETTINGS}}}"#);
    assert_eq!(server.step("expect", &at).body(), r#"{"shares":"aaabbb"}"#);
    let maximised = server.step("maximise", &at);
    assert!(maximised.body().contains("\"settled\":false"), "{maximised:?}");
}

#[test]
fn who_may_not_ask_is_told_so() {
    let server = Running::new();
    let wrong = "0".repeat(32);
    for path in [
        "/".into(),
        "/favicon.ico".into(),
        format!("/{wrong}/"),
        format!("/{}0/", server.token),
        format!("/{}", &server.token[..31]),
        "//".into(),
    ] {
        server.request("GET", &path, "").refuses(403, "token and all");
    }
    server.request("POST", &format!("/{wrong}/run"), "{}").refuses(403, "token and all");
    // A name that was made to lead here, none, two.
    for host in ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "[::1]:80", ""] {
        let request = format!("GET /{}/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", server.token);
        server.raw(request.as_bytes()).refuses(403, "this machine alone");
    }
    let none = format!("GET /{}/ HTTP/1.1\r\nConnection: close\r\n\r\n", server.token);
    server.raw(none.as_bytes()).refuses(403, "this machine alone");
    let two = server.head("GET", &format!("/{}/", server.token), &[("Host", "evil.example")], "");
    server.raw(two.as_bytes()).refuses(403, "this machine alone");
    let localhost = format!(
        "GET /{}/ HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\r\n",
        server.token,
        server.address.port()
    );
    assert_eq!(server.raw(localhost.as_bytes()).status(), 200);
}

#[test]
fn what_cannot_be_asked_is_told_so() {
    let server = Running::new();
    let home = format!("/{}/", server.token);
    server.request("GET", &format!("{home}nowhere"), "").refuses(404, "nothing here");
    server.request("GET", &format!("{home}run/"), "").refuses(404, "nothing here");
    server.request("GET", &format!("/{}", server.token), "").refuses(404, "ends with a /");
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"] {
        let refused = server.request(method, &home, "");
        assert_eq!((refused.status(), refused.header("allow")), (405, Some("GET")), "{refused:?}");
    }
    let refused = server.request("GET", &format!("{home}run"), "");
    refused.refuses(405, "for POST requests");
    assert_eq!(refused.header("allow"), Some("POST"));

    let run = format!("{home}run");
    for body in
        ["", "{", "null", "[]", "{}", "\u{0}", r#"{"points":"all"}"#, r#"{"points":[[1,2,3]]}"#, &"[".repeat(100_000)]
    {
        server.request("POST", &run, body).refuses(400, "no step that can be asked for");
    }
    let of = |points: &str, centres: &str, settings: &str| {
        server.request("POST", &run, &format!(r#"{{"points":{points},"centres":{centres},"settings":{settings}}}"#))
    };
    of("[[1e999,0]]", "[[0,0]]", SETTINGS).refuses(400, "out of range");
    of(&format!("[{}[0,0]]", "[1,2],".repeat(2000)), "[[0,0]]", SETTINGS)
        .refuses(422, "2001 points are more than the 2000");
    of(POINTS, "[]", SETTINGS).refuses(422, "choose one from 1 to 8");
    of("[]", "[[0,0]]", SETTINGS).refuses(422, "");
    of("[[0,0]]", "[[0,0],[1,1]]", SETTINGS).refuses(422, "");
    of(POINTS, "[[0,0]]", r#"{"covariance":"round","weights":"free","temperature":1}"#).refuses(422, "round");
    of(POINTS, "[[0,0]]", r#"{"covariance":"full","weights":"free","temperature":2}"#).refuses(422, "temperature is 2");
    of(POINTS, "[[0,0]]", r#"{"covariance":"full","weights":"free","temperature":1,"variance":1}"#)
        .refuses(422, "shared sphere");
    of(POINTS, "[[0,0]]", r#"{"covariance":"full","weights":"some","temperature":1}"#).refuses(400, "some");

    // Stated to be huge, and huge without saying so.
    let stated = server.head("POST", &run, &[("Content-Length", "99999999999")], "");
    server.raw(stated.as_bytes()).refuses(413, "bytes at most");
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000)).repeat(12);
    let chunked = server.head("POST", &run, &[("Transfer-Encoding", "chunked")], &chunk);
    server.raw(chunked.as_bytes()).refuses(413, "bytes at most");
    let broken = server.head("POST", &run, &[("Transfer-Encoding", "chunked")], "zz\r\n");
    server.raw(broken.as_bytes()).refuses(400, "cannot be read");

    for (request, status) in [
        ("GARBAGE\r\n\r\n".to_string(), 400),
        ("GET / HTTP/9.9\r\n\r\n".to_string(), 400),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000)), 414),
        (format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(100_000)), 431),
    ] {
        let refused = server.raw(request.as_bytes()).status();
        assert!(
            refused == status || (refused == 431 && status == 414),
            "{refused} for {}",
            &request[..20.min(request.len())]
        );
    }
    assert_eq!(server.page().status(), 200);
}

/// Clients that say nothing, say it slowly, or stop in the middle: all others are served at once.
#[test]
fn slow_clients_hold_nobody_up() {
    let server = Running::new();
    let post = server.head("POST", &format!("/{}/run", server.token), &[("Content-Length", "1000")], "{");
    let silent: Vec<TcpStream> = (0..120).map(|_| server.connect()).collect();
    let half: Vec<TcpStream> = (0..120)
        .map(|i| {
            let mut stream = server.connect();
            stream.write_all(if i % 2 == 0 { b"GET / HTTP/1.1\r\nHost: " } else { post.as_bytes() }).unwrap();
            stream
        })
        .collect();
    let begun = Instant::now();
    for _ in 0..10 {
        assert_eq!(server.page().status(), 200);
    }
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    // A head that comes drop by drop is given up after some seconds.
    let mut drops = server.connect();
    drops.set_nonblocking(true).unwrap();
    let (begun, mut byte) = (Instant::now(), [0; 1]);
    let closed = loop {
        let gone = drops.write_all(b"G").is_err()
            || drops.read(&mut byte).is_ok()
            || matches!(&drops.read(&mut byte), Err(e) if e.kind() != std::io::ErrorKind::WouldBlock);
        if gone || begun.elapsed() > Duration::from_secs(15) {
            break gone;
        }
        thread::sleep(Duration::from_millis(100));
    };
    assert!(closed, "a slow head was waited for");
    // And so is a body.
    let mut stream = server.connect();
    stream.write_all(post.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    Answer(answer).refuses(408, "in time");
    drop((silent, half));
}

#[test]
fn a_hundred_clients_at_once_are_all_served() {
    let server = Running::new();
    let at = format!(r#"{{"points":{POINTS},"parameters":{PARAMETERS},"settings":{SETTINGS}}}"#);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..100)
            .map(|i| {
                let (server, at) = (&server, &at);
                scope.spawn(move || if i % 2 == 0 { server.page() } else { server.step("expect", at) }.status())
            })
            .collect();
        assert!(clients.into_iter().all(|client| client.join().unwrap() == 200));
    });
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let server = Running::new();
    let start = Start { k: 2, init: Init::Random, seed: 1 };
    let taken = Server::bind(server.address.port(), &Points::built_in(), start);
    assert!(taken.unwrap_err().to_string().starts_with("cannot serve on loopback: "));
}

/// Whatever comes, the answer is a refusal or nothing, and the next client is served.
#[test]
fn garbage_brings_nothing_down() {
    let server = Running::new();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(200));
    let bytes = prop::collection::vec(any::<u8>(), 0..400);
    let steps = prop::sample::select(vec!["start", "begin", "expect", "maximise", "run", ""]);
    let framed = any::<bool>();
    let result = runner.run(&(bytes, steps, framed), |(bytes, step, framed)| {
        let length = bytes.len().to_string();
        let head = server.head("POST", &format!("/{}/{step}", server.token), &[("Content-Length", &length)], "");
        let request = if framed { [head.as_bytes(), &bytes].concat() } else { [&bytes[..], b"\r\n\r\n"].concat() };
        let status = server.raw(&request).status();
        prop_assert!(status == 0 || (400..500).contains(&status), "{}", status);
        Ok(())
    });
    result.unwrap();
    assert_eq!(server.page().status(), 200);
}
