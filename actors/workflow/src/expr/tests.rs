//! What templates come to; and what nobody can make of them.

use serde_json::json;

use super::*;

fn scope() -> Scope {
    let mut scope = Scope::default();
    scope.set("inputs", &json!({ "n": 3, "name": "Ada", "list": [1, 2], "none": null }));
    scope.set_in("steps", "read", &json!({ "content": "{{ 7 * 7 }} {% raw %}", "a": [{ "b": true }] }));
    scope.set("secrets", &json!({ "key": "hunter2" }));
    scope
}

#[track_caller]
fn check(template: &str, expected: Value) {
    assert_eq!(text(template, &scope()), Ok(expected), "{template}");
}

#[test]
fn one_expression_keeps_its_type_and_text_is_text() {
    check("{{ inputs.n }}", json!(3));
    check("{{ inputs.list }}", json!([1, 2]));
    check("{{ inputs.none }}", json!(null));
    check("{{ inputs.n > 2 }}", json!(true));
    check("{{ inputs.n * 1.5 }}", json!(4.5));
    check("{{ inputs.n }}\n", json!("3\n"));
    check("n={{ inputs.n }}", json!("n=3"));
    check("{{ inputs.n }}{{ inputs.n }}", json!("33"));
    check("{{ '}}' }}", json!("}}"));
    check("{{ steps.read.a[0].b }}", json!(true));
    check("{{ {'a': inputs.n} }}", json!({ "a": 3 }));
    check("plain", json!("plain"));
    check("{% for i in inputs.list %}{{ i }};{% endfor %}", json!("1;2;"));
    check("{{ inputs.x | default('y') }}", json!("y"));
    check("{{ inputs.list | tojson }}", json!("[1, 2]"));
    check("{{ inputs.name | upper }}", json!("ADA"));
}

#[test]
fn times_are_shifted_and_become_days() {
    check("{{ '2026-03-29T00:30:00Z' | plus('1h30m') }}", json!("2026-03-29T02:00:00Z"));
    check("{{ '2026-03-01T00:30:00Z' | minus('1d') | date }}", json!("2026-02-28"));
    check("{{ '2026-02-28T23:30:00Z' | date('Europe/Berlin') }}", json!("2026-03-01"));
    for wrong in [
        "{{ 'noon' | date }}",
        "{{ inputs.name | plus('1d') }}",
        "{{ '2026-03-01T00:00:00Z' | plus('x') }}",
        "{{ '2026-03-01T00:00:00Z' | date('Mars/Base') }}",
    ] {
        assert!(text(wrong, &scope()).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_put_in_is_never_looked_at_again() {
    check("{{ steps.read.content }}", json!("{{ 7 * 7 }} {% raw %}"));
    check("<{{ steps.read.content }}>", json!("<{{ 7 * 7 }} {% raw %}>"));
    let made = render(&json!({ "with": ["{{ steps.read.content }}"] }), &scope());
    assert_eq!(made, Ok(json!({ "with": ["{{ 7 * 7 }} {% raw %}"] })));
}

/// What a file, a mail or a model may say, hoping to be evaluated. None is: each comes out as it came in.
#[test]
fn attempts_to_be_evaluated() {
    let attempts = [
        "{{ secrets.key }}",
        "{{secrets['key']}}",
        "{% for x in secrets %}{{ x }}{% endfor %}",
        "{% set inputs = secrets %}",
        "{{ ''.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "${{ secrets.key }}",
        "${secrets.key}",
        "#{secrets.key}",
        "<%= secrets.key %>",
        "}} {{ secrets.key }} {{",
        "' + secrets.key + '",
        "\" ~ secrets.key ~ \"",
        "x' }}{{ secrets.key }}{{ 'x",
        "{{ steps.read }}",
        "{{ \"{{ secrets.key }}\" }}",
        "{{- secrets.key -}}",
        "{# {{ secrets.key }} #}",
        "{% raw %}{{ secrets.key }}{% endraw %}",
        "{% include '/etc/passwd' %}",
        "{% import 'x' as y %}",
        "{{ range(100000000) }}",
        "{{ self }}",
        "__import__('os').system('id')",
        "default(__import__('os'))",
        "{{ namespace() }}",
        "\u{0}{{ secrets.key }}",
        "{\u{200b}{ secrets.key }}",
        "%7B%7B secrets.key %7D%7D",
    ];
    for attempt in attempts {
        let mut scope = scope();
        scope.set_in("steps", "got", &json!({ "content": attempt, attempt: attempt }));
        for template in ["{{ steps.got.content }}", "{{ steps.got['content'] }}"] {
            assert_eq!(text(template, &scope), Ok(json!(attempt)), "{attempt}");
        }
        let around = text("a {{ steps.got.content }} b", &scope);
        assert_eq!(around, Ok(json!(format!("a {attempt} b"))), "{attempt}");
        let whole = render(&json!({ "x": "{{ steps.got }}" }), &scope).unwrap();
        assert_eq!(whole["x"][attempt], attempt);
        assert!(!whole.to_string().contains("hunter2"), "{attempt}");
        let replaced = text("{{ 'say LIT' | replace('LIT', steps.got.content) }}", &scope);
        assert_eq!(replaced, Ok(json!(format!("say {attempt}"))), "{attempt}");
        assert_eq!(holds("steps.got.content == 'x'", &scope), Ok(false), "{attempt}");
    }
}

#[test]
fn what_is_not_there_is_an_error() {
    for bad in [
        "{{ nothing }}",
        "{{ inputs.m }}",
        "a {{ inputs.m }}",
        "{{ steps.gone.x }}",
        "{{ inputs.x.y }}",
        "{{ nothing() }}",
    ] {
        assert!(text(bad, &scope()).is_err(), "{bad}: {:?}", text(bad, &scope()));
    }
    assert!(holds("inputs.m", &scope()).is_err());
    assert!(text("{{ inputs.n", &scope()).unwrap_err().contains("is no template"));
}

#[test]
fn nobody_waits_for_long() {
    let begun = std::time::Instant::now();
    for long in [
        "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{{ 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' * 99 }}{% endfor %}",
        "{{ range(100000000000) }}",
    ] {
        assert!(text(long, &scope()).is_err(), "{long}");
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn conditions_are_written_either_way() {
    let check =
        |condition: &str, expected| assert_eq!(holds(condition, &scope()), Ok(expected), "{condition}");
    check("inputs.n == 3", true);
    check("{{ inputs.n == 3 }}", true);
    check("inputs.n > 3 or 'x' in inputs.name", false);
    check("inputs.none is none", true);
    check("inputs.x is defined", false);
}

#[test]
fn names_are_found_before_anything_runs() {
    let check = |text: &str, expected: &[&str]| {
        let mut found = names(text).unwrap();
        found.sort();
        assert_eq!(found, expected, "{text}");
    };
    check("{{ steps.read.content }} {{ inputs.n }}", &["inputs.n", "steps.read.content"]);
    check("{% for x in inputs.list %}{{ x }}{% endfor %}", &["inputs.list"]);
    check("{{ nothing }}", &["nothing"]);
    check("no names", &[]);
}
