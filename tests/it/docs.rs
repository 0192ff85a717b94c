//! What the documents say is true: configs in them are read by the program itself.

use deskbell::config::Config;
use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The fenced blocks of a language in a Markdown text, each with the line on which it begins.
fn blocks(markdown: &str, language: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let (mut fenced, mut inside) = (false, false);
    for (number, line) in markdown.lines().enumerate() {
        if let Some(fence) = line.trim_start().strip_prefix("```") {
            inside = !fenced && fence.trim() == language;
            fenced = !fenced;
            if inside {
                found.push((number + 1, String::new()));
            }
        } else if let Some((_, text)) = found.last_mut().filter(|_| inside) {
            text.push_str(line);
            text.push('\n');
        }
    }
    found
}

#[test]
fn every_config_in_the_readme_is_understood() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let configs = blocks(&readme, "toml");
    assert!(configs.len() >= 4, "the README shows too few configs");
    for (line, text) in configs {
        let config = Config::parse(&text, root()).unwrap_or_else(|error| panic!("README.md:{line}: {error}"));
        assert!(
            !config.mailboxes.is_empty() && !config.outlets.is_empty(),
            "README.md:{line}: not a whole config"
        );
    }
}

#[test]
fn every_command_in_the_readme_exists() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let deskbell = std::process::Command::new(env!("CARGO_BIN_EXE_deskbell")).arg("help").output().unwrap();
    let help = String::from_utf8(deskbell.stdout).unwrap();
    let commands = readme.split("`deskbell ").skip(1).filter_map(|rest| rest.split(['`', ' ', '\n']).next());
    let commands = commands.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    for command in commands {
        let known = help.lines().any(|line| line.split_whitespace().next() == Some(command));
        assert!(known, "the README names `deskbell {command}`, which is not there");
    }
}

#[test]
fn files_named_in_the_documents_are_there() {
    for document in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/parity.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains(':') && !target.starts_with('#')) {
            assert!(root().join(target).exists(), "{document} leads to {target}, which is not there");
        }
    }
}

#[test]
fn every_quick_action_stands_in_the_readme() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for action in deskbell::domain::quick::QUICK_ACTIONS {
        let shown = [format!("`/{}`", action.name), format!("`/{} ", action.name)];
        assert!(shown.iter().any(|words| readme.contains(words)), "/{} is not in README.md", action.name);
    }
}

/// Tells whether a source holds a test of this name.
fn has_test(source: &str, name: &str) -> bool {
    let Some(at) = source.find(&format!("fn {name}(")) else { return false };
    let mut above =
        source[..at].split('\n').rev().skip(1).map(str::trim).take_while(|line| line.starts_with("#["));
    above.any(|line| line.contains("test"))
}

#[test]
fn every_line_of_the_parity_table_names_tests_that_exist_or_says_what_is_missing() {
    let text = fs::read_to_string(root().join("docs/parity.md")).unwrap();
    let (mut lines, mut tests) = (0, 0);
    let rows = text.lines().filter(|line| {
        let first = line.strip_prefix("| ").unwrap_or_default().trim_start_matches(['N', 'C', 'M', 'S', 'U']);
        first.starts_with(|c: char| c.is_ascii_digit())
    });
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [_, subject, here, proof] = cells[..] else { panic!("not four cells: {row}") };
        let named = proof.split('`').filter(|word| word.contains(".rs::"));
        let before = tests;
        for test in named {
            let (file, name) = test.split_once("::").unwrap();
            let source =
                fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(has_test(&source, name), "docs/parity.md names the test {test}, which is not there");
            tests += 1;
        }
        let excused =
            ["Not yet", "No test", "no test", "nothing to gate"].iter().any(|word| here.contains(word));
        assert!(tests > before || excused, "`{subject}` is neither proved nor said to be missing");
        lines += 1;
    }
    assert_eq!(lines, 69 + 33 + 15 + 15 + 20 + 12 + 15);
    assert!(tests > 100, "only {tests} tests are named");
    assert!(
        !has_test("#[test]\nfn another() {}\n#[cfg(x)]\nfn other() {}", "other")
            && has_test("#[test]\n#[cfg(x)]\nasync fn other() {", "other")
    );
}
