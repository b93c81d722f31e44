//! `wechaty new`: a project that compiles and passes its test.

mod name;
mod templates;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use toml_edit::Value;
use wechaty_catalogue::{Args, Lang, text};

use self::name::Name;
use crate::{
    args::{NewArgs, Template},
    failure::Failure,
    output,
};

/// Where a project finds Wechaty, if not here. Not crates.io: the crates named `wechaty…` there belong to another project.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
/// The checkout that this program was built from, on the machine where it was.
const BUILT_FROM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// What every checkout has.
const UMBRELLA: &str = "crates/wechaty/Cargo.toml";

pub(crate) fn run(args: NewArgs, lang: Lang) -> Result<(), Failure> {
    let shown = args.dir.display().to_string();
    let name = Name::of_folder(&args.dir).ok_or_else(|| Failure::usage("W141").set("path", &*shown))?;
    let source = match (args.path, args.git) {
        (Some(path), _) => Source::named(&path)?,
        (None, Some(url)) => Source::Git(url),
        (None, None) => Source::of_build(Path::new(BUILT_FROM)),
    };
    empty(&args.dir)?;
    for (file, content) in templates::files(args.template) {
        let path = args.dir.join(file);
        let content = filled(&content, &name, &source);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, content));
        written.map_err(|error| refused(&path, &error))?;
    }
    let next = match args.template {
        Template::Config => "new-next-config",
        Template::Rust => "new-next-rust",
        Template::Plugin | Template::Puppet => "new-next-library",
    };
    let words = Args::new().set("path", output::quoted(&shown)).set("name", &*name.package);
    let mut told = format!("{}\n{}\n", text(lang, "new-made", &words), text(lang, next, &words));
    if args.template != Template::Config {
        told += &*(source.told(lang) + "\n");
    }
    output::print(&told)
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
    Git(String),
    Path(PathBuf),
}

impl Source {
    /// A checkout that somebody names.
    fn named(path: &Path) -> Result<Self, Failure> {
        let checkout = fs::canonicalize(path).map_err(|error| refused(path, &error))?;
        match checkout.join(UMBRELLA).is_file() {
            true => Ok(Self::Path(checkout)),
            false => Err(Failure::usage("W143").set("path", path.display().to_string())),
        }
    }

    /// The checkout this program was built from, as long as it is there.
    fn of_build(checkout: &Path) -> Self {
        match fs::canonicalize(checkout) {
            Ok(checkout) if checkout.join(UMBRELLA).is_file() => Self::Path(checkout),
            _ => Self::Git(REPOSITORY.to_owned()),
        }
    }

    /// Which it is, and how to have another.
    fn told(&self, lang: Lang) -> String {
        match self {
            Self::Git(url) => text(lang, "new-from-git", &Args::new().set("url", &**url)),
            Self::Path(path) => text(lang, "new-from-path", &Args::new().set("path", path.display().to_string())),
        }
    }

    /// The part of a dependency that says where it comes from.
    fn of(&self, package: &str) -> String {
        match self {
            Self::Git(url) => format!("git = {}", Value::from(&**url)),
            Self::Path(root) => format!("path = {}", Value::from(&*root.join(package).to_string_lossy())),
        }
    }
}

fn filled(content: &str, name: &Name, source: &Source) -> String {
    let mut content = content
        .replace("{{name}}", &name.package)
        .replace("{{crate}}", &name.library)
        .replace("{{type}}", &name.type_name)
        .replace("{{source}}", if matches!(source, Source::Git(_)) { "git" } else { "path" });
    for package in ["crates/wechaty", "crates/puppet-testkit", "crates/puppet"] {
        content = content.replace(&format!("{{{{from {package}}}}}"), &source.of(package));
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(dir: &Path, template: Template) -> Result<(), Failure> {
        run(NewArgs { dir: dir.to_owned(), template, path: None, git: None }, Lang::En)
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
                    // This checkout is there as long as it is tested.
                    assert!(line.contains("{ path = \"") || !file.ends_with(".toml"), "{line}");
                }
            }
            let told = make(&dir, template).expect_err("it is not empty").render(Lang::En, false);
            assert!(told.contains("[W140]"), "{told}");
        }
    }

    #[test]
    fn a_project_depends_on_the_checkout_the_program_was_built_from_or_else_on_the_repository() {
        assert!(matches!(Source::of_build(Path::new(BUILT_FROM)), Source::Path(_)));
        let gone = Source::of_build(Path::new("no/such/checkout"));
        assert_eq!(gone.of("crates/wechaty"), format!("git = \"{REPOSITORY}\""));
        assert!(gone.told(Lang::En).contains("--path") && gone.told(Lang::Zh).contains("--path"));
    }

    #[test]
    fn what_is_named_as_a_checkout_must_be_one() {
        assert!(matches!(Source::named(Path::new(BUILT_FROM)), Ok(Source::Path(_))));
        let folder = tempfile::tempdir().expect("a folder");
        let args = NewArgs {
            dir: folder.path().join("bot"),
            template: Template::Rust,
            path: Some(folder.path().to_owned()),
            git: None,
        };
        let told = run(args, Lang::En).expect_err("no checkout").render(Lang::En, false);
        assert!(told.contains("[W143]"), "{told}");
        assert!(!folder.path().join("bot").exists(), "a project that cannot compile is not begun");
    }

    #[test]
    fn every_path_becomes_good_toml() {
        for odd in ["/srv/e\u{301}", "/a b/\u{200b}", "/tab\t", "C:\\Users\\\"x\"", "/中文/😀"] {
            let line = Source::Path(PathBuf::from(odd)).of("crates/wechaty");
            let read: toml_edit::DocumentMut = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
            assert!(read["path"].as_str().is_some_and(|path| path.starts_with(odd)), "{line}");
        }
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
