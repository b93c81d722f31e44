//! Enums whose wire form is a number and whose unknown numbers survive.

macro_rules! open_enum {
    ($($(#[$doc:meta])* $name:ident = $default:ident { $($(#[$vdoc:meta])* $variant:ident = $number:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
            /// A number this version does not know; kept as it came.
            Other(i32),
        }
        #[cfg(feature = "schema")]
        crate::schema::of!($name, "integer");
        impl $name {
            /// Every variant with a name, in numeric order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The number on the wire.
            pub const fn number(self) -> i32 {
                match self { $(Self::$variant => $number,)* Self::Other(n) => n }
            }
            /// The variant of a number; an unknown one becomes `Other`.
            pub const fn from_number(number: i32) -> Self {
                match number { $($number => Self::$variant,)* n => Self::Other(n) }
            }
            /// The name in the Wechaty documentation, `None` for `Other`.
            pub const fn name(self) -> Option<&'static str> {
                match self { $(Self::$variant => Some(stringify!($variant)),)* Self::Other(_) => None }
            }
            /// The variant of a documented name (exact case).
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $(stringify!($variant) => Some(Self::$variant),)* _ => None }
            }
        }
        impl Default for $name {
            fn default() -> Self { Self::$default }
        }
        impl From<i32> for $name {
            fn from(number: i32) -> Self { Self::from_number(number) }
        }
        impl From<$name> for i32 {
            fn from(value: $name) -> i32 { value.number() }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() { Some(name) => f.write_str(name), None => write!(f, "#{}", self.number()) }
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_i32(self.number())
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                i32::deserialize(d).map(Self::from_number)
            }
        }
    )*};
}
pub(crate) use open_enum;
