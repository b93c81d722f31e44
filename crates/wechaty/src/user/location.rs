//! LOCATION: a place.

use wechaty_types::LocationPayload;

/// A place.
#[derive(Clone, Debug, PartialEq)]
pub struct Location(LocationPayload);

impl Location {
    /// From its payload.
    pub fn new(payload: LocationPayload) -> Self {
        Self(payload)
    }
    /// A place with a name.
    pub fn at(latitude: f64, longitude: f64, name: impl Into<String>) -> Self {
        Self(LocationPayload { latitude, longitude, name: name.into(), ..LocationPayload::default() })
    }
    /// Everything known.
    pub fn payload(&self) -> &LocationPayload {
        &self.0
    }
    /// Everything known, taken out.
    pub fn into_payload(self) -> LocationPayload {
        self.0
    }
    /// Postal address.
    pub fn address(&self) -> &str {
        &self.0.address
    }
    /// Name of the place.
    pub fn name(&self) -> &str {
        &self.0.name
    }
    /// Degrees north.
    pub fn latitude(&self) -> f64 {
        self.0.latitude
    }
    /// Degrees east.
    pub fn longitude(&self) -> f64 {
        self.0.longitude
    }
    /// Radius of uncertainty in metres.
    pub fn accuracy(&self) -> f64 {
        self.0.accuracy
    }
}
