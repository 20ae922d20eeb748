//! Whatever JSON is sent as params of whatever built-in method: an error that is short, or params that the method's
//! own schema takes, by name as by position.
#![no_main]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use protocol::{Code, Entry, Payload};
use serde_json::Value;
use serde_json::value::RawValue;

/// Every method of every capability file: what is built in, without the daemon.
static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../capabilities");
    let files = fs::read_dir(folder).expect("protocol/capabilities is there");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    let entries: Vec<_> = files.iter().flat_map(|path| entries(path)).collect();
    assert!(entries.len() > 20, "the capability files are read wrongly");
    entries
});

fn entries(path: &Path) -> Vec<Entry> {
    let text = fs::read_to_string(path).expect("a capability file");
    let mut file: Value = serde_json::from_str(&text).expect("JSON");
    let capabilities = file["capabilities"].as_array_mut().expect("capabilities").iter_mut();
    capabilities
        .map(|capability| {
            let name = capability["method"].as_str().expect("a name").to_owned();
            let (params, result) = (capability["params_schema"].take(), capability["result_schema"].take());
            let echo = |_, params: Value| -> protocol::dispatch::BoxFuture<'static, _> {
                Box::pin(async move { Ok(Payload::Owned(params.to_string())) })
            };
            Entry::remote(name, String::new(), &params, &result, echo).expect("schemas of ours compile")
        })
        .collect()
}

fuzz_target!(|input: (u8, &str)| {
    let (pick, text) = input;
    let entry = &ENTRIES[usize::from(pick) % ENTRIES.len()];
    let Ok(raw) = serde_json::from_str::<&RawValue>(text) else { return };
    match entry.read(Some(raw)) {
        Ok(value) => {
            assert!(value.is_object(), "{} takes {value}", entry.name);
            let members = value.as_object().into_iter().flatten();
            members
                .for_each(|(name, _)| assert!(entry.positions.contains(name), "{} takes {name}", entry.name));
            let again = serde_json::value::to_raw_value(&value).expect("a value can be written");
            assert_eq!(entry.read(Some(&again)).expect("what fits fits again"), value);
        }
        Err(error) => {
            assert_eq!(error.code, Code::InvalidParams);
            assert!(!error.message.is_empty() && error.message.len() < 8192, "{}", error.message);
            assert!(error.detail.is_none() && error.data.is_none());
        }
    }
});
