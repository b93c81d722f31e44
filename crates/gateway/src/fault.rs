//! FAULTS: what a call fails with, as the status its client gets.

use tonic::{Code, Status};
use wechaty::SendFailure;
use wechaty_grpc::{WireError, status};
use wechaty_puppet::{FileBoxError, PuppetError, with_causes};

/// Result of a call.
pub(crate) type Answer<T> = Result<T, Fault>;

/// A status on its way to the client; `?` makes one of every error there is.
#[derive(Debug)]
pub(crate) struct Fault(pub(crate) Status);

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        match status.code() {
            // Larger than a message may be.
            Code::OutOfRange => Self(Status::resource_exhausted(status.message())),
            _ => Self(status),
        }
    }
}

impl From<Fault> for Status {
    fn from(fault: Fault) -> Self {
        fault.0
    }
}

impl From<WireError> for Fault {
    fn from(error: WireError) -> Self {
        Self(error.into())
    }
}

impl From<PuppetError> for Fault {
    fn from(error: PuppetError) -> Self {
        Self(status::of_puppet(&error))
    }
}

impl From<FileBoxError> for Fault {
    fn from(error: FileBoxError) -> Self {
        Self(file(&error))
    }
}

impl From<wechaty::Error> for Fault {
    fn from(error: wechaty::Error) -> Self {
        use wechaty::Error;
        let code = match &error {
            Error::Puppet(error) => return Self(status::of_puppet(error)),
            Error::File(error) => return Self(file(error)),
            Error::Send(failure) => return Self(send(failure)),
            Error::NotLoggedIn(_) | Error::NotReady { .. } | Error::WrongType { .. } => Code::FailedPrecondition,
            Error::Invalid { .. } => Code::InvalidArgument,
            Error::Full { .. } => Code::ResourceExhausted,
            Error::Stopping => Code::Unavailable,
            _ => Code::Internal,
        };
        Self(Status::new(code, with_causes(&error)))
    }
}

fn file(error: &FileBoxError) -> Status {
    let code = match error {
        FileBoxError::UnknownUuid { .. } => Code::NotFound,
        FileBoxError::TooLarge { .. } => Code::ResourceExhausted,
        FileBoxError::TimedOut { .. } => Code::DeadlineExceeded,
        FileBoxError::Invalid { .. } | FileBoxError::NoJson { .. } | FileBoxError::PrivateAddress { .. } => {
            Code::InvalidArgument
        }
        _ => Code::Unavailable,
    };
    Status::new(code, with_causes(error))
}

fn send(failure: &SendFailure) -> Status {
    let code = match failure {
        // Not UNAVAILABLE: libraries try that again by themselves, and it may have been sent.
        failure if failure.is_in_doubt() => Code::Unknown,
        SendFailure::Dead { source, .. } => return with_words(status::of_puppet(source), failure),
        // It is in the store, and sent with the next start.
        SendFailure::Stopped => Code::Unknown,
        SendFailure::Expired => Code::DeadlineExceeded,
        SendFailure::Quota => Code::ResourceExhausted,
        _ => Code::FailedPrecondition,
    };
    Status::new(code, with_causes(failure))
}

/// The status with the words of the whole.
fn with_words(status: Status, whole: &dyn std::error::Error) -> Status {
    let mut told = Status::new(status.code(), with_causes(whole));
    *told.metadata_mut() = status.metadata().clone();
    told
}
