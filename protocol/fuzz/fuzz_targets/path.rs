//! No path leads out of the root: not by what it says, not by the links that lie there; and no call changes or
//! shows what is outside.
#![no_main]

use std::fs;
use std::future::Future;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use fs_service::{Fs, VirtualPath};
use libfuzzer_sys::fuzz_target;
use protocol::{Caller, Cancel, Context, Entry, Shape, Way};
use serde_json::{Value, json};

/// What stands in the file outside; no answer may hold it.
const SECRET: &str = "s3cr3t-0f-th3-h0st";

/// A root, what is around it, and the service over it.
struct World {
    outside: PathBuf,
    entries: Vec<Entry>,
    _folder: tempfile::TempDir,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    // In memory, where it can be: every write is synced.
    let memory = tempfile::tempdir_in("/dev/shm");
    let folder = memory.or_else(|_| tempfile::tempdir()).expect("a folder");
    let (root, outside) = (folder.path().join("root"), folder.path().join("outside"));
    fs::create_dir_all(root.join("dir/inner")).expect("a folder");
    fs::create_dir(&outside).expect("a folder");
    for (path, text) in
        [(outside.join("secret"), SECRET), (root.join("file"), "plain"), (root.join("dir/file"), "plain")]
    {
        fs::write(path, text).expect("a file");
    }
    let link = |to: &Path, from: &str| symlink(to, root.join(from)).expect("a link");
    link(&outside, "absolute");
    link(Path::new("../outside"), "up");
    link(Path::new("../../outside/secret"), "dir/up");
    link(Path::new("dir"), "down");
    link(Path::new("loop"), "loop");
    link(Path::new("/proc/self/root"), "magic");
    link(Path::new("/proc/self/cwd"), "dir/inner/magic");
    link(Path::new("missing"), "dangling");
    fs::hard_link(root.join("file"), root.join("hard")).expect("a link");
    let settings = fs_service::Settings {
        roots: vec![fs_service::Root {
            at: "/".into(),
            path: root,
            mode: fs_service::Mode::ReadWrite,
            tiers: Vec::new(),
        }],
        ..Default::default()
    };
    let service = Fs::open(&settings).expect("the root opens");
    World { outside, entries: fs_service::methods(&service), _folder: folder }
});

fn context() -> Context {
    let caller = Caller {
        name: "fuzzer".into(),
        tier: "ELITE".into(),
        allow: None,
        way: Way::Internal,
        token: None,
        service: None, run: None,
    };
    Context {
        caller: Arc::new(caller),
        request_id: 1,
        deadline: Instant::now() + Duration::from_secs(10),
        cancel: Cancel::new(),
        shape: Shape::Named,
        inputs: None,
        connection: None,
    }
}

/// Runs a method that never waits.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut std::task::Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a method of the file service waits"),
    }
}

/// What shows that somebody was outside: the file there, the host's users, the place of the root.
fn signs() -> [&'static str; 3] {
    [SECRET, "root:x:0", WORLD.outside.parent().and_then(Path::to_str).expect("a path")]
}

/// Calls a method; whatever it says, it says nothing of what is outside. Returns what it answered.
fn call(method: &str, params: &Value) -> Option<Value> {
    let entry = WORLD.entries.iter().find(|entry| entry.name == method).expect("the method is there");
    let raw = serde_json::value::to_raw_value(params).expect("JSON");
    let (said, answer) = match now(entry.invoke(context(), Some(raw))) {
        Ok(payload) => (payload.as_str().to_owned(), serde_json::from_str(payload.as_str()).ok()),
        Err(error) => (format!("{} {:?}", error.message, error.data), None),
    };
    for sign in signs() {
        assert!(!said.contains(sign), "{method} {params} shows {sign}: {said}");
    }
    answer
}

/// Writes a file where nothing is.
fn call_to_write(path: &str) -> Option<Value> {
    call("mcp.fs.write", &json!({ "path": path, "content": "fuzz", "if_match": "none" }))
}

/// What is outside is as it was.
fn check_outside(text: &str) {
    let names = fs::read_dir(&WORLD.outside).expect("it is there").count();
    let secret = fs::read_to_string(WORLD.outside.join("secret")).unwrap_or_default();
    assert!(names == 1 && secret == SECRET, "{text:?} changed what is outside");
}

fuzz_target!(|text: &str| {
    // An error repeats the path: what is looked for in answers must not come from the question.
    if signs().iter().any(|sign| text.contains(sign)) {
        return;
    }
    let Ok(path) = text.parse::<VirtualPath>() else {
        // Every method reads it the same way.
        assert!(call("mcp.fs.read", &json!({ "path": text })).is_none() && call_to_write(text).is_none());
        return;
    };
    assert_eq!(path.as_str().parse::<VirtualPath>().as_ref(), Ok(&path), "one form");
    assert!(path.as_str().starts_with('/') && !path.as_str().contains('\0'));
    assert!(path.names().all(|name| !matches!(name, "" | "." | "..") && !name.contains('/')));
    assert_eq!(path.names().count() == 0, path.is_top());
    for method in ["mcp.fs.stat", "mcp.fs.list", "mcp.fs.read", "mcp.fs.hash", "mcp.fs.tree"] {
        call(method, &json!({ "path": text }));
    }
    call("mcp.fs.find", &json!({ "path": text, "pattern": "*" }));
    call("mcp.fs.grep", &json!({ "path": text, "pattern": "." }));
    call("mcp.fs.copy", &json!({ "from": text, "to": "/copy", "recursive": true }));
    call("mcp.fs.delete", &json!({ "path": "/copy", "recursive": true, "permanent": true }));
    // What is there is left as it is, so that the next path finds it; what was not is removed again.
    if call_to_write(text).is_some() {
        call("mcp.fs.delete", &json!({ "path": text, "permanent": true }))
            .expect("what was made can be removed");
    }
    let made = call("mcp.fs.mkdir", &json!({ "path": text }));
    if made.is_some_and(|made| made["created"] == true) {
        call("mcp.fs.delete", &json!({ "path": text, "permanent": true }))
            .expect("what was made can be removed");
    }
    check_outside(text);
});
