//! Hooks of the config: run by the serving desk, with JSON and words, and never in anybody's way.

use crate::support::{TestDesk, mail, wait_for, wait_until};
use serde_json::Value;
use std::fs;

fn heard(desk: &TestDesk, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(desk.data().join(name)).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn a_serving_desk_tells_its_hooks_what_happens_and_nothing_of_it_is_a_command() {
    let tell = "{ printf '{\"event\":\"%s\",\"ref\":\"%s\",\"note\":\"%s\",\"issue\":' \
                \"$DESKBELL_EVENT\" \"$DESKBELL_REF\" \"$DESKBELL_NOTE\"; cat; echo '}'; } >> heard";
    let desk = TestDesk::between_maildirs("");
    let hooks = format!(
        "[hooks]\nnew_issue = '''{tell}'''\nclose = '''{tell}'''\nnote = \"echo no way >&2; exit 4\"\n"
    );
    desk.configure(&format!("{}{hooks}", desk.maildirs()));
    let serving = desk.sync();
    desk.deliver(&mail("ada@customer.test", "$(touch evil) `touch evil`; touch evil"));
    let new = wait_for("the hook", || heard(&desk, "heard").pop());
    assert_eq!((&new["event"], &new["ref"]), (&"new_issue".into(), &"acme/support#1".into()));
    assert_eq!(new["issue"]["ref"], "acme/support#1");
    assert!(new["issue"]["notes"][0]["body"].as_str().unwrap().contains("touch evil"));
    assert!(!desk.data().join("evil").exists());
    desk.ok(&["issue", "note", "acme/support#1", "-m", "We look."]);
    wait_until("the failure is shown", || {
        desk.status()["notices"].to_string().contains("the hook note failed")
    });
    assert!(desk.status()["notices"].to_string().contains("no way"));
    desk.ok(&["issue", "edit", "acme/support#1", "--close"]);
    wait_until("the closing is told", || heard(&desk, "heard").iter().any(|told| told["event"] == "close"));
    // What is imported has happened elsewhere.
    let old = desk.folder.path().join("old.mbox");
    fs::write(
        &old,
        "From x Mon Mar  1 08:00:00 2021\nFrom: eve@c.test\nSubject: old\nMessage-ID: <o@c>\n\nOld.\n",
    )
    .unwrap();
    desk.ok(&["import", "mbox", old.to_str().unwrap(), "--project", "acme/support"]);
    desk.deliver(&mail("carl@customer.test", "after"));
    wait_until("the next one is told", || {
        heard(&desk, "heard").iter().any(|told| told["ref"] == "acme/support#3")
    });
    assert!(heard(&desk, "heard").iter().all(|told| told["ref"] != "acme/support#2"));
    serving.stop();
}

#[test]
fn one_pass_runs_the_hooks_for_what_it_brought() {
    let desk = TestDesk::between_maildirs("");
    let hooks = "[hooks]\nnew_issue = \"cat >> heard; echo >> heard\"\n";
    desk.configure(&format!("{}{hooks}", desk.maildirs()));
    desk.ok(&["sync", "--once"]);
    desk.deliver(&mail("ada@customer.test", "The press is stuck"));
    desk.ok(&["sync", "--once"]);
    let told = heard(&desk, "heard");
    assert_eq!(told.iter().map(|issue| &issue["ref"]).collect::<Vec<_>>(), ["acme/support#1"]);
    desk.ok(&["sync", "--once"]);
    assert_eq!(heard(&desk, "heard").len(), 1);
}

#[test]
fn a_rule_runs_a_named_hook_with_the_issue() {
    let desk = TestDesk::between_maildirs("");
    let page = "{ printf '{\"event\":\"%s\",\"issue\":' \"$DESKBELL_EVENT\"; cat; echo '}'; } >> heard";
    desk.configure(&format!("{}[hooks]\nnamed = {{ page = '''{page}''' }}\n", desk.maildirs()));
    let serving = desk.sync();
    desk.ok(&["rule", "add", "pager", "title:fire", "--hook", "page"]);
    desk.deliver(&mail("ada@customer.test", "no such thing"));
    desk.deliver(&mail("ada@customer.test", "fire in the house"));
    let told = wait_for("the hook", || heard(&desk, "heard").pop());
    assert_eq!(
        (&told["event"], &told["issue"]["title"]),
        (&"named.page".into(), &"fire in the house".into())
    );
    assert_eq!(heard(&desk, "heard").len(), 1);
    let rules: Value = serde_json::from_str(&desk.ok(&["rule", "list", "--json"])).unwrap();
    assert_eq!((&rules[0]["hook"], &rules[0]["reply"]), (&"page".into(), &Value::Null));
    serving.stop();
}
