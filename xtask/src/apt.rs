//! An apt of our own: the machine's mirror, proxy and keys, but its own lists, cache and idea of what is installed.
//! Nothing of the system changes, and no root is needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::layout::{bytes_in, names_in};
use crate::process::{self, STUCK};

/// Where Debian's machines keep the keys of Debian's archive. Named, because a newer suite than the machine's own has
/// no entry in its sources that would name them.
const KEYRINGS: [&str; 2] = [
    "/usr/share/keyrings/debian-archive-keyring.pgp",
    "/usr/share/keyrings/debian-archive-keyring.gpg",
];

/// Where among the tools its state may lie while it is at work.
pub const FOLDER: &str = "debian-apt";

/// An apt whose state lies in one folder.
pub struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Prepares the state for one suite of one mirror, and fetches the suite's lists.
    pub fn open(folder: &Path, mirror: &str, suite: &str) -> Result<Self> {
        let apt = Self {
            folder: folder.to_path_buf(),
        };
        for folder in ["lists/partial", "archives/partial", "etc/empty"] {
            fs::create_dir_all(apt.folder.join(folder))?;
        }
        // Nothing is installed as far as this apt knows, so it finds every shared library.
        fs::write(apt.folder.join("status"), "")?;
        fs::write(apt.folder.join("etc/sources.list"), source(mirror, suite))?;
        fs::write(apt.folder.join("apt.conf"), apt.configuration()?)?;
        apt.run(apt.command("apt-get").arg("update"))?;
        Ok(apt)
    }

    /// One field of what the suite says of a package.
    pub fn field(&self, package: &str, field: &str) -> Result<String> {
        let mut show = self.command("apt-cache");
        let record = process::read(show.args(["show", "--no-all-versions", package]))?;
        let value = record
            .lines()
            .find_map(|line| line.strip_prefix(field)?.strip_prefix(": "));
        match value {
            Some(value) => Ok(value.to_owned()),
            None => bail!("package {package} has no field `{field}`"),
        }
    }

    /// Fetches packages with all they depend on, and one more on its own: the compiler itself depends on a C compiler,
    /// which the machine has. Returns the files.
    pub fn fetch(&self, packages: &[&str], alone: &str) -> Result<Vec<PathBuf>> {
        let mut install = self.command("apt-get");
        install
            .args([
                "install",
                "--yes",
                "--download-only",
                "--no-install-recommends",
            ])
            .args(packages);
        self.run(&mut install)?;
        self.download(&[alone])
    }

    /// Fetches packages on their own. Returns the files, and those that were fetched before.
    pub fn download(&self, packages: &[&str]) -> Result<Vec<PathBuf>> {
        let archives = self.folder.join("archives");
        let mut download = self.command("apt-get");
        download.current_dir(&archives).arg("download");
        self.run(download.args(packages))?;

        let mut files = names_in(&archives)?;
        files.retain(|name| name.ends_with(".deb"));
        ensure!(!files.is_empty(), "apt fetched nothing");
        Ok(files.iter().map(|name| archives.join(name)).collect())
    }

    fn run(&self, command: &mut Command) -> Result<()> {
        let folders = ["lists", "lists/partial", "archives", "archives/partial"];
        process::run_while_moving(command, STUCK, || {
            let sizes = folders.map(|folder| bytes_in(&self.folder.join(folder)));
            sizes.iter().sum()
        })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("APT_CONFIG", self.folder.join("apt.conf"))
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C.UTF-8");
        command
    }

    /// The machine's own way of fetching (proxies, certificates), and nothing else of its configuration: what
    /// machines hook into apt, such as cleaning the system's cache, is not for this one.
    fn configuration(&self) -> Result<String> {
        let machine = process::read(Command::new("apt-config").arg("dump"))?;
        let own = |path: &str| self.folder.join(path).display().to_string();
        let settings = [
            ("Dir::State", own("")),
            ("Dir::State::lists", own("lists")),
            ("Dir::State::status", own("status")),
            ("Dir::Cache", own("")),
            ("Dir::Cache::archives", own("archives")),
            ("Dir::Etc::sourcelist", own("etc/sources.list")),
            ("Dir::Etc::sourceparts", own("etc/empty")),
            ("Dir::Etc::parts", own("etc/empty")),
            ("Dir::Etc::main", own("etc/none")),
            ("Dir::Etc::preferences", own("etc/none")),
            ("Dir::Etc::preferencesparts", own("etc/empty")),
            // The folder belongs to whoever calls; apt's own user may not even see it.
            ("APT::Sandbox::User", "root".to_owned()),
            // A list that cannot be had is a failure, not a warning.
            ("APT::Update::Error-Mode", "any".to_owned()),
            ("Acquire::Languages", "none".to_owned()),
            ("Acquire::Retries", "1".to_owned()),
            ("Acquire::http::Timeout", "20".to_owned()),
            ("Acquire::https::Timeout", "20".to_owned()),
        ];
        let mut text = fetching(&machine);
        for (name, value) in settings {
            text.push_str(&format!("{name} \"{value}\";\n"));
        }
        Ok(text)
    }
}

/// Unpacks packages into a folder; nothing is installed.
pub fn unpack(packages: &[PathBuf], folder: &Path) -> Result<()> {
    for package in packages {
        let size = fs::metadata(package)?.len();
        let name = package.file_name().unwrap_or_default().to_string_lossy();
        let name = name.split('_').next().unwrap_or_default();
        eprintln!("unpacking {name} ({} kB)", size / 1000);
        process::run(Command::new("dpkg").arg("-x").arg(package).arg(folder))?;
    }
    Ok(())
}

/// The name of the release that this machine runs, `bookworm`.
pub fn codename() -> Result<String> {
    let release = fs::read_to_string("/etc/os-release").context("this is no Debian")?;
    let name = codename_in(&release).context("this is no Debian")?;
    Ok(name.to_owned())
}

/// The addresses from which this machine gets the release it runs.
pub fn mirrors() -> Result<Vec<String>> {
    let release = fs::read_to_string("/etc/os-release").context("this is no Debian")?;
    let mut targets = Command::new("apt-get");
    targets
        .args(["indextargets", "--no-release-info"])
        .args(["--format", "$(REPO_URI) $(RELEASE)"]);
    let targets = process::read(&mut targets).context("this machine has no apt")?;
    let mirrors = serving(&targets, codename_in(&release));
    ensure!(
        !mirrors.is_empty(),
        "the machine's apt sources name no mirror of Debian"
    );
    Ok(mirrors)
}

fn codename_in(os_release: &str) -> Option<&str> {
    os_release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .map(|name| name.trim_matches('"'))
}

/// The mirrors that serve the machine's own release, by its name or by its rank; not its security or backports archive.
fn serving(targets: &str, codename: Option<&str>) -> Vec<String> {
    let mut mirrors: Vec<String> = Vec::new();
    for line in targets.lines() {
        let Some((mirror, suite)) = line.split_once(' ') else {
            continue;
        };
        let main = ["oldstable", "stable", "testing", "unstable", "sid"].contains(&suite)
            || Some(suite) == codename;
        if main && !mirrors.iter().any(|known| known == mirror) {
            mirrors.push(mirror.to_owned());
        }
    }
    mirrors
}

/// The lines about fetching in what `apt-config dump` prints. What index files exist is left to apt's own defaults:
/// machines add large ones for their software centres. A value with a quotation mark would not read back.
fn fetching(dump: &str) -> String {
    dump.lines()
        .filter(|line| line.starts_with("Acquire::"))
        .filter(|line| !line.starts_with("Acquire::IndexTargets"))
        .filter(|line| line.matches('"').count() == 2)
        .map(|line| format!("{line}\n"))
        .collect()
}

fn source(mirror: &str, suite: &str) -> String {
    let keys = KEYRINGS.iter().find(|path| Path::new(path).is_file());
    let keys = keys.map_or(String::new(), |path| format!("[signed-by={path}] "));
    format!("deb {keys}{mirror} {suite} main\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_of_the_release_is_taken_once_and_no_other() {
        let targets = "\
http://mirror.test/debian/ bookworm
http://mirror.test/debian/ bookworm
http://mirror.test/debian/ bookworm-updates
http://mirror.test/debian-security/ bookworm-security
http://elsewhere.test/node_20.x nodistro
mirror+file:/etc/apt/mirrors.list stable";
        assert_eq!(
            serving(targets, Some("bookworm")),
            [
                "http://mirror.test/debian/",
                "mirror+file:/etc/apt/mirrors.list"
            ]
        );
        assert!(serving(targets, Some("noble")).len() == 1);
        assert!(serving("", Some("bookworm")).is_empty());
    }

    #[test]
    fn only_what_is_about_fetching_is_taken_over() {
        let dump = r#"
APT "";
APT::Update::Post-Invoke:: "rm -f /var/cache/apt/archives/*.deb || true";
Acquire::http::Proxy "http://proxy.test:3128";
Acquire::Languages:: "none";
Acquire::IndexTargets::deb::DEP-11::MetaKey "dep11.yml";
Acquire::odd "say "hello"";
"#;
        assert_eq!(
            fetching(dump),
            "Acquire::http::Proxy \"http://proxy.test:3128\";\nAcquire::Languages:: \"none\";\n"
        );
    }

    #[test]
    fn the_codename_is_read_with_or_without_quotation_marks() {
        for text in [
            "ID=debian\nVERSION_CODENAME=bookworm\n",
            "VERSION_CODENAME=\"bookworm\"",
        ] {
            assert_eq!(codename_in(text), Some("bookworm"));
        }
        assert_eq!(codename_in("ID=arch\n"), None);
    }
}
