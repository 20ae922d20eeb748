//! read, `multi_read`, hash.

use serde_json::json;

use super::World;

#[test]
fn read_has_the_originals_shape() {
    let world = World::new();
    world.file("a.txt", "grüße");
    world.check(
        "read",
        json!(["/a.txt"]),
        Ok(json!({"path": "/a.txt", "content": "grüße", "encoding": "text", "mime_type": "text/plain",
            "size": 7, "offset": 0, "next_offset": null})),
    );
    world.check(
        "read",
        json!(["/a.txt", "base64"]),
        Ok(json!({"content": "Z3LDvMOfZQ==", "encoding": "base64"})),
    );
    world.check("read", json!(["/none"]), Err("not_found"));
    world.check("read", json!(["/"]), Err("is_a_directory"));
    world.check("read", json!(["/a.txt/b"]), Err("not_a_directory"));
}

#[test]
fn text_is_utf8_or_refused_in_the_originals_words() {
    let world = World::new();
    world.file("bin", b"\xff\xfe\x00");
    let error = world.call("read", &json!(["/bin"])).unwrap_err();
    assert_eq!(error.message, "File '/bin' is not valid UTF-8. Try 'base64' encoding.");
    assert_eq!(error.code.number(), -32011);
    world.check("read", json!(["/bin", "base64"]), Ok(json!({"content": "//4A"})));
}

#[test]
fn parts_by_bytes_never_cut_a_character() {
    let world = World::new();
    let text = "aä€😀".repeat(10);
    world.file("t", &text);
    for limit in 1..12 {
        let (mut offset, mut whole) = (json!(0), String::new());
        while !offset.is_null() {
            let part = world.ok("read", &json!({"path": "/t", "offset": offset, "limit": limit}));
            whole.push_str(part["content"].as_str().unwrap());
            offset = part["next_offset"].clone();
        }
        assert_eq!(whole, text, "limit {limit}");
    }
    world.check("read", json!({"path": "/t", "offset": 2}), Err("invalid_params"));
    world.check(
        "read",
        json!({"path": "/t", "offset": 9999}),
        Ok(json!({"content": "", "next_offset": null})),
    );
    world.check(
        "read",
        json!({"path": "/t", "offset": 2, "limit": 4, "encoding": "base64"}),
        Ok(json!({"offset": 2})),
    );
}

fn lines(numbers: std::ops::Range<u32>) -> String {
    numbers.fold(String::new(), |text, n| text + "line " + &n.to_string() + "\n")
}

#[test]
fn parts_by_lines() {
    let world = World::new();
    let check = |text: &str, params: serde_json::Value, content: &str| {
        world.file("l", text);
        let mut params = params;
        params["path"] = json!("/l");
        world.check("read", params, Ok(json!({"content": content})));
    };
    check("1\n2\n3\n", json!({"head": 2}), "1\n2\n");
    check("1\n2\n3\n", json!({"head": 0}), "");
    check("1\n2\n3", json!({"head": 9}), "1\n2\n3");
    check("1\n2\n3\n", json!({"head": 1, "offset": 2}), "2\n");
    check("1\n2\n3\n", json!({"tail": 2}), "2\n3\n");
    check("1\n2\n3", json!({"tail": 2}), "2\n3");
    check("1\n2\n3\n", json!({"tail": 9}), "1\n2\n3\n");
    check("1\n2\n3\n", json!({"tail": 0}), "");
    check("\n\n\n", json!({"tail": 1}), "\n");
    check("", json!({"tail": 1}), "");
    check("", json!({"head": 1}), "");
    let long = lines(0..50_000);
    check(&long, json!({"tail": 1}), "line 49999\n");
    let last = lines(30_000..50_000);
    check(&long, json!({"tail": 20_000}), &last);
    let first = lines(0..20_000);
    check(&long, json!({"head": 20_000}), &first);
    world.check("read", json!({"path": "/l", "head": 1, "tail": 1}), Err("invalid_params"));
    world.check("read", json!({"path": "/l", "offset": 1, "tail": 1}), Err("invalid_params"));
}

#[test]
fn one_answer_is_bounded_and_says_where_to_go_on() {
    let world = World::with(|settings, _| settings.read_bytes_max = 1024);
    world.file("big", "x".repeat(3000));
    world.check(
        "read",
        json!({"path": "/big"}),
        Ok(json!({"next_offset": 1024, "size": 3000, "etag": null})),
    );
    world.check("read", json!({"path": "/big", "limit": 9999}), Ok(json!({"next_offset": 1024})));
    world.check("read", json!({"path": "/big", "offset": 2048}), Ok(json!({"next_offset": null})));
    world.check("read", json!({"path": "/big", "tail": 5}), Ok(json!({"offset": 1976, "next_offset": null})));
    // Whoever calls as the original's clients do must not take a part for the whole.
    world.check("read", json!(["/big"]), Err("too_many_bytes"));
}

#[test]
fn links_inside_are_followed() {
    let world = World::new();
    world.file("sub/a", "inside").link("link", "sub/a").link("dir", "sub").link("sub/up", "../sub/a");
    for path in ["/link", "/dir/a", "/sub/up", "/dir/up"] {
        world.check("read", json!([path]), Ok(json!({"content": "inside"})));
    }
    world.link("loop", "loop");
    world.check("read", json!(["/loop"]), Err("link_loop"));
}

#[test]
fn multi_read_answers_every_path() {
    let world = World::with(|settings, _| settings.read_bytes_max = 1024);
    world.file("a", "1").file("b", "2").file("big", "x".repeat(2000)).file("late", "3");
    let answer = world.ok("multi_read", &json!([["/a", "/none", "../x", "/b", "/big", "/late"]]));
    let files = answer["files"].as_array().unwrap();
    let content = |n: usize| files[n]["file"]["content"].as_str().map(str::len);
    let error = |n: usize| files[n]["error"]["data"]["kind"].as_str();
    assert_eq!((content(0), content(3), content(4)), (Some(1), Some(1), Some(1022)));
    assert_eq!(
        (error(1), error(2), error(5)),
        (Some("not_found"), Some("not_absolute"), Some("no_room_in_answer"))
    );
    assert_eq!(files[4]["file"]["next_offset"], 1022);
    world.check("multi_read", json!([[]]), Ok(json!({"files": []})));
    world.check("multi_read", json!([vec!["/a"; 101]]), Err("invalid_params"));
}

#[test]
fn hash() {
    let world = World::new();
    world.file("abc", "abc").file("empty", "").directory("dir");
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let blake3 = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";
    world.check("hash", json!(["/abc"]), Ok(json!({"algorithm": "sha256", "hash": sha256, "size": 3})));
    world.check("hash", json!(["/abc", "blake3"]), Ok(json!({"hash": blake3})));
    world.check("hash", json!(["/empty"]), Ok(json!({"size": 0})));
    world.check("hash", json!(["/dir"]), Err("is_a_directory"));
}
