//! What is read of each of our messages is what somebody looked at and found right. `UPDATE=1` writes it anew.

use crate::shown::shown;
use crate::{messages, tests};

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a switch of the test, which the crate itself knows nothing of"
)]
fn messages_are_read_as_they_were_reviewed() {
    let (update, golden) = (std::env::var_os("UPDATE").is_some(), tests().join("golden"));
    let messages = messages(&tests().join("eml"));
    assert!(messages.len() >= 140, "{} messages", messages.len());
    let mut wrong = Vec::new();
    for (name, bytes) in &messages {
        let read = format!("{}\n", serde_json::to_string_pretty(&shown(bytes)).expect("JSON"));
        let path = golden.join(format!("{name}.json"));
        if update {
            std::fs::write(&path, &read).expect("written");
        } else if std::fs::read_to_string(&path).unwrap_or_default() != read {
            wrong.push(format!("--- {name}\n{read}"));
        }
    }
    let kept = std::fs::read_dir(&golden).expect("a folder").count();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(kept, messages.len(), "golden files without a message");
}

#[test]
fn line_ends_change_nothing_that_is_told() {
    for (name, bytes) in messages(&tests().join("eml")) {
        let unix: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != b'\r').collect();
        let mut told = [shown(&bytes), shown(&unix)];
        for told in &mut told {
            for part in told["parts"].as_array_mut().into_iter().flatten() {
                part["size"] = 0.into();
            }
            for nested in told["nested"].as_array_mut().into_iter().flatten() {
                nested["parts"] = serde_json::Value::Null;
            }
        }
        assert_eq!(told[0], told[1], "{name}");
    }
}
