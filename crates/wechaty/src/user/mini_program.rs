//! MINI PROGRAM: a WeChat mini program card.

use wechaty_types::MiniProgramPayload;

/// A WeChat mini program card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MiniProgram(MiniProgramPayload);

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(&self) -> Option<&str> {
            self.0.$name.as_deref()
        }
    )*};
}

impl MiniProgram {
    /// From its payload.
    pub fn new(payload: MiniProgramPayload) -> Self {
        Self(payload)
    }
    /// Everything known.
    pub fn payload(&self) -> &MiniProgramPayload {
        &self.0
    }
    /// Everything known, taken out.
    pub fn into_payload(self) -> MiniProgramPayload {
        self.0
    }
    getters! {
        /// Application id.
        appid;
        /// Title of the card.
        title;
        /// Page it opens.
        #[doc(alias = "pagePath")]
        page_path;
        /// The program's user name.
        username;
        /// Text of the card.
        description;
        /// Picture of the card.
        #[doc(alias = "thumbUrl")]
        thumb_url;
        /// Key of the picture.
        #[doc(alias = "thumbKey")]
        thumb_key;
    }
}
