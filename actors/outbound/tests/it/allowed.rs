//! Who may be asked: the list's grammar, every odd way to write an address, and requests that cannot be sent.

use outbound::{Body, Client, Expect, Kind, Options, Policy, Request};

/// Of what kind the refusal is that needs no look-up, or `ok`.
fn verdict(entries: &[&str], url: &str) -> &'static str {
    let policy = Policy::parse(entries).unwrap_or_else(|bad| panic!("{bad}"));
    let checked = Client::new(policy, Options::default()).check(&Request::get(url));
    checked.map_or_else(|error| error.kind.name(), |()| "ok")
}

#[track_caller]
fn check(entries: &[&str], urls: &[(&str, &str)]) {
    let wrong = urls.iter().map(|(url, expected)| (url, *expected, verdict(entries, url)));
    let wrong: Vec<_> = wrong.filter(|(_, expected, found)| expected != found).collect();
    assert!(wrong.is_empty(), "{entries:?}: {wrong:#?}");
}

#[test]
fn nobody_without_a_list() {
    let none = "not_allowed";
    check(
        &[],
        &[
            ("https://example.org/", none),
            ("http://1.1.1.1/", none),
            ("http://127.0.0.1/", "private_address"),
        ],
    );
}

#[test]
fn names() {
    check(
        &["api.example.org", "*.example.net", "Ports.Example.org:8443", "bücher.example"],
        &[
            ("https://api.example.org/", "ok"),
            ("http://api.example.org:8080/x?y#z", "ok"),
            ("https://API.EXAMPLE.ORG/", "ok"),
            ("https://api.example.org./", "ok"),
            ("https://api.example.org../", "invalid"),
            ("https://api.example.org.evil.example/", "not_allowed"),
            ("https://xapi.example.org/", "not_allowed"),
            ("https://example.org/", "not_allowed"),
            ("https://a.example.net/", "ok"),
            ("https://a.b.example.net/", "ok"),
            ("https://example.net/", "not_allowed"),
            ("https://.example.net/", "invalid"),
            ("https://evilexample.net/", "not_allowed"),
            ("https://ports.example.org:8443/", "ok"),
            ("https://ports.example.org/", "not_allowed"),
            ("https://bücher.example/", "ok"),
            ("https://xn--bcher-kva.example/", "ok"),
            ("https://b\u{fc}cher.example/", "ok"),
            // Full-width letters and a full stop of another script are the same name to every browser.
            ("https://ａｐｉ.example。org/", "ok"),
            ("https://%61pi.example.org/", "ok"),
        ],
    );
}

#[test]
fn what_is_no_host() {
    check(
        &["*", "127.0.0.1"],
        &[
            ("https://user@example.org/", "invalid"),
            ("https://user:secret@example.org/", "invalid"),
            ("https://example.org:secret@127.0.0.1/", "invalid"),
            ("https://example.org:0/", "invalid"),
            ("https://example.org:99999/", "invalid"),
            ("https:///", "invalid"),
            ("example.org", "invalid"),
            ("", "invalid"),
            ("//example.org/", "invalid"),
            ("https://exa mple.org/", "invalid"),
            ("https://example.org/\r\nHost: evil", "invalid"),
            ("https://exam\tple.org/", "invalid"),
            ("https://exa\u{0}mple.org/", "invalid"),
            ("ftp://example.org/", "not_allowed"),
            ("file:///etc/passwd", "not_allowed"),
            ("gopher://127.0.0.1:25/_x", "not_allowed"),
            ("data:text/plain,x", "not_allowed"),
            ("javascript:alert(1)", "not_allowed"),
            ("unix:/run/docker.sock", "not_allowed"),
            ("ws://example.org/", "not_allowed"),
            // A backslash is a slash, and what is behind it a path.
            ("http://example.org\\@127.0.0.2/", "ok"),
        ],
    );
}

/// With `*`, which is everybody public.
#[test]
fn odd_spellings_of_what_is_not_public() {
    let refused = [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://127.0.0.1./",
        "http://127.0.0.0x1/",
        "http://１２７.0.0.1/",
        "http://127。0。0。1/",
        "http://%31%32%37.0.0.1/",
        "http://0/",
        "http://0.0.0.0/",
        "http://[::]/",
        "http://[::1]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::127.0.0.1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[0:0:0:0:0:ffff:10.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[64:ff9b:1::1]/",
        "http://[2002:7f00:1::]/",
        "http://[2001::1]/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://[ff02::1]/",
        "http://[fd00:ec2::254]/",
        "http://10.0.0.1/",
        "http://10.1/",
        "http://0xa000001/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0xa9fea9fe/",
        "http://2852039166/",
        "http://[::ffff:169.254.169.254]/",
        "http://168.63.129.16/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
    ];
    let refused: Vec<_> = refused.iter().map(|url| (*url, "private_address")).collect();
    check(&["*"], &refused);
    check(
        &["*"],
        &[("http://1.1.1.1/", "ok"), ("http://[2606:4700::1111]/", "ok"), ("http://16843009/", "ok")],
    );
    check(&["*"], &[("http://[fe80::1%25eth0]/", "invalid"), ("http://256.0.0.1/", "invalid")]);
    check(&["*"], &[("http://1.1.1.1.1/", "invalid"), ("http://0x100000000/", "invalid")]);
}

#[test]
fn addresses_that_are_listed() {
    let refused = "private_address";
    check(
        &[
            "10.0.0.5",
            "192.168.0.0/16",
            "[fd12::1]:8080",
            "172.16.0.0/12:5678",
            "169.254.0.0/16",
            "0.0.0.0/0:99",
        ],
        &[
            ("http://10.0.0.5/", "ok"),
            ("http://10.0.0.5:8080/", "ok"),
            ("http://[::ffff:10.0.0.5]/", "ok"),
            ("http://0xa000005/", "ok"),
            ("http://10.0.0.6/", refused),
            ("http://192.168.77.1/", "ok"),
            ("http://192.169.0.1/", "not_allowed"),
            ("http://[fd12::1]:8080/", "ok"),
            ("http://[fd12::1]/", refused),
            ("http://172.31.255.255:5678/", "ok"),
            ("http://172.31.255.255/", refused),
            ("http://127.0.0.1/", refused),
            // A network does not let anybody to the keys of a cloud's machine, nor to where nobody is.
            ("http://169.254.169.254/", refused),
            ("http://169.254.1.1/", "ok"),
            ("http://0.0.0.0:99/", refused),
            ("http://224.0.0.1:99/", refused),
            ("http://1.1.1.1:99/", "ok"),
            ("http://127.0.0.1:99/", "ok"),
        ],
    );
    check(&["169.254.169.254"], &[("http://169.254.169.254/", "ok"), ("http://169.254.170.2/", refused)]);
}

#[test]
fn a_list_within_a_list() {
    let list = |entries: &[&str]| Policy::parse(entries).expect("a good list");
    let outer = list(&["*.example.org", "10.0.0.0/8"]);
    let narrowed = outer.narrowed(list(&["*", "10.0.0.5", "127.0.0.1"]));
    let twice = outer.narrowed(list(&["a.example.org", "b.example.org"]).narrowed(list(&["*"])));
    let of = |policy: &Policy, url: &str| {
        let checked = Client::new(policy.clone(), Options::default()).check(&Request::get(url));
        checked.map_or_else(|error| error.kind.name(), |()| "ok")
    };
    for (url, once, again) in [
        ("http://a.example.org/", "ok", "ok"),
        ("http://c.example.org/", "ok", "not_allowed"),
        ("http://example.com/", "not_allowed", "not_allowed"),
        ("http://10.0.0.5/", "ok", "private_address"),
        ("http://10.0.0.6/", "private_address", "private_address"),
        ("http://127.0.0.1/", "private_address", "private_address"),
    ] {
        assert_eq!((of(&narrowed, url), of(&twice, url)), (once, again), "{url}");
    }
    assert_eq!(of(&outer.narrowed(Policy::default()), "http://a.example.org/"), "not_allowed");
    assert_eq!(of(&Policy::default().narrowed(outer), "http://a.example.org/"), "not_allowed");
}

#[test]
fn entries_that_are_none() {
    let bad = [
        "https://example.org",
        "example.org/path",
        "user@example.org",
        "exa mple.org",
        "",
        "*example.org",
        "a.*.example.org",
        "*.10.0.0.1",
        "127.1",
        "0x7f.0.0.1",
        "10.0.0.0/33",
        "10.0.0.1/8",
        "10.0.0.0/x",
        "::1/129",
        "example.org:0",
        "example.org:99999",
        "example.org:",
        "example.org:http",
    ];
    let wrong = Policy::parse(bad).expect_err("none of them is one").0;
    assert_eq!(wrong.iter().map(|(entry, _)| entry.as_str()).collect::<Vec<_>>(), bad);
    let good =
        ["localhost:5678", "::1", "[::1]", "[::1]:80", "10.0.0.0/8:80", "[fd00::]/8", "*", "*:443", "*.x"];
    assert_eq!(Policy::parse(good).err(), None);
}

#[test]
fn requests_that_cannot_be_sent() {
    let policy = || Policy::parse(["*"]).expect("a good list");
    let of = |request: Request| {
        let checked = Client::new(policy(), Options::default()).check(&request);
        checked.map_or_else(|error| error.kind, |()| panic!("{request:?} can be sent"))
    };
    let get = || Request::get("https://example.org/");
    let header =
        |name: &str, value: &str| Request { headers: vec![(name.to_owned(), value.to_owned())], ..get() };
    for method in ["CONNECT", "TRACE", "", "GET /x HTTP/1.1\r\n", "PROPFIND"] {
        assert_eq!(of(Request { method: method.to_owned(), ..get() }), Kind::Invalid, "{method}");
    }
    for name in [
        "Host",
        "connection",
        "Transfer-Encoding",
        "Content-Length",
        "TE",
        "Upgrade",
        "Keep-Alive",
        "Trailer",
    ] {
        assert_eq!(of(header(name, "x")), Kind::Invalid, "{name}");
    }
    for (name, value) in
        [("", "x"), ("a b", "x"), ("a:", "x"), ("a\r\nb", "x"), ("ä", "x"), ("a", "x\r\nHost: b")]
    {
        assert_eq!(of(header(name, value)), Kind::Invalid, "{name:?} {value:?}");
    }
    assert_eq!(of(header("a", "x\0")), Kind::Invalid);
    assert_eq!(of(header("a", "ü")), Kind::Invalid);
    assert_eq!(of(header("a", &"x".repeat(40_000))), Kind::TooLarge);
    assert_eq!(of(Request { headers: vec![("a".to_owned(), String::new()); 65], ..get() }), Kind::TooLarge);
    let twice = Request { idempotency_key: Some("1".to_owned()), ..header("idempotency-key", "2") };
    assert_eq!(of(twice), Kind::Invalid);
    assert_eq!(of(Request { idempotency_key: Some("a\nb".to_owned()), ..get() }), Kind::Invalid);
    assert_eq!(of(Request::post("https://example.org/", Body::Bytes(vec![0; 9 << 20]))), Kind::TooLarge);
    assert_eq!(of(Request::get(format!("https://example.org/{}", "x".repeat(20_000)))), Kind::Invalid);
}

#[test]
fn what_is_logged_of_a_request_is_no_secret() {
    let headers = vec![("Authorization".to_owned(), "c0ffee1".to_owned())];
    let query = vec![("key".to_owned(), "c0ffee2".to_owned())];
    let post = Request::post("https://example.org/c0ffee3?c0ffee4", Body::Text("c0ffee5".to_owned()));
    let shown = format!("{:?}", Request { headers, query, ..post });
    assert!(!shown.contains("c0ffee") && shown.contains("https://example.org"), "{shown}");
}

#[test]
fn statuses_as_they_are_written() {
    for good in ["200", "2xx", "200-299", "5xx", "599"] {
        assert!(Expect::parse(good).is_some(), "{good}");
    }
    for bad in ["", "20", "600", "6xx", "xx", "2x", "299-200", "-200", "200-", "2xx-3xx", "ok"] {
        assert!(Expect::parse(bad).is_none(), "{bad}");
    }
}
