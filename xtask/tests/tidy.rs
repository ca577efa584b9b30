//! What a reviewer would otherwise have to look for by eye: file length, unfinished code, dead links, and addresses that
//! hold on one machine alone.

#![allow(clippy::expect_used, reason = "a test may stop on what it cannot read")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Past this many lines, a file of what is shipped is split by noun.
const MOST_LINES: usize = 400;

/// The component for Spin holds no rule, and so not this many lines of code, comments and blank lines apart.
const MOST_LINES_ON_SPIN: usize = 600;

/// What never stands in a finished source file. Written in two pieces, or this file would find itself.
const UNFINISHED: [&str; 5] = [
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[", "ignore"),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
];

/// Hosts of package registries: clients know them, and another machine has another mirror.
const REGISTRY_HOSTS: [&str; 9] = [
    concat!("deb.debian", ".org"),
    concat!("security.debian", ".org"),
    concat!("snapshot.debian", ".org"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("registry.npmjs", ".org"),
    concat!("static.crates", ".io"),
    concat!("index.crates", ".io"),
    concat!("static.rust-lang", ".org"),
];

/// Folders in which one person's or one machine's files lie.
const MACHINE_FOLDERS: [&str; 3] = [
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/ho", "me/"),
];

#[test]
fn the_walk_sees_the_tree() {
    let files = files();
    for known in [
        "Cargo.toml",
        ".ci/run",
        "xtask/tests/tidy.rs",
        "core/src/lib.rs",
    ] {
        assert!(files.iter().any(|file| file.name == known), "{known}");
    }
    assert!(!files.iter().any(|file| file.name.starts_with("target/")));
}

#[test]
fn files_of_what_is_shipped_are_short() {
    let mut long = Vec::new();
    for file in files() {
        let source = ["core/src/", "filter/src/", "spin-app/src/"]
            .iter()
            .any(|folder| file.name.starts_with(folder));
        let lines = lines_before_tests(&file.text);
        if source && file.name.ends_with(".rs") && lines > MOST_LINES {
            long.push(format!("{}: {lines} lines", file.name));
        }
    }
    none_but(&long, "split these by noun");
}

#[test]
fn the_component_for_spin_is_thin() {
    let sources = files();
    let sources = sources
        .iter()
        .filter(|file| file.name.starts_with("spin-app/src/"));
    let lines: usize = sources
        .map(|file| code_lines_before_tests(&file.text))
        .sum();
    assert!(lines > 0, "the component has moved");
    assert!(
        lines < MOST_LINES_ON_SPIN,
        "{lines} lines of code in spin-app: what is a rule belongs into the core"
    );
}

#[test]
fn no_source_file_is_unfinished() {
    let mut found = Vec::new();
    for file in files().iter().filter(|file| file.name.ends_with(".rs")) {
        found.extend(occurrences(file, &UNFINISHED));
    }
    none_but(&found, "finish these");
}

#[test]
fn no_file_names_a_registry_or_a_machine() {
    let root = root().display().to_string();
    let mut found = Vec::new();
    // Cargo writes the lock file, with the sources it knows.
    for file in files().iter().filter(|file| file.name != "Cargo.lock") {
        found.extend(occurrences(file, &REGISTRY_HOSTS));
        found.extend(occurrences(file, &MACHINE_FOLDERS));
        // In a container the tree may lie at `/` or `/app`, which say nothing.
        if root.len() > 8 {
            found.extend(occurrences(file, &[&root]));
        }
    }
    none_but(&found, "these hold on one machine alone");
}

#[test]
fn relative_links_lead_somewhere() {
    let mut dead = Vec::new();
    for file in files().iter().filter(|file| file.name.ends_with(".md")) {
        let path = root().join(&file.name);
        let folder = path.parent().expect("a file lies in a folder");
        for link in links(&file.text) {
            if !folder.join(&link).exists() {
                dead.push(format!("{}: {link}", file.name));
            }
        }
    }
    none_but(&dead, "these links lead nowhere");
}

#[test]
fn trailing_tests_do_not_count_as_lines() {
    let code = "fn one() {}\n\n#[cfg(test)]\nmod tests {\n    // many\n    // lines\n}\n";
    assert_eq!(lines_before_tests(code), 2);
    assert_eq!(lines_before_tests("a\nb\nc\n"), 3);
    assert_eq!(
        lines_before_tests("#[cfg(test)]\nmod tests;\nfn one() {}\n"),
        3
    );
}

#[test]
fn comments_and_blank_lines_are_no_code() {
    let text = "//! A file.\n\nfn one() {\n    // Why.\n}\n\n#[cfg(test)]\nmod tests {\n}\n";
    assert_eq!(code_lines_before_tests(text), 2);
}

#[test]
fn an_occurrence_is_named_with_its_line() {
    let file = File {
        name: "a.rs".into(),
        text: format!("fine\n    {}\"later\")\n", UNFINISHED[0]),
    };
    assert_eq!(
        occurrences(&file, &UNFINISHED),
        [format!("a.rs:2: {}", UNFINISHED[0])]
    );
}

#[test]
fn links_are_read_from_markdown() {
    let text = "\
See [the design](docs/design.md#routes), [here](#below), [there](https://example.com/x.md) and
![a picture](<a picture.png>), [titled](two.md \"Two\"), `[code](none.md)`.

```yaml
[also code](none.md)
```
[reference]: three.md
[outside]: mailto:someone@example.com
";
    assert_eq!(
        links(text),
        ["docs/design.md", "a picture.png", "two.md", "three.md"]
    );
}

/// A text file of the tree, by its path from the root.
struct File {
    name: String,
    text: String,
}

fn root() -> PathBuf {
    // At run time, not when compiled: copies of the tree may share a build folder.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    let package = Path::new(&package);
    package.parent().expect("the workspace").to_path_buf()
}

/// Every text file that git tracks; without git, every one that is not built or fetched.
fn files() -> Vec<File> {
    let root = root();
    let names = tracked(&root).unwrap_or_else(|| found(&root));
    // What is not text (a picture, a wasm file) holds nothing to read, and a file may go while others work.
    let read = |name: String| {
        let text = fs::read_to_string(root.join(&name)).ok()?;
        Some(File { name, text })
    };
    names.into_iter().filter_map(read).collect()
}

/// What git tracks, and what it would with the next commit.
fn tracked(root: &Path) -> Option<Vec<String>> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .ok()?;
    let names = String::from_utf8(listed.stdout).ok()?;
    let names = names.split('\0').filter(|name| !name.is_empty());
    listed
        .status
        .success()
        .then(|| names.map(str::to_owned).collect())
}

fn found(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                if !["target", ".git", "node_modules"].contains(&name.as_ref()) {
                    folders.push(path);
                }
                continue;
            }
            let name = path.strip_prefix(root).expect("a file below the root");
            files.push(name.display().to_string());
        }
    }
    files
}

/// The number of lines before a tests module at the end.
fn lines_before_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines
        .windows(2)
        .rposition(|pair| matches!(pair, ["#[cfg(test)]", "mod tests {"]));
    tests.unwrap_or(lines.len())
}

/// The same without comments and blank lines.
fn code_lines_before_tests(text: &str) -> usize {
    let lines = text.lines().take(lines_before_tests(text)).map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}

fn occurrences(file: &File, unwanted: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        for word in unwanted.iter().filter(|word| line.contains(**word)) {
            found.push(format!("{}:{}: {word}", file.name, number + 1));
        }
    }
    found
}

/// Where a Markdown text links to within the tree, without anchors.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut in_fence = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_fence = !in_fence;
        }
        if in_fence {
            continue;
        }
        // Every second piece between backquotes is code.
        let prose: String = line.split('`').step_by(2).collect();
        if let Some((label, target)) = prose.split_once("]: ")
            && label.starts_with('[')
        {
            links.push(target.trim().to_owned());
        }
        for rest in prose.split("](").skip(1) {
            let target = match rest.strip_prefix('<') {
                Some(quoted) => quoted.split('>').next(),
                None => rest.split([')', ' ']).next(),
            };
            links.push(target.unwrap_or_default().to_owned());
        }
    }
    links
        .iter()
        .map(|link| link.split('#').next().unwrap_or_default().to_owned())
        .filter(|link| !link.is_empty() && !link.contains("://") && !link.starts_with("mailto:"))
        .collect()
}

fn none_but(found: &[String], what_to_do: &str) {
    assert!(found.is_empty(), "{what_to_do}:\n{}", found.join("\n"));
}
