//! A root to test on, with something outside of it that must never be seen or touched.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use jsonschema::Validator;
use protocol::{Caller, Cancel, Context, Entry, Error, Run, Shape, Way};
use serde_json::Value;
use serde_json::value::RawValue;
use tempfile::TempDir;

use crate::config::{Mode, Root, Settings};
use crate::service::Fs;

/// What the file outside the root begins with.
pub(crate) const CANARY: &str = "CANARY";

/// A subset of the result, or the `kind` of the error.
pub(crate) type Expected = Result<Value, &'static str>;

pub(crate) struct World {
    /// Keeps everything until the test is over.
    _dir: TempDir,
    /// What holds `root` and `outside`. Deep enough in the temporary directory that even a broken confinement
    /// could not reach anything real from the links that the tests lay.
    pub(crate) base: PathBuf,
    pub(crate) fs: Fs,
    pub(crate) entries: BTreeMap<String, Entry>,
    pub(crate) tier: String,
    pub(crate) cancel: Cancel,
    /// Files are being swapped during the calls.
    pub(crate) racing: bool,
    turn: AtomicBool,
}

/// Mode, time of change and hash of the content.
type About = (u32, i64, i64, String);

/// Everything about the files outside that must stay as it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outside(BTreeMap<PathBuf, About>);

impl World {
    /// `root/` at `/`, `outside/` beside it, default limits.
    pub(crate) fn new() -> Self {
        Self::with(|_, _| {})
    }

    /// The same with other settings.
    pub(crate) fn with(change: impl FnOnce(&mut Settings, &Path)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("1/2/3/4/5/6");
        fs::create_dir_all(base.join("root")).unwrap();
        let outside = base.join("outside");
        fs::create_dir_all(outside.join("canary_directory")).unwrap();
        fs::write(outside.join("canary.txt"), format!("{CANARY}{}", "!".repeat(7771))).unwrap();
        fs::write(outside.join("canary_directory/inner.txt"), CANARY).unwrap();
        fs::write(outside.join("shared.txt"), "shared by a hard link").unwrap();
        let mut settings = Settings { roots: vec![root("/", base.join("root"))], ..Settings::default() };
        change(&mut settings, &base);
        let fs = Fs::open(&settings).unwrap();
        let blocking = crate::methods(&fs).into_iter().filter(|entry| entry.run == Run::Blocking);
        let entries = blocking.map(|entry| (entry.name.clone(), entry)).collect();
        Self {
            _dir: dir,
            base,
            fs,
            entries,
            tier: "PRO".to_owned(),
            cancel: Cancel::new(),
            racing: false,
            turn: AtomicBool::new(false),
        }
    }

    /// The host path of a path in the root.
    pub(crate) fn host(&self, inside: &str) -> PathBuf {
        self.base.join("root").join(inside)
    }

    pub(crate) fn file(&self, inside: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.host(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn directory(&self, inside: &str) -> &Self {
        fs::create_dir_all(self.host(inside)).unwrap();
        self
    }

    pub(crate) fn link(&self, inside: &str, target: impl AsRef<Path>) -> &Self {
        symlink(target, self.host(inside)).unwrap();
        self
    }

    pub(crate) fn text(&self, inside: &str) -> String {
        fs::read_to_string(self.host(inside)).unwrap()
    }

    /// Whether a name is in the root, dangling links included.
    pub(crate) fn has(&self, inside: &str) -> bool {
        self.host(inside).symlink_metadata().is_ok()
    }

    /// All names in a directory of the root, reserved ones included.
    pub(crate) fn names(&self, inside: &str) -> Vec<String> {
        let entries = fs::read_dir(self.host(inside)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Calls `mcp.fs.METHOD`; an array goes by position, an object by name.
    pub(crate) fn call(&self, method: &str, params: &Value) -> Result<Value, Error> {
        let params = RawValue::from_string(params.to_string()).unwrap();
        let by_name = params.get().starts_with('{');
        let text = self.call_raw(method, params)?;
        let result = serde_json::from_str(&text).unwrap();
        let entry = self.entry(method);
        if (by_name || entry.original_field.is_none())
            && let Err(error) = published(entry).validate(&result)
        {
            panic!("mcp.fs.{method}'s result is not what its schema says: {error}\n{result}");
        }
        Ok(result)
    }

    /// Calls with params as they are, and gives the result as it is.
    pub(crate) fn call_raw(&self, method: &str, params: Box<RawValue>) -> Result<String, Error> {
        // While files are being swapped the two answers may differ: then they take turns.
        let turn = self.racing && self.turn.fetch_xor(true, Ordering::Relaxed);
        let at_once = self.call_at_once(method, &params);
        if let (true, Some(outcome)) = (turn, &at_once) {
            return outcome.clone();
        }
        let future = pin!(self.entry(method).invoke(self.context(shape(&params)), Some(params)));
        // Blocking methods never wait for anything but the disk.
        let outcome = match future.poll(&mut std::task::Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome.map(|payload| payload.as_str().to_owned()),
            Poll::Pending => panic!("mcp.fs.{method} awaited something"),
        };
        if let (false, Some(Ok(at_once)), Ok(outcome)) = (self.racing, &at_once, &outcome) {
            assert_eq!(at_once, outcome, "mcp.fs.{method} answers otherwise when it does not wait");
        }
        outcome
    }

    /// The answer that takes no waiting, if there is one.
    fn call_at_once(&self, method: &str, params: &RawValue) -> Option<Result<String, Error>> {
        let outcome = self.entry(method).try_now(&self.context(shape(params)), Some(params), true)?;
        Some(outcome.map(|payload| payload.as_str().to_owned()))
    }

    fn entry(&self, method: &str) -> &Entry {
        &self.entries[&format!("mcp.fs.{method}")]
    }

    pub(crate) fn context(&self, shape: Shape) -> Context {
        Context {
            caller: Arc::new(Caller {
                name: "test".to_owned(),
                tier: self.tier.clone(),
                allow: None,
                way: Way::Internal,
                token: None,
                service: None,
                run: None,
            }),
            request_id: 1,
            deadline: Instant::now() + Duration::from_mins(1),
            cancel: self.cancel.clone(),
            shape,
            inputs: None,
            connection: None,
        }
    }

    #[track_caller]
    pub(crate) fn ok(&self, method: &str, params: &Value) -> Value {
        self.call(method, params).unwrap_or_else(|error| panic!("{method} {params}: {error:?}"))
    }

    /// Calls, and compares with a subset of the result or the kind of the error.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "tables read better without &")]
    pub(crate) fn check(&self, method: &str, params: Value, expected: Expected) {
        match (self.call(method, &params), expected) {
            (Ok(got), Ok(expected)) => {
                assert!(holds(&got, &expected), "{method} {params}\n got: {got}\nwant: {expected}");
            }
            (Err(error), Err(kind)) => assert_eq!(kind_of(&error), kind, "{method} {params}: {error}"),
            (got, expected) => panic!("{method} {params}\n got: {got:?}\nwant: {expected:?}"),
        }
    }

    /// What is outside now.
    pub(crate) fn outside(&self) -> Outside {
        let mut found = BTreeMap::new();
        collect(&self.base.join("outside"), &mut found);
        Outside(found)
    }

    /// Whether a text tells anything about what is outside, or where the root is.
    pub(crate) fn discloses(&self, text: &str) -> Option<String> {
        let content = fs::read(self.base.join("outside/canary.txt")).unwrap();
        let inner = fs::read(self.base.join("outside/canary_directory/inner.txt")).unwrap();
        let mut secrets = vec![
            CANARY.to_owned(),
            "Q0FOQVJZ".to_owned(),
            "inner.txt".to_owned(),
            r#""size":7777"#.to_owned(),
            self.base.to_string_lossy().into_owned(),
        ];
        for content in [content, inner] {
            secrets.push(blake3::hash(&content).to_hex()[..32].to_owned());
        }
        secrets.into_iter().find(|secret| text.contains(secret.as_str()))
    }
}

/// The compiled schema of a method's result, made once for all tests.
fn published(entry: &Entry) -> Arc<Validator> {
    static MADE: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let make = || Arc::new(jsonschema::draft202012::new(&entry.result()).unwrap());
    made.entry(entry.name.clone()).or_insert_with(make).clone()
}

fn shape(params: &RawValue) -> Shape {
    if params.get().starts_with('{') { Shape::Named } else { Shape::Original }
}

pub(crate) fn root(at: &str, path: PathBuf) -> Root {
    Root { at: at.to_owned(), path, mode: Mode::ReadWrite, tiers: Vec::new() }
}

/// `data.kind`, or the name of the code where there is none.
pub(crate) fn kind_of(error: &Error) -> &str {
    let kind = error.data.as_ref().and_then(|data| data["kind"].as_str());
    kind.unwrap_or_else(|| error.code.label())
}

/// Whether `got` has everything that `expected` has; arrays have the same length.
fn holds(got: &Value, expected: &Value) -> bool {
    match (got, expected) {
        (Value::Object(got), Value::Object(expected)) => expected
            .iter()
            .all(|(key, value)| holds(got.get(key).unwrap_or(&Value::String("(absent)".to_owned())), value)),
        (Value::Array(got), Value::Array(expected)) => {
            got.len() == expected.len()
                && got.iter().zip(expected).all(|(got, expected)| holds(got, expected))
        }
        _ => got == expected,
    }
}

fn collect(dir: &Path, found: &mut BTreeMap<PathBuf, About>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let about = path.symlink_metadata().unwrap();
        let content = if about.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        found.insert(
            path.clone(),
            (about.mode(), about.mtime(), about.mtime_nsec(), crate::etag::of_bytes(&content)),
        );
        if about.is_dir() {
            collect(&path, found);
        }
    }
}
