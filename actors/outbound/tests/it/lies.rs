//! A resolver that lies: names of the list that point to where nobody is let, and answers that change.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use outbound::{Client, Kind, Lookup, Policy, Request, Sent};

use crate::server::Server;
use crate::{failure, is, options};

/// Answers the next of its lists each time, the last one for ever.
struct Script {
    answers: Vec<Vec<&'static str>>,
    asked: Mutex<Vec<String>>,
}

impl Lookup for Script {
    fn lookup(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let mut asked = self.asked.lock().expect("no panic");
        let answer = &self.answers[asked.len().min(self.answers.len() - 1)];
        asked.push(name.to_owned());
        ready(Ok(answer.iter().map(|address| address.parse().expect("an address")).collect())).boxed()
    }
}

fn lying(entries: &[&str], answers: &[&[&'static str]]) -> (Client, Arc<Script>) {
    let answers = answers.iter().map(|answer| answer.to_vec()).collect();
    let script = Arc::new(Script { answers, asked: Mutex::default() });
    let policy = Policy::parse(entries).expect("a good list");
    let lookup = Arc::clone(&script) as Arc<dyn Lookup>;
    (Client::with_lookup(policy, options(), lookup), script)
}

const NOTHING: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn a_listed_name_at_an_address_that_is_not() {
    let server = Server::answering(NOTHING);
    let port = server.address.port();
    let places: &[&[&str]] = &[
        &["127.0.0.1"],
        &["::ffff:127.0.0.1"],
        &["0.0.0.0"],
        &["::"],
        &["::1", "127.0.0.1"],
        &["169.254.169.254"],
        &["10.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["fd00:ec2::254"],
    ];
    for answer in places {
        let (client, _) = lying(&["evil.example", "*.evil.example", "*"], &[answer]);
        let error = failure(&client, &Request::get(format!("http://evil.example:{port}/"))).await;
        is(&error, Kind::PrivateAddress, Sent::No);
    }
    assert!(server.heard().is_empty());
}

#[tokio::test]
async fn names_of_this_machine_are_no_names_of_others() {
    let server = Server::answering(NOTHING);
    let url = |name: &str| Request::get(format!("http://{name}:{}/", server.address.port()));
    // Whoever may ask localhost may not ask it by another name; and localhost is nowhere else.
    let (client, _) = lying(&["localhost", "evil.example"], &[&["127.0.0.1"]]);
    is(&failure(&client, &url("evil.example")).await, Kind::PrivateAddress, Sent::No);
    let (client, _) = lying(&["localhost"], &[&["10.0.0.1"]]);
    is(&failure(&client, &url("localhost")).await, Kind::PrivateAddress, Sent::No);
    // Both the name and the address are listed.
    let (client, _) = lying(&["n8n", "127.0.0.0/8"], &[&["127.0.0.1"]]);
    client.send(&url("n8n")).await.expect("an answer");
    // A narrower list has to have both, too.
    let narrowed = client.narrowed(Policy::parse(["n8n"]).expect("a good list"));
    is(&failure(&narrowed, &url("n8n")).await, Kind::PrivateAddress, Sent::No);
    // The network alone lets no name in.
    is(&failure(&client, &url("evil.example")).await, Kind::NotAllowed, Sent::No);
}

#[tokio::test]
async fn what_was_judged_is_what_is_connected_to() {
    let server = Server::answering(NOTHING);
    let request = Request::get(format!("http://a.example:{}/", server.address.port()));
    let (client, script) = lying(&["a.example", "127.0.0.1"], &[&["127.0.0.1"], &["127.0.0.2"]]);
    client.send(&request).await.expect("an answer");
    assert_eq!(*script.asked.lock().expect("no panic"), ["a.example"], "one look-up for one connection");
    is(&failure(&client, &request).await, Kind::PrivateAddress, Sent::No);
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn one_bad_address_does_not_spoil_the_others() {
    let server = Server::answering(NOTHING);
    let request = Request::get(format!("http://a.example:{}/", server.address.port()));
    let (client, _) = lying(&["a.example", "127.0.0.1"], &[&["10.0.0.1", "127.0.0.2", "::ffff:127.0.0.1"]]);
    client.send(&request).await.expect("an answer");
}

#[tokio::test]
async fn a_redirect_to_a_name_that_has_moved() {
    let outer = Server::start(|heard, stream| {
        let to = heard.header("host").unwrap_or_default();
        let answer = format!("HTTP/1.1 307 Again\r\nLocation: http://{to}/\r\nContent-Length: 0\r\n\r\n");
        drop(io::Write::write_all(stream, answer.as_bytes()));
    });
    let port = outer.address.port();
    let inner = Server::start_at([127, 0, 0, 2].into(), port, |_, _| {});
    let (client, _) = lying(&["a.example", "127.0.0.1"], &[&["127.0.0.1"], &["127.0.0.2"]]);
    let error = failure(&client, &Request::get(format!("http://a.example:{port}/"))).await;
    is(&error, Kind::PrivateAddress, Sent::Yes);
    assert_eq!((outer.heard().len(), inner.heard().len()), (1, 0));
}

#[tokio::test]
async fn a_name_without_an_address() {
    let (client, _) = lying(&["a.example"], &[&[]]);
    is(&failure(&client, &Request::get("http://a.example/")).await, Kind::Dns, Sent::No);
}

#[tokio::test]
async fn a_trailing_dot_and_other_spellings_are_one_name() {
    let server = Server::answering(NOTHING);
    let port = server.address.port();
    let (client, script) = lying(&["a.example", "127.0.0.1"], &[&["127.0.0.1"]]);
    for name in ["a.example.", "A.EXAMPLE", "%61.example", "ａ.example"] {
        client.send(&Request::get(format!("http://{name}:{port}/"))).await.expect(name);
    }
    assert!(script.asked.lock().expect("no panic").iter().all(|name| name == "a.example"));
    let host = format!("a.example:{port}");
    assert!(server.heard().iter().all(|heard| heard.header("host") == Some(&host)));
}
