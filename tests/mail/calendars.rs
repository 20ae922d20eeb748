//! Calendars: as text, and out of the invitations in a folder.

use harness::run;
use serde_json::json;

use crate::{Scene, message};

fn event(uid: &str, sequence: u32, start: &str, more: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:{uid}\nSEQUENCE:{sequence}\n\
         DTSTART;TZID=Europe/Berlin:{start}\nDURATION:PT1H\nSUMMARY:Meeting {uid}\n{more}END:VEVENT\nEND:VCALENDAR\n"
    )
}

fn invitation(id: &str, ics: &str) -> String {
    let more = "MIME-Version: 1.0\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\n";
    message(id, "Invitation", more, ics)
}

#[test]
fn a_calendar_is_read_with_the_originals_fields() {
    run(async {
        let scene = Scene::new().await;
        let ics = event("one", 0, "20261201T100000", "RRULE:FREQ=WEEKLY;COUNT=3\n");
        let read = scene.client.ok("mcp.mail.parseIcalendar", json!({ "ics": ics })).await;
        let first = &read["events"][0];
        assert_eq!(
            (&first["type"], &first["dtstart"]),
            (&json!("VEVENT"), &json!("2026-12-01T10:00:00+01:00")),
            "{read}"
        );
        assert_eq!(
            (&first["summary"], &first["dtstart_zone"]),
            (&json!("Meeting one"), &json!("Europe/Berlin"))
        );
        assert_eq!(read["method"], "REQUEST");
        let bare = scene.client.ok("mcp.mail.parseIcalendar", json!([ics])).await;
        assert_eq!(bare[0]["uid"], "one");
        let error =
            scene.client.call("mcp.mail.parseIcalendar", json!({ "ics": "Dear all,\nsee you" })).await;
        assert_eq!(error.expect_err("it is none")["code"], -32034);
    });
}

#[test]
fn what_happens_is_what_the_latest_invitation_says() {
    run(async {
        let scene = Scene::new().await;
        for (id, ics) in [
            (
                "a",
                event(
                    "weekly",
                    0,
                    "20261201T100000",
                    "RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE;TZID=Europe/Berlin:20261208T100000\n",
                ),
            ),
            ("b", event("moved", 0, "20261202T100000", "")),
            ("c", event("moved", 1, "20261203T150000", "")),
            ("d", event("off", 0, "20261204T100000", "")),
            ("e", event("off", 1, "20261204T100000", "").replace("METHOD:REQUEST", "METHOD:CANCEL")),
            ("f", event("later", 0, "20270601T100000", "")),
            ("g", "no calendar at all".to_owned()),
        ] {
            scene.dovecot.deliver("alice", "INBOX", &invitation(id, &ics));
        }
        let asked =
            json!({ "account_id": "alice", "start": "2026-12-01T00:00:00Z", "end": "2027-01-01T00:00:00Z" });
        let found = scene.client.ok("mcp.mail.listEvents", asked).await;
        let events: Vec<_> = found["events"]
            .as_array()
            .expect("events")
            .iter()
            .map(|event| {
                (
                    event["summary"].as_str().expect("a summary"),
                    event["occurrence_start"].as_str().expect("a time"),
                )
            })
            .collect();
        let expected = [
            ("Meeting weekly", "2026-12-01T10:00:00+01:00"),
            ("Meeting moved", "2026-12-03T15:00:00+01:00"),
            ("Meeting weekly", "2026-12-15T10:00:00+01:00"),
        ];
        assert_eq!(events, expected, "{found}");
        assert_eq!(found["problems"].as_array().map(Vec::len), Some(1), "{found}");
        assert_eq!(scene.dovecot.seen("alice", "INBOX"), 0);
    });
}
