//! Which language somebody reads.

/// A language of the catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// English: also for everybody whose language is not here.
    #[default]
    En,
    /// Chinese, in simplified characters.
    Zh,
}

impl Lang {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// `en`, `zh`: for `--lang`, `<html lang>` and paths.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// From a tag or a locale: `zh`, `zh-CN`, `zh_CN.UTF-8`, `en-GB`. `None`: a language that is not here.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_', '.', '@']).next().unwrap_or_default();
        match primary.to_ascii_lowercase().as_str() {
            "zh" => Some(Self::Zh),
            "en" | "c" | "posix" => Some(Self::En),
            _ => None,
        }
    }

    /// What the environment says: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is set and not empty decides.
    pub fn of_env(env: impl Fn(&str) -> Option<String>) -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| env(name).filter(|v| !v.is_empty()));
        locale.and_then(|locale| Self::of_tag(&locale)).unwrap_or_default()
    }

    /// What a browser's `Accept-Language` wants most of what is here.
    pub fn of_accept_language(header: &str) -> Self {
        let mut best = (0.0, Self::default());
        for part in header.split(',').take(64) {
            let (tag, parameters) = part.split_once(';').unwrap_or((part, ""));
            let quality =
                parameters.trim().strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok()).unwrap_or(1.0);
            // Of equals the first one wins.
            if let Some(lang) = Self::of_tag(tag)
                && quality > best.0
            {
                best = (quality, lang);
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides_in_the_order_of_posix() {
        let of = |all: &str, messages: &str, lang: &str| {
            Lang::of_env(|name| {
                let value = match name {
                    "LC_ALL" => all,
                    "LC_MESSAGES" => messages,
                    "LANG" => lang,
                    _ => return None,
                };
                Some(value.to_owned())
            })
        };
        assert_eq!(of("", "", "zh_CN.UTF-8"), Lang::Zh);
        assert_eq!(of("C.UTF-8", "zh_CN", "zh_CN"), Lang::En);
        assert_eq!(of("", "zh_TW.UTF-8", "en_US.UTF-8"), Lang::Zh);
        assert_eq!(of("", "", "fr_FR.UTF-8"), Lang::En);
        assert_eq!(Lang::of_env(|_| None), Lang::En);
    }

    #[test]
    fn a_browser_gets_what_it_wants_most() {
        assert_eq!(Lang::of_accept_language("zh-CN,zh;q=0.9,en;q=0.8"), Lang::Zh);
        assert_eq!(Lang::of_accept_language("fr, en-GB;q=0.5, zh;q=0.4"), Lang::En);
        assert_eq!(Lang::of_accept_language("en;q=0.1,zh;q=0.3"), Lang::Zh);
        assert_eq!(Lang::of_accept_language("zh;q=0"), Lang::En);
        assert_eq!(Lang::of_accept_language(";;,,q=x\u{0}"), Lang::En);
    }
}
