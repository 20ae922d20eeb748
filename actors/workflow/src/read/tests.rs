//! What files are read as, and which mistakes are found where.

use super::*;
use crate::model::Kind;

fn good(text: &str) -> Workflow {
    read(text, "w.yaml", "w", "http://localhost:5678").unwrap_or_else(|wrong| panic!("{wrong}"))
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found = match read(text, "w.yaml", "w", "") {
        Ok(_) => String::new(),
        Err(wrong) => wrong.to_string(),
    };
    let lines: Vec<_> = found.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{text}\n{found}");
    for (line, words) in lines.iter().zip(expected) {
        let (place, words) = words.split_once('|').unwrap();
        assert!(line.starts_with(place) && line.contains(words), "{line}\n is not {place} … {words}");
    }
}

#[test]
fn the_smallest_form_stands_as_it_is() {
    let read = good(
        "steps: [{id: w, call: mcp.fs.write, with: {path: '/out-{{ inputs.n }}.txt', content: x}}, \
         {id: h, http: {method: POST, url: 'http://127.0.0.1:1/'}}, {id: z, sleep: 2s}]",
    );
    let kinds: Vec<_> = read.steps.iter().map(|step| step.kind().unwrap().word()).collect();
    assert_eq!((read.id.as_str(), kinds), ("w", vec!["call", "http", "sleep"]));
}

const EVERYTHING: &str = "
id: all
name: Everything
description: Says everything that there is to say.
inputs:
  n: {type: integer, default: 3}
  list: {type: array, default: [a, b]}
on:
  schedule: {cron: '0 7 * * MON-FRI', timezone: Europe/Berlin, catch_up: 1h, overlap: queue, inputs: {n: 1}}
  file_change: {paths: [/in], quiet: 5s}
  mail: {account: me}
  manual:
concurrency: 2
timeout: 1h
env: {GREETING: 'hello {{ inputs.n }}'}
secrets: {key: '${API_KEY}'}
allow: [mcp.fs.*, mcp.llm.chat]
steps:
  - {id: a, call: fs_write, with: {path: /a, content: '{{ env.GREETING }}'}, retry: 2, timeout: 10s, idempotent: true}
  - {id: b, if: inputs.n > 2, set: {x: '{{ steps.a.etag }}', y: [1]}}
  - id: c
    for_each: {in: inputs.list, as: letter, max_parallel: 2}
    log: 'at {{ letter }} {{ index }}'
  - id: d
    switch:
      - {when: vars.x == 1, steps: [{raise: {kind: odd, message: no}}]}
      - {steps: [{id: e, emit: {event: done, data: {n: 1}}}]}
    catch: {when: error.kind == 'odd', as: why, steps: [{log: '{{ why.message }}'}]}
    finally: [{log: {level: debug, message: over}}]
  - {id: f, parallel: {compete: true, branches: {one: [{sleep: 1}], two: [{wait: {until: '2027-01-01T00:00:00Z'}}]}}}
  - {id: g, approve: {message: 'Go on?', timeout: 1d, on_timeout: approve}}
  - {id: h, http: {url: 'http://localhost/', headers: {authorization: 'Bearer {{ secrets.key }}'}, query: {a: 1}}}
  - {id: i, docker: {image: busybox, command: [true], memory: 64}}
  - {id: j, llm: {prompt: 'Say {{ inputs.n }}', schema: {type: object}}}
  - {id: k, agent: {prompt: Look, tools: [fs_read, mcp.fs.*], ask: [fs_write], max_turns: 3}}
  - {id: l, workflow: {id: other, inputs: {a: '{{ steps.j.text }}'}}}
  - {id: m, needs: [a, b], steps: [{id: n, sleep: '{{ inputs.n }}s'}], outputs: {z: '{{ result }}'}}
catch: [{log: '{{ error.message }}'}]
finally: [{log: end}]
outputs: {etag: '{{ steps.a.etag }}'}
";

#[test]
fn everything_that_there_is_to_say() {
    let read = good(EVERYTHING);
    assert_eq!(read.on.as_ref().unwrap().schedule[0].cron, "0 7 * * MON-FRI");
    assert!(matches!(read.steps[3].kind(), Some(Kind::Switch([_, _]))));
    let kept = serde_json::to_string(&read).unwrap();
    let again: Workflow = serde_json::from_str(&kept).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), kept, "what is kept is read again");
}

#[test]
fn every_mistake_has_its_line() {
    check(
        "steps:\n  - {id: a, sleep: 1}\n  - {id: b, slep: 1}\n",
        &["w.yaml:3: steps[1].slep|did you mean `sleep`?"],
    );
    check("steps:\n  - id: a\n", &["w.yaml:2: steps[0]|does not say what it does"]);
    check(
        "steps:\n  - {sleep: 1, log: x}\n",
        &["w.yaml:2: steps[0]|several things that it does (sleep, log)"],
    );
    check("name: x\n", &["w.yaml:1|needs `steps`"]);
    check(
        "steps:\n  - {id: a, log: x}\n  - {id: a, log: y}\n",
        &["w.yaml:3: steps[1].id|another step's already"],
    );
    check("steps:\n  - {id: my-step, log: x}\n", &["w.yaml:2: steps[0].id|write `my_step`"]);
    check("steps:\n  - log: '{{ inputs.n'\n", &["w.yaml:2: steps[0].log|is no template"]);
    check("steps:\n  - log: '{{ input.n }}'\n", &["w.yaml:2: steps[0].log|did you mean `inputs`?"]);
    check(
        "steps:\n  - {id: read, log: x}\n  - log: '{{ steps.raed }}'\n",
        &["w.yaml:3: steps[1].log|did you mean `read`?"],
    );
    check(
        "inputs: {n: {type: integer}}\nsteps:\n  - log: '{{ inputs.m }}'\n",
        &["w.yaml:3: steps[0].log|did you mean `n`?"],
    );
    check("inputs: {n: {type: intger}}\nsteps: [{log: x}]\n", &["w.yaml:1: inputs|is no JSON Schema"]);
    check("steps:\n  - {if: 'a ==', log: x}\n", &["w.yaml:2: steps[0].if|is no template"]);
    check("steps:\n  - {sleep: soon}\n", &["w.yaml:2: steps[0].sleep|`500ms`"]);
    check("steps:\n  - {timeout: soon, log: x}\n", &["w.yaml:2|`500ms`"]);
    check("steps:\n  - {retry: -1, log: x}\n", &["w.yaml:2: steps[0].retry|"]);
    check(
        "steps:\n  - {id: a, needs: [b], log: x}\n  - {id: b, needs: [a], log: x}\n",
        &["w.yaml:2: steps[0].needs[0]|needs this step", "w.yaml:3: steps[1].needs[0]|needs this step"],
    );
    check("steps:\n  - {id: a, needs: [c], log: x}\n", &["w.yaml:2: steps[0].needs[0]|no step `c`"]);
    check("on: {schedule: {cron: never}}\nsteps: [{log: x}]\n", &["w.yaml:1: on.schedule|crontab"]);
    check(
        "on: {schedule: {cron: '@daily', timezone: Moon}}\nsteps: [{log: x}]\n",
        &["w.yaml:1|no time zone"],
    );
    check("secrets: {k: hunter2}\nsteps: [{log: x}]\n", &["w.yaml:1: secrets.k|does not stand in the file"]);
    check(
        "secrets: {k: '${K}'}\nsteps:\n  - set: {a: '{{ secrets.k }}'}\n",
        &["w.yaml:3: steps[0].set.a|keeps a secret"],
    );
    check(
        "steps:\n  - switch: [{steps: [{log: x}]}, {when: 'true', steps: [{log: y}]}]\n",
        &["w.yaml:2|put it last"],
    );
    check(
        "steps:\n  - {call: 'rm -rf', with: 3}\n",
        &["w.yaml:2: steps[0].call|must be the name", "w.yaml:2: steps[0].with|mapping of params"],
    );
    check("steps:\n  - {log: x, with: {}}\n", &["w.yaml:2: steps[0].with|belongs to `call`"]);
    check("allow: [mcp fs]\nsteps: [{log: x}]\n", &["w.yaml:1: allow[0]|"]);
    check(
        "concurrency: 0\nsteps: [{log: x}]\n",
        &["w.yaml:1: concurrency|must be a whole number from 1 to 1000"],
    );
    check("- a\n", &["w.yaml:1|must be a mapping"]);
    check("steps: [\n", &["w.yaml:2|is not YAML"]);
}

#[test]
fn mistakes_deep_inside_have_their_lines_too() {
    check(
        "steps:\n  - id: a\n    parallel:\n      branches:\n        one:\n          - log: x\n          - slep: 1\n",
        &["w.yaml:7: steps[0].parallel.branches.one[1].slep|did you mean `sleep`?"],
    );
    check(
        "steps:\n  - log: x\n    catch:\n      - log: y\n      - lgo: z\n",
        &["w.yaml:5: steps[0].catch[1].lgo|did you mean `log`?"],
    );
    check(
        "steps:\n  - log: x\n    catch:\n      stepps: []\n",
        &["w.yaml:3: steps[0].catch|needs `steps`", "w.yaml:4: steps[0].catch.stepps|did you mean `steps`?"],
    );
    check(
        "steps:\n  - for_each: {in: inputs.list, max_paralel: 2}\n    log: x\n",
        &["w.yaml:2: steps[0].for_each.max_paralel|did you mean `max_parallel`?"],
    );
    check(
        "steps:\n  - retry: {max: 2, backof: 1s}\n    log: x\n",
        &["w.yaml:2: steps[0].retry.backof|did you mean `backoff`?"],
    );
}

#[test]
fn the_originals_files_are_translated() {
    let read = good(
        "id: hello\nname: Hello\ntype: simple_sequential\nsteps:\n  - {name: Say it, action: log_message, message: 'hi {{ x }}'}\n  \
         - {name: Rest, action: sleep, duration_seconds: 0.5}\n  - {name: What, action: dance}\n",
    );
    assert_eq!(read.steps[0].id, "Say_it");
    let Some(Kind::Log(crate::model::Log::Text(text))) = read.steps[0].kind() else { panic!() };
    assert_eq!(crate::expr::text(text, &crate::Scope::default()), Ok("hi {{ x }}".into()));
    assert!(matches!(read.steps[1].kind(), Some(Kind::Sleep(seconds)) if seconds == 0.5));

    let read = good(
        "id: c\ntype: docker\ndocker_image: alpine\ncommand: [echo, '{{ no }}']\nenvironment: {A: b}\n\
         input_schema: {properties: {name: {type: string}, ld_preload: {type: string}, path: {}}}\n",
    );
    let Some(Kind::Docker(docker)) = read.steps[0].kind() else { panic!() };
    assert_eq!(docker.env.keys().collect::<Vec<_>>(), ["A", "NAME"]);

    let read = good("id: hook\ntype: n8n_webhook\n");
    let Some(Kind::Http(http)) = read.steps[0].kind() else { panic!() };
    assert_eq!(
        (http.url.as_str(), http.method.as_deref()),
        ("http://localhost:5678/webhook/hook", Some("POST"))
    );
}

#[test]
fn the_originals_agent_is_translated() {
    let read = good(
        "id: s\ntype: mcp_sequential_agent\ninput_schema: {type: object, properties: {file: {type: string}}}\nsteps:\n  \
         - {name: read, action: mcp_call, method: mcp.fs.read, params_template: ['{{ inputs.file }}'], \
         outputs_to_context: {text: '{{ result.content }}'}}\n  \
         - {name: ask, action: mcp_call, method: mcp.llm.chat, params_template: {messages: [{role: user, \
         content: \"{{ inputs.file | replace('{lit}', context.text) }}\"}], options: {model: '{{ inputs.model | default(None) }}'}}, \
         outputs_to_context: {answer: '{{ result.choices.0.message.content }}'}}\n",
    );
    let set = |n: usize| read.steps[n].set.clone().unwrap();
    assert_eq!(set(1)["text"], "{{ steps.read.content }}");
    assert_eq!(set(3)["answer"], "{{ steps.ask.choices[0].message.content }}");
    assert_eq!(
        read.steps[2].with.as_ref().unwrap()["messages"][0]["content"],
        "{{ inputs.file | replace('{lit}', vars.text) }}"
    );
    check("id: s\ntype: dance\n", &["w.yaml:2: type|must be one of"]);
    check(
        "type: mcp_sequential_agent\nsteps:\n  - {name: a, action: mcp_call}\n",
        &["w.yaml:3: steps[0].method|is missing"],
    );
}

#[test]
fn the_schema_is_one() {
    let schema = schema();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    let text = serde_json::to_string(&schema).unwrap();
    assert!(text.len() < 200_000, "{}", text.len());
}
