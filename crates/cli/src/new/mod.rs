//! `wechaty new`: a project that compiles and passes its test.

mod name;
mod templates;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use wechaty_catalogue::{Args, Lang, text};

use self::name::Name;
use crate::{
    args::{NewArgs, Template},
    failure::Failure,
    output,
};

/// Where a project finds Wechaty. Not crates.io: the crates named `wechaty…` there belong to another project.
const REPOSITORY: &str = "https://github.com/wechaty/wechaty-rust";

pub(crate) fn run(args: NewArgs, lang: Lang) -> Result<(), Failure> {
    let shown = args.dir.display().to_string();
    let name = Name::of_folder(&args.dir).ok_or_else(|| Failure::usage("W141").set("path", &*shown))?;
    let source = match &args.path {
        Some(path) => Source::Path(fs::canonicalize(path).map_err(|error| refused(path, &error))?),
        None => Source::Git,
    };
    empty(&args.dir)?;
    for (file, content) in templates::files(args.template) {
        let path = args.dir.join(file);
        let content = filled(content, &name, &source);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, content));
        written.map_err(|error| refused(&path, &error))?;
    }
    let next = match args.template {
        Template::Config => "new-next-config",
        Template::Rust => "new-next-rust",
        Template::Plugin | Template::Puppet => "new-next-library",
    };
    let words = Args::new().set("path", quoted(&shown)).set("name", &*name.package);
    output::print(&format!("{}\n{}\n", text(lang, "new-made", &words), text(lang, next, &words)))
}

/// As a shell takes it, so that the next step can be copied.
fn quoted(path: &str) -> String {
    match path.chars().all(|c| c.is_alphanumeric() || "/\\._-:+~".contains(c)) {
        true => path.to_owned(),
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

/// Makes the folder, or takes one in which there is nothing.
fn empty(folder: &Path) -> Result<(), Failure> {
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::usage("W140").set("path", folder.display().to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder).map_err(|error| refused(folder, &error))
        }
        Err(error) => Err(refused(folder, &error)),
    }
}

fn refused(path: &Path, error: &io::Error) -> Failure {
    Failure::usage("W142").set("path", path.display().to_string()).source(error)
}

/// What a project depends on.
enum Source {
    Git,
    Path(PathBuf),
}

impl Source {
    /// The part of a dependency that says where it comes from.
    fn of(&self, package: &str) -> String {
        match self {
            Self::Git => format!("git = {REPOSITORY:?}"),
            // The escapes of a Rust string are those of a TOML string as far as paths have them.
            Self::Path(root) => format!("path = {:?}", root.join(package).to_string_lossy()),
        }
    }
}

fn filled(content: &str, name: &Name, source: &Source) -> String {
    let mut content = content
        .replace("{{name}}", &name.package)
        .replace("{{crate}}", &name.library)
        .replace("{{type}}", &name.type_name)
        .replace("{{source}}", if matches!(source, Source::Git) { "git" } else { "path" });
    for package in ["crates/wechaty", "crates/puppet-testkit", "crates/puppet"] {
        content = content.replace(&format!("{{{{from {package}}}}}"), &source.of(package));
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(dir: &Path, template: Template) -> Result<(), Failure> {
        run(NewArgs { dir: dir.to_owned(), template, path: None }, Lang::En)
    }

    #[test]
    fn every_template_is_whole_and_depends_on_no_registry_for_wechaty() {
        let folder = tempfile::tempdir().expect("a folder");
        for template in [Template::Config, Template::Rust, Template::Plugin, Template::Puppet] {
            let dir = folder.path().join(format!("my {template:?}"));
            make(&dir, template).expect("made");
            for file in ["README.md", ".gitignore"] {
                assert!(dir.join(file).is_file(), "{template:?} has no {file}");
            }
            for (file, _) in templates::files(template) {
                let text = fs::read_to_string(dir.join(file)).expect(file);
                assert!(!text.contains("{{") || file.ends_with(".rs") && !text.contains("}}"), "{template:?}: {file}");
                for line in text.lines().filter(|line| line.starts_with("wechaty")) {
                    assert!(line.contains(REPOSITORY) || !file.ends_with(".toml"), "{line}");
                }
            }
            let told = make(&dir, template).expect_err("it is not empty").render(Lang::En, false);
            assert!(told.contains("[W140]"), "{told}");
        }
    }

    #[test]
    fn the_next_step_can_be_copied_into_a_shell() {
        assert_eq!(quoted("bots/front-desk"), "bots/front-desk");
        assert_eq!(quoted("it's mine; rm"), r"'it'\''s mine; rm'");
    }

    #[test]
    fn a_folder_that_is_a_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("taken");
        fs::write(&file, "mine").expect("written");
        let told = make(&file, Template::Rust).expect_err("it is a file").render(Lang::Zh, false);
        assert!(told.contains("[W142]") && fs::read_to_string(&file).expect("still there") == "mine", "{told}");
    }
}
