//! Where the socket of a bot is: beside its configuration, under its name.

use std::{
    fs,
    path::{Path, PathBuf},
};

use toml_edit::DocumentMut;
use wechaty_catalogue::Lang;
use wechaty_config::{Config, Env};

use crate::{config::config_failure, failure::Failure};

/// A longer name does not fit into the address of a socket.
const LONGEST: usize = 80;

/// A named bot, and the folder of its configuration.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) name: String,
    folder: PathBuf,
    /// Where its files are, if elsewhere.
    store: Option<PathBuf>,
    /// Its time zone, if it says one.
    pub(crate) zone: Option<String>,
    /// The ids of its accounts, if it says them.
    pub(crate) accounts: Vec<String>,
    /// The largest its store may become, in MiB, if it says that.
    pub(crate) most_mib: Option<u64>,
}

impl Place {
    /// The place of a bot that was configured by this file.
    pub(crate) fn beside(file: &Path, name: &str) -> Self {
        Self::within(&folder_of(file), name)
    }

    /// The place of a bot without a file.
    pub(crate) fn within(folder: &Path, name: &str) -> Self {
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        Self { name: name.to_owned(), folder, store: None, zone: None, accounts: Vec::new(), most_mib: None }
    }

    /// The bot that a command means: that of the file, of ./BOT.toml, or the one `WECHATY_NAME` names here. Only the name is
    /// read: the secrets of a running bot need not be known to who asks it.
    ///
    /// `store`: where its files are, whatever the configuration says.
    pub(crate) fn find(file: Option<&Path>, store: Option<&Path>, lang: Lang) -> Result<Self, Failure> {
        let here = Path::new(Config::FILE);
        let Some(file) = file.or_else(|| here.is_file().then_some(here)) else {
            let (env, _) = Env::system().with_folder(Path::new("."));
            let name = env.get("WECHATY_NAME").ok_or_else(|| Failure::usage("W178").set("file", Config::FILE))?;
            return Ok(Self { store: store.map(Path::to_owned), ..Self::within(Path::new("."), &name) });
        };
        let folder = folder_of(file);
        let (env, _) = Env::system().with_folder(&folder);
        let Told { name: named, store: elsewhere, zone, accounts, most_mib } = told(file, lang)?;
        let name = env.get("WECHATY_NAME").or(named);
        let name = name.ok_or_else(|| Failure::usage("W171").set("file", file.display().to_string()))?;
        let elsewhere = elsewhere.map(|path| folder.join(path));
        let store = store.map(Path::to_owned).or(elsewhere);
        Ok(Self { store, zone, accounts, most_mib, ..Self::within(&folder, &name) })
    }

    /// The file of what it must not lose.
    pub(crate) fn file(&self) -> PathBuf {
        self.store.as_ref().unwrap_or(&self.folder).join(format!("{}.wechaty.db", self.name))
    }

    /// The socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join(self.stem() + ".wechaty.sock")
    }

    /// Held by the bot as long as it runs, whatever ends it.
    pub(crate) fn lock(&self) -> PathBuf {
        self.folder.join(self.stem() + ".wechaty.lock")
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The name, or a digest of one that cannot be in the address of a socket.
    fn stem(&self) -> String {
        let name = &self.name;
        if name.len() <= LONGEST && !name.contains(|c: char| c == '/' || c == '\\' || c.is_control()) {
            return name.clone();
        }
        // FNV-1a: the same in every version of the program.
        let digest = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        format!("{digest:016x}")
    }
}

fn folder_of(file: &Path) -> PathBuf {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// What is read of a BOT.toml, whatever else may be wrong with it.
struct Told {
    name: Option<String>,
    store: Option<String>,
    zone: Option<String>,
    accounts: Vec<String>,
    most_mib: Option<u64>,
}

fn told(file: &Path, lang: Lang) -> Result<Told, Failure> {
    let text = fs::read_to_string(file).ok();
    let document = text.and_then(|text| text.trim_start_matches('\u{feff}').parse::<DocumentMut>().ok());
    match document {
        Some(document) => {
            let text = |key: &str| document.get(key).and_then(|text| text.as_str()).map(str::to_owned);
            let store = |key: &str| document.get("store").and_then(|store| store.get(key));
            let accounts = document.get("account").and_then(|accounts| accounts.as_array_of_tables());
            let accounts = accounts.into_iter().flatten().filter_map(|account| account.get("id")?.as_str());
            Ok(Told {
                name: text("name"),
                store: store("path").and_then(|path| path.as_str()).map(str::to_owned),
                zone: text("timezone"),
                accounts: accounts.map(str::to_owned).collect(),
                most_mib: store("most_mib").and_then(|most| u64::try_from(most.as_integer()?).ok()),
            })
        }
        None => Err(config_failure(&Config::check(file, &Env::system()), lang)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_fits_no_address_gets_one_that_does() {
        let socket = |name: &str| Place::within(Path::new("/bots"), name).socket();
        assert_eq!(socket("front-desk"), Path::new("/bots/front-desk.wechaty.sock"));
        assert_eq!(socket("前台"), Path::new("/bots/前台.wechaty.sock"));
        for odd in ["客".repeat(64), "../elsewhere".to_owned()] {
            let socket = socket(&odd);
            assert!(socket.parent() == Some(Path::new("/bots")) && socket.as_os_str().len() < 60, "{socket:?}");
        }
        assert_ne!(socket(&"客".repeat(64)), socket(&"服".repeat(64)));
    }

    #[test]
    fn a_bot_is_found_by_its_file_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("BOT.toml");
        // The secret is not known here, and that does not matter.
        let text = "\u{feff}version = 1\r\ntimezone = \"Asia/Shanghai\"\r\nname = \"shop\"\r\n[[account]]\r\nid = \"a\"\r\npuppet = \"webchat\"\r\ntoken = { env = \"NOBODY_KNOWS\" }\r\n";
        fs::write(&file, text).expect("written");
        let found = Place::find(Some(&file), None, Lang::En).expect("found");
        assert_eq!((found.name.as_str(), found.zone.as_deref()), ("shop", Some("Asia/Shanghai")));
        assert_eq!(found.accounts, ["a"]);
        fs::write(&file, "version = 1\n").expect("written");
        assert!(
            Place::find(Some(&file), None, Lang::En).expect_err("no name").render(Lang::En, false).contains("[W171]")
        );
        let none = Place::find(None, None, Lang::En).expect_err("no file").render(Lang::En, false);
        assert!(none.contains("[W178] there is no BOT.toml here"), "{none}");
        fs::write(&file, "version = \n").expect("written");
        assert!(
            Place::find(Some(&file), None, Lang::Zh).expect_err("no TOML").render(Lang::Zh, false).contains("[C002]")
        );
    }
}
