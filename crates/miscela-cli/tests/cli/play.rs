//! `play`: a page on loopback until it is interrupted, or in one file.

use crate::run::Folder;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server, and the address that it printed.
fn served(folder: &Folder, arguments: &[&str]) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_miscela"))
        .arg("play")
        .args(arguments)
        .current_dir(folder.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().to_string())
}

fn get(url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[cfg(unix)]
#[test]
fn a_page_is_served_until_a_signal_comes() {
    let folder = Folder::with_data();
    for (signal, data) in [("-INT", &["--json"][..]), ("-TERM", &["data.csv", "-k", "3", "--json"])] {
        let (mut child, line) = served(&folder, data);
        let url = serde_json::from_str::<Value>(&line).unwrap()["url"].as_str().unwrap().to_string();
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        let page = get(&url);
        assert!(page.starts_with("HTTP/1.1 200 OK"), "{page}");
        assert_eq!(page.contains("length (standard deviations)"), data.len() > 1);
        assert!(get(&format!("{}0/", url.trim_end_matches('/'))).starts_with("HTTP/1.1 403 "));
        // A connection that is open does not keep it.
        let open = TcpStream::connect(url.trim_start_matches("http://").split('/').next().unwrap()).unwrap();
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let asked = Instant::now();
        let code = child.wait().unwrap().code();
        assert_eq!(code, Some(0), "{signal}");
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        drop(open);
    }
}

#[test]
fn a_page_is_written_to_one_file() {
    let folder = Folder::with_data();
    let answer = folder.json("play data.csv -k 3 --export page.html");
    let page = folder.read("page.html");
    assert_eq!(answer["bytes"], page.len());
    assert_eq!((&answer["n_samples"], &answer["n_drawn"]), (&Value::from(60), &Value::from(60)));
    assert!(page.len() < 2_000_000, "{}", page.len());
    assert!(page.contains("id=\"record\"") && !page.contains("http:") && !page.contains("https:"));
    assert!(!page.contains("connect-src"));
    let again = folder.ok("play data.csv -k 3 --export again.html");
    assert!(again.contains("60 rows, 3 components: written to again.html"), "{again}");
    assert_eq!(folder.read("again.html"), page, "the same bits");
    assert_eq!(folder.ok("play data.csv -k 3 --export -"), page);
}

#[test]
fn what_cannot_be_shown_is_told() {
    let folder = Folder::with_data();
    folder.write("wide.csv", "a,b,c\n1,2,3\n4,5,6\n7,8,1\n");
    folder.write("text.csv", "a,b\n1,x\n");
    folder.fails("play -k 9", 2, &["9", "1 to 8"]);
    folder.fails("play -k 0", 2, &["0"]);
    folder.fails("play --init kmeans", 2, &["random", "k-means++"]);
    folder.fails("play --port 70000", 2, &["70000"]);
    folder.fails("play --export page.pdf", 2, &["page.pdf", ".html"]);
    folder.fails("play --export page.html --port 80", 2, &["--port"]);
    folder.fails("play data.txt", 2, &["data.txt"]);
    folder.fails("play nowhere.csv", 1, &["nowhere.csv"]);
    folder.fails("play wide.csv", 1, &["wide.csv", "3 columns", "--columns A,B"]);
    folder.fails("play wide.csv --columns a,c -k 4", 1, &["3 rows", "-k"]);
    folder.fails("play text.csv", 1, &["text.csv", "x"]);
    folder.ok("play wide.csv --columns a,c -k 2 --export page.html");
}
